package tenant

import (
	"errors"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/membership"
)

// The maximum numbers of dynamic groups of a tenant that are not deleted
// (docs/spec/dynamic-membership.md D5). The groups in one rule are bounded by membership.
const (
	maxDynamic  = 15_000
	maxMemberOf = 500
)

// govern checks the rule of a group that is created, changed, deleted or restored (D9, D11, D12,
// D14). It returns a function that makes the command follow the rule, which is called once the
// group is written. Was is nil for a new group.
func (c *change) govern(group uint32, was, now *directory.Group) (follow func(), err error) {
	before, after := stateOf(was), stateOf(now)
	isNew := after != ruleNone && (before == ruleNone || was.MembershipRule != now.MembershipRule)
	if before == after && !isNew {
		return func() {}, nil
	}
	var rule *membership.Rule
	if after != ruleNone {
		rule, err = membership.Parse(now.MembershipRule)
		if err != nil && (isNew || after == ruleOn) && !c.pausable(after, err) {
			return nil, err
		}
	}
	if isNew && rule != nil && !c.imports {
		if err := c.refersWell(group, now.ID, rule); err != nil {
			return nil, err
		}
	}
	if err := c.fewRules(group, before, after, rule); err != nil {
		return nil, err
	}
	updated := c.at
	if d := c.next.Rules.of(group); d != nil && !isNew {
		updated = d.Updated
	}
	return func() {
		c.record(RuleNow{Group: group, State: after, Updated: updated.UnixMilli()})
		c.following.set(group, rule, after == ruleOn)
	}, nil
}

// pausable reports whether a rule that is not served can be kept: in an import, in a group that is
// Paused (D53).
func (c *change) pausable(state ruleState, err error) bool {
	refused, ok := errors.AsType[*membership.RefusalError](err)
	return c.imports && state != ruleOn && ok && refused.Kind == membership.KindNotImplemented
}

// notServed reports whether a rule is valid, but about something that is not served.
func notServed(rule string) bool {
	_, err := membership.Parse(rule)
	refused, ok := errors.AsType[*membership.RefusalError](err)
	return ok && refused.Kind == membership.KindNotImplemented
}

// refersWell refuses a rule about a user or a group that does not exist, and a memberOf rule about
// a group with such a rule (D54, D55, D77).
func (c *change) refersWell(group uint32, id uuid.UUID, rule *membership.Rule) error {
	if manager, ok := rule.Manager(); ok {
		if _, live := c.dir.LiveUserByID(manager); !live {
			return wrongRule(manager, "there is no user '%s'", manager)
		}
	}
	sources := rule.Sources()
	for _, source := range sources {
		ordinal, live := c.dir.LiveGroupByID(source)
		if !live {
			return wrongRule(source, "there is no group '%s'", source)
		}
		if ordinal == group || c.hasSources(ordinal) {
			return wrongRule(source, "group '%s' has a memberOf rule itself", source)
		}
	}
	if len(sources) == 0 {
		return nil
	}
	for other, d := range c.next.Rules.groups.All() {
		if d != nil && c.hasSources(uint32(other)) && slices.Contains(c.ruleOf(uint32(other)).Sources(), id) {
			return wrongRule(id, "the memberOf rule of group '%s' is about this group", c.dir.GroupID(uint32(other)))
		}
	}
	return nil
}

// ruleOf returns the rule of a group, including one that the command has set; nil if there is none.
func (c *change) ruleOf(group uint32) *membership.Rule {
	if s, ok := c.following.rules[group]; ok {
		return s.rule
	}
	if d := c.next.Rules.of(group); d != nil && !d.Deleted {
		return d.Rule
	}
	return nil
}

func (c *change) hasSources(group uint32) bool {
	rule := c.ruleOf(group)
	return rule != nil && len(rule.Sources()) > 0
}

func wrongRule(about uuid.UUID, format string, args ...any) *CommandError {
	return invalid(about, "Dynamic membership rule validation error: "+format+".", args...)
}

// fewRules refuses more dynamic groups, and more with memberOf rules, than a tenant can have (D5).
func (c *change) fewRules(group uint32, before, after ruleState, rule *membership.Rule) error {
	exists := func(s ruleState) bool { return s == ruleOn || s == rulePaused }
	f := &c.following
	index := c.base.Rules.index
	if !exists(before) && exists(after) {
		if f.existing++; index.existing+f.existing > maxDynamic {
			return invalid(maxDynamic, "Dynamic group policies max allowed groups count reached")
		}
	}
	if exists(before) && !exists(after) {
		f.existing--
	}
	had := exists(before) && c.hasSources(group)
	has := exists(after) && rule != nil && len(rule.Sources()) > 0
	if has && !had {
		if f.memberOf++; index.memberOf+f.memberOf > maxMemberOf {
			return invalid(maxMemberOf, "A tenant can have at most %d groups with a memberOf rule. Use other rules in "+
				"some of them first.", maxMemberOf)
		}
	}
	if had && !has {
		f.memberOf--
	}
	return nil
}

// byHand refuses to change the members of a dynamic group (D13), also of a new one (D4).
func (c *change) byHand(group uint32) error {
	if c.next.Rules.of(group) == nil {
		return nil
	}
	id := c.dir.GroupID(group)
	return &CommandError{
		Kind: ProblemForbidden, Value: id.String(),
		Message: "Insufficient privileges to complete the operation. The members of group " + id.String() +
			" follow from its rule.",
	}
}

// EvaluateRules evaluates rules that are followed, for all users: those of some groups, or without
// Groups those whose members can change with time alone (D25), and those that failed.
type EvaluateRules struct{ Groups []uint32 }

func (EvaluateRules) name() string { return "evaluateRules" }

func (e EvaluateRules) run(c *change) error {
	for _, group := range e.concerned(c.base) {
		c.following.full[group] = true
	}
	return nil
}

// concerned returns the groups whose rules are evaluated.
func (e EvaluateRules) concerned(img *Image) []uint32 {
	if len(e.Groups) > 0 {
		return e.Groups
	}
	return img.Rules.index.timed
}

// ungovern removes the rule of a group that is purged.
func (c *change) ungovern(group uint32) {
	d := c.next.Rules.of(group)
	if d == nil {
		return
	}
	if !d.Deleted {
		if c.following.existing--; c.hasSources(group) {
			c.following.memberOf--
		}
	}
	c.record(RuleNow{Group: group})
	c.following.set(group, nil, false)
}

// freezeRules sets whether memberOf rules change nothing. When they are followed again, they are
// evaluated.
func (c *change) freezeRules(frozen bool) {
	if !c.record(&FrozenNow{frozen}) || frozen {
		return
	}
	for _, groups := range c.base.Rules.index.sources {
		for _, group := range groups {
			c.following.full[group] = true
		}
	}
}
