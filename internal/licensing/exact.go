package licensing

import (
	"slices"

	"github.com/google/uuid"
)

// ExactState is the state of a license of a user that was evaluated elsewhere.
type ExactState struct {
	Source        Source
	SKUID         uuid.UUID
	DisabledPlans []uuid.UUID // as State shows them
	InForce       bool
	Error         Violation
}

// Exact ends evaluation in this draft: users who join a group, and members of groups that get
// licenses, only get the wishes, and free seats are not assigned. SetExact says what is in force.
func (d *Draft) Exact() { d.exact = true }

// SetExact sets the state of a license of a user without checks of seats or conflicts. A group's
// license that is not in force must be one that the group gives the user.
func (d *Draft) SetExact(user uint32, s ExactState) error {
	number, err := d.number(s.SKUID)
	if err != nil {
		return err
	}
	if err := d.plansOf(s.SKUID, s.DisabledPlans); err != nil {
		return err
	}
	entries := d.entriesOf(user)
	at := slices.IndexFunc(entries, func(e Entry) bool { return e.Source == s.Source && e.SKU == number })
	o := Outcome{Source: s.Source, SKU: number, Error: s.Error}
	switch {
	case at >= 0:
		o.Wished = entries[at].Wished
	case s.Source == Direct || s.InForce:
		o.Since = d.seq
	default:
		return &RefusalError{Kind: RefusalNotHeld, SKUID: s.SKUID}
	}
	if s.Source == Direct || s.InForce {
		var v Variant
		d.next.rules, v = d.next.rules.withVariant(number, sortIDs(s.DisabledPlans))
		d.eval.rules = d.next.rules
		if s.Source == Direct {
			o.Wished = v
		}
		if s.InForce {
			o.InForce = v
		}
	}
	d.eval.load(d.factOf(user), entries)
	d.eval.become(&o)
	d.keep(user)
	return nil
}

// SetExactLicense adds a license to a group, or replaces its disabled plans, and gives its members
// the wish. The tenant need not be subscribed to it.
func (d *Draft) SetExactLicense(g uint32, a Assign) error {
	if _, err := d.number(a.SKUID); err != nil {
		return err
	}
	if err := d.plansOf(a.SKUID, a.DisabledPlans); err != nil {
		return err
	}
	wants := d.withLicenses(d.next.group(g).licenses, d.licenses([]Assign{a}), nil)
	for user := range d.inTurn(d.setLicenses(g, wants)) {
		d.wish(user, FromGroup(g), wants)
	}
	return nil
}

// plansOf refuses plans that a product does not have.
func (d *Draft) plansOf(id uuid.UUID, plans []uuid.UUID) error {
	product := d.next.rules.product(id)
	for _, plan := range plans {
		if product == nil || !slices.Contains(product.ServicePlanIDs, plan) {
			return &RefusalError{Kind: RefusalPlanNotInSKU, SKUID: id, Plans: []uuid.UUID{plan}}
		}
	}
	return nil
}

// GroupLicenses returns a group's assignedLicenses.
func (d *Draft) GroupLicenses(g uint32) []Assign { return d.next.GroupLicenses(g) }

// ParseViolation reads the text of licenseAssignmentState.error.
func ParseViolation(text string) (Violation, bool) {
	at := slices.Index(violationNames[:], text)
	return Violation(max(at, 0)), at >= 0
}
