package membership

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory/column"
)

// Rule is a valid rule about users. It is immutable and safe for concurrent use.
type Rule struct {
	text       string
	root       node
	properties []*Property
	usesNow    bool
	usesPlans  bool
	canFail    bool
}

func newRule(text string, root node) *Rule {
	r := &Rule{text: text, root: root}
	mention := func(p *Property) {
		if !slices.Contains(r.properties, p) {
			r.properties = append(r.properties, p)
		}
	}
	walk(root, func(n node) {
		switch n := n.(type) {
		case *compare:
			mention(n.property)
			r.usesNow = r.usesNow || n.moment != nil && n.moment.now
			r.canFail = r.canFail || n.pattern != nil && n.pattern.canFail()
		case *quantified:
			mention(n.property)
			r.usesPlans = r.usesPlans || n.property.Type == TypePlans
		}
	})
	return r
}

// Text returns the rule as it was written.
func (r *Rule) Text() string { return r.text }

// Properties returns the properties of users that the rule mentions: only a change of one of them,
// or of what the other methods tell, can change whether a user fulfills the rule.
func (r *Rule) Properties() []*Property { return slices.Clone(r.properties) }

// Compared returns the texts that a property is compared with, folded, and "" for null, if the rule
// only asks whether it equals them: then a change from another text to another one cannot change
// whether a user fulfills the rule. It returns false for other rules.
func (r *Rule) Compared(p *Property) (texts []string, ok bool) {
	ok = p.Type == TypeText && p.derived == nil
	walk(r.root, func(n node) {
		if c, is := n.(*compare); is && c.property == p {
			found, equality := c.compared()
			texts, ok = append(texts, found...), ok && equality
		}
	})
	return texts, ok
}

// compared returns the texts that an equality or a list compares with; false for another operator.
func (c *compare) compared() (texts []string, ok bool) {
	if c.null {
		texts = append(texts, "")
	}
	switch {
	case c.test == nil:
		return texts, c.pattern == nil
	case c.test.Op == column.OpEqual:
		return append(texts, c.test.Text), true
	}
	return slices.AppendSeq(texts, maps.Keys(c.test.Set)), c.test.Op == column.OpIn
}

// UsesNow reports whether the rule depends on the time, through system.now (D38).
func (r *Rule) UsesNow() bool { return r.usesNow }

// UsesPlans reports whether the rule depends on the assigned plans of users (D51).
func (r *Rule) UsesPlans() bool { return r.usesPlans }

// CanFail reports whether the rule has patterns that can take too long (D64).
func (r *Rule) CanFail() bool { return r.canFail }

// Manager returns the user whose direct reports are the members; false if the rule is another one
// (D54).
func (r *Rule) Manager() (uuid.UUID, bool) {
	if n, ok := r.root.(*reports); ok {
		return n.manager, true
	}
	return uuid.Nil, false
}

// Sources returns the groups whose direct members are the members; none if the rule is another one
// (D55).
func (r *Rule) Sources() []uuid.UUID {
	if n, ok := r.root.(*memberOf); ok {
		return slices.Clone(n.groups)
	}
	return nil
}

// User is what rules need to know of a user.
type User interface {
	// Value returns the value of the property Graph of Property, which is not assignedPlans.
	Value(p *Property) column.Value
	// Plans returns the assigned plans that the user shows, deleted ones included (D51). Users can
	// share a list, which must not be changed.
	Plans() []Plan
	// ReportsTo reports whether a user is the manager.
	ReportsTo(manager uuid.UUID) bool
	// IsMember reports whether the user is a direct member of a group.
	IsMember(group uuid.UUID) bool
}

// Plan is an element of assignedPlans.
type Plan struct{ ServicePlanID, Service, CapabilityStatus string }

func (p *Plan) texts() []string { return []string{p.ServicePlanID, p.Service, p.CapabilityStatus} }

// PatternError says that a rule cannot be evaluated for a user, because a pattern takes too long on
// a value of the user (D64).
type PatternError struct {
	Property string // as written in the rule
	Pattern  string
	Row      uint32 // the user, in the table of a Population
	Err      error
}

// Error returns the message.
func (e *PatternError) Error() string {
	return "the pattern '" + clip(e.Pattern) + "' failed on the value of '" + e.Property + "': " + e.Err.Error()
}

// Unwrap returns the error of the engine.
func (e *PatternError) Unwrap() error { return e.Err }

// Holds reports whether a user fulfills the rule at a time. Errors are *PatternError.
func (r *Rule) Holds(u User, now time.Time) (bool, error) {
	e := evaluation{text: r.text, user: u, now: now}
	is := e.eval(r.root, nil)
	return is, e.err
}

// Evaluate is Holds with the result of each part of the rule.
func (r *Rule) Evaluate(u User, now time.Time) (*Detail, error) {
	e, d := evaluation{text: r.text, user: u, now: now}, &Detail{}
	e.eval(r.root, d)
	return d, e.err
}
