package tenant

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/licensing/vector"
	"licensor/internal/membership"
)

// Rules are the rules of the dynamic groups of a tenant, as of one image
// (docs/spec/dynamic-membership.md).
type Rules struct {
	groups vector.Vector[*Dynamic] // by group; nil for static groups
	index  *ruleIndex
	frozen bool // memberOf rules change nothing (D55)
}

// Dynamic is what an image knows of a dynamic group. It is immutable.
type Dynamic struct {
	// Rule is nil if this version cannot read it, as in an import about devices (D53).
	Rule    *membership.Rule
	On      bool      // the rule is followed: the group is neither paused nor deleted
	Deleted bool      // the group is
	Updated time.Time // of the last commit in which users joined or left by the rule, or that set it (D7)
	Failed  string    // why the rule could not be followed; "" if it could (D24, D28)
	Culprit uint32    // one more than the user for whom it could not be evaluated; 0: none
}

// of returns what is known of a group; nil if it is static.
func (r *Rules) of(group uint32) *Dynamic {
	if int(group) >= r.groups.Len() {
		return nil
	}
	return r.groups.At(int(group))
}

// Dynamic returns what is known of a dynamic group; nil if the group is static.
func (img *Image) Dynamic(group uint32) *Dynamic { return img.Rules.of(group) }

// RuleText returns the rule of a dynamic group as it was written; "" if the group is static.
func (img *Image) RuleText(group uint32) string {
	if img.Rules.of(group) == nil {
		return ""
	}
	return img.Directory.GroupColumns().Text(group, ruleColumn)
}

// DynamicGroups returns how many dynamic groups there are, without deleted ones.
func (img *Image) DynamicGroups() int { return img.Rules.index.existing }

// MemberOfRules returns the setting of memberOf rules.
func (img *Image) MemberOfRules() MemberOfRules {
	if img.Rules.frozen {
		return MemberOfRulesFrozen
	}
	return MemberOfRulesFollowed
}

// Timed reports whether there are rules whose members can change with time alone, or that failed.
func (img *Image) Timed() bool { return len(img.Rules.index.timed) > 0 }

// ruleIndex finds the groups whose rules a change concerns. It has those that are followed, all in
// ascending order.
type ruleIndex struct {
	all      []uint32
	columns  map[int]mentions       // by the columns that the rules mention
	managers map[uuid.UUID][]uint32 // Direct Reports for
	sources  map[uuid.UUID][]uint32 // memberOf
	plans    []uint32               // of assignedPlans
	timed    []uint32               // whose members can change with time alone, or that failed

	existing int // dynamic groups that are not deleted, with paused ones
	memberOf int // of these, those with a memberOf rule
}

// mentions are the groups whose rules mention a column.
type mentions struct {
	always *concerned            // with every change; nil: none
	values map[string]*concerned // those that only compare it with texts: by these, folded, "" for null
}

// concerned are groups whose rules a change concerns.
type concerned struct{ groups []uint32 }

func (c *concerned) add(group uint32) *concerned {
	if c == nil {
		c = new(concerned)
	}
	if !slices.Contains(c.groups, group) {
		c.groups = append(c.groups, group)
	}
	return c
}

var noRules = new(ruleIndex)

func (r *Rules) indexed() *ruleIndex {
	x := &ruleIndex{columns: map[int]mentions{}, managers: map[uuid.UUID][]uint32{}, sources: map[uuid.UUID][]uint32{}}
	for group, d := range r.groups.All() {
		if d != nil {
			x.add(uint32(group), d)
		}
	}
	return x
}

func (x *ruleIndex) add(group uint32, d *Dynamic) {
	if d.Deleted {
		return
	}
	x.existing++
	if d.Rule == nil {
		return
	}
	if len(d.Rule.Sources()) > 0 {
		x.memberOf++
	}
	if !d.On {
		return
	}
	x.all = append(x.all, group)
	for _, p := range d.Rule.Properties() {
		if p.Column >= 0 {
			x.columns[p.Column] = x.columns[p.Column].with(group, d.Rule, p)
		}
	}
	if manager, ok := d.Rule.Manager(); ok {
		x.managers[manager] = append(x.managers[manager], group)
	}
	for _, source := range d.Rule.Sources() {
		x.sources[source] = append(x.sources[source], group)
	}
	if d.Rule.UsesPlans() {
		x.plans = append(x.plans, group)
	}
	if d.Rule.UsesNow() || d.Rule.UsesPlans() || d.Failed != "" {
		x.timed = append(x.timed, group)
	}
}

// with returns the mentions with those of a property in the rule of a group.
func (m mentions) with(group uint32, rule *membership.Rule, p *membership.Property) mentions {
	texts, ok := rule.Compared(p)
	if !ok {
		m.always = m.always.add(group)
		return m
	}
	if m.values == nil {
		m.values = map[string]*concerned{}
	}
	for _, text := range texts {
		m.values[text] = m.values[text].add(group)
	}
	return m
}

// RuleNow is the new state of a dynamic group. The text of its rule is in the columns of groups.
type RuleNow struct {
	Group   uint32    `cbor:"1,keyasint,omitempty"`
	State   ruleState `cbor:"2,keyasint,omitempty"`
	Updated int64     `cbor:"3,keyasint,omitempty"` // see Dynamic; milliseconds since 1970
	Failed  string    `cbor:"4,keyasint,omitempty"`
	Culprit uint32    `cbor:"5,keyasint,omitempty"`
}

// ruleState is the state of a rule. Numbers are stored; never renumber.
type ruleState uint8

const (
	ruleNone    ruleState = iota // the group is static or purged
	ruleOn                       // it is followed
	rulePaused                   // it is not
	ruleDeleted                  // it is not, since the group is deleted
)

// stateOf returns the state of the rule of a group, which may be nil.
func stateOf(g *directory.Group) ruleState {
	switch {
	case g == nil || !g.Dynamic():
		return ruleNone
	case !g.DeletedDateTime.IsZero():
		return ruleDeleted
	case g.MembershipRuleProcessingState == directory.RuleOn:
		return ruleOn
	}
	return rulePaused
}

func (now RuleNow) apply(d *draft) (bool, error) {
	if now.State == ruleNone && d.next.Rules.of(now.Group) == nil {
		return false, nil
	}
	if now.State != ruleNone {
		if err := d.knownGroup(now.Group); err != nil {
			return false, err
		}
	}
	rules := &d.next.Rules
	if d.ruleOwner == nil {
		d.ruleOwner = new(vector.Owner)
	}
	for rules.groups.Len() <= int(now.Group) {
		rules.groups.Append(d.ruleOwner, nil)
	}
	var next *Dynamic
	if now.State != ruleNone {
		next = &Dynamic{
			On: now.State == ruleOn, Deleted: now.State == ruleDeleted, Updated: time.UnixMilli(now.Updated).UTC(),
			Failed: now.Failed, Culprit: now.Culprit,
		}
		if was := rules.of(now.Group); was != nil {
			next.Rule = was.Rule
		}
	}
	rules.groups.Set(d.ruleOwner, int(now.Group), next)
	d.ruled = append(d.ruled, now.Group)
	return true, nil
}

func (now RuleNow) note(f *Effects) { f.Rules = append(f.Rules, now) }

// settleRules reads the new rules from the columns of the finished directory, and indexes them.
func (d *draft) settleRules(next *Image) {
	stale := false
	slices.Sort(d.ruled)
	for _, group := range slices.Compact(d.ruled) {
		now, was := next.Rules.of(group), d.base.Rules.of(group)
		if now != nil {
			now.Rule = ruleIn(next, group, now.Rule)
		}
		stale = stale || !now.indexedAs(was)
	}
	if stale {
		next.Rules.index = next.Rules.indexed()
	}
}

// indexedAs reports whether the index is the same with another state of the group.
func (now *Dynamic) indexedAs(was *Dynamic) bool {
	if now == nil || was == nil {
		return now == was
	}
	return now.Rule == was.Rule && now.On == was.On && now.Deleted == was.Deleted &&
		(now.Failed == "") == (was.Failed == "")
}

var ruleColumn = columnOf(directory.AboutGroup, "membershipRule")

// ruleIn returns the rule of a group, which may be the previous one. It is nil if the text is not a
// rule that this version knows.
func ruleIn(img *Image, group uint32, was *membership.Rule) *membership.Rule {
	text := img.Directory.GroupColumns().Text(group, ruleColumn)
	if was != nil && was.Text() == text {
		return was
	}
	rule, err := membership.Parse(text)
	if err != nil {
		return nil
	}
	return rule
}

// now returns the effect that leads to the state of a group.
func (d *Dynamic) now(group uint32) RuleNow {
	state := rulePaused
	switch {
	case d.Deleted:
		state = ruleDeleted
	case d.On:
		state = ruleOn
	}
	return RuleNow{group, state, d.Updated.UnixMilli(), d.Failed, d.Culprit}
}

// list returns the effects that lead to the states of all groups, as snapshots have them.
func (r *Rules) list() (list []RuleNow) {
	for group, d := range r.groups.All() {
		if d != nil {
			list = append(list, d.now(uint32(group)))
		}
	}
	return list
}

// FrozenNow is the new setting of memberOf rules.
type FrozenNow struct {
	Frozen bool `cbor:"1,keyasint,omitempty"`
}

func (now *FrozenNow) apply(d *draft) (bool, error) {
	if now == nil || d.next.Rules.frozen == now.Frozen {
		return false, nil
	}
	d.next.Rules.frozen = now.Frozen
	return true, nil
}

func (now *FrozenNow) note(f *Effects) { f.Frozen = now }
