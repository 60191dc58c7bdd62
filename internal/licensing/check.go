package licensing

import (
	"math"
	"slices"

	"github.com/google/uuid"
)

// check is one rule that can forbid what entry i of the bundle would be.
type check struct {
	error   Violation
	inForce bool // also checks what is in force already (L47)
	inGroup bool // also checks the products of one group against each other, when they are assigned to it (L31)
	fails   func(e *evaluation, i int) bool
}

// checks are the rules in the order in which they are tried (L49).
var checks = []check{
	{error: ProhibitedInUsageLocationViolation, inForce: true, fails: location},
	{error: MutuallyExclusiveViolation, inForce: true, inGroup: true, fails: exclusive},
	{error: DependencyViolation, inForce: true, inGroup: true, fails: dependency},
	{error: UniquenessViolation, inForce: true, fails: uniqueness},
	{error: CountViolation, fails: seats},
}

var (
	checksInForce = those(func(c check) bool { return c.inForce })
	checksInGroup = those(func(c check) bool { return c.inGroup })
)

// those returns the checks for which a condition is true, in their order.
func those(is func(check) bool) []check {
	return slices.DeleteFunc(slices.Clone(checks), func(c check) bool { return !is(c) })
}

// first returns the violation of the first rule that forbids entry i after the bundle is in force,
// or NoViolation.
func (e *evaluation) first(i int, rules []check) Violation {
	if e.after(i) == nil {
		return NoViolation
	}
	for r := range rules {
		if rules[r].fails(e, i) {
			return rules[r].error
		}
	}
	return NoViolation
}

// location refuses a plan that is not available in the user's location (L40), and a direct license
// of a user without a location (L22).
func location(e *evaluation, i int) bool {
	where := e.locationFor(e.entries[i].Source)
	if where == NoCountry && e.entries[i].Source == Direct {
		return true
	}
	prohibited := e.prohibitedIn(where)
	v := e.after(i)
	if prohibited == nil || !prohibited.intersects(v.plans) {
		return false
	}
	if e.why != nil {
		e.why.here = e.rules.common(prohibited, v.plans)
		e.why.Plan = e.why.here[0]
		e.why.Location = where
		e.why.LocationOfOrganization = e.fact.location == NoCountry
	}
	return true
}

// exclusive refuses a plan that conflicts with a plan of another product (L41).
func exclusive(e *evaluation, i int) bool {
	v := e.after(i)
	if !v.picky {
		return false
	}
	for j := range e.entries {
		o := e.after(j)
		if o == nil || o.sku == v.sku || !v.excludes.intersects(o.plans) {
			continue
		}
		if e.why != nil {
			e.why.here, e.why.there = e.rules.common(o.excludes, v.plans), e.rules.common(v.excludes, o.plans)
			e.why.OtherPlan = e.why.there[0]
			e.why.Plan = e.rules.excluding(v.plans, e.why.OtherPlan)
			e.why.other(e, j)
			wished := e.variant(e.entries[j].Wished)
			e.why.stuck = wished == nil || !v.excludes.intersects(wished.plans)
		}
		return true
	}
	return false
}

// dependency refuses a plan that needs another plan that is missing (L42).
func dependency(e *evaluation, i int) bool {
	v := e.after(i)
	for _, need := range v.requires {
		if e.satisfied(need, e.after) {
			continue
		}
		if e.why != nil {
			e.why.here = e.rules.requiring(v, func(set planSet) bool { return !e.satisfied(set, e.after) })
			e.why.Plan, e.why.Requires = e.why.here[0], e.rules.members(need)
		}
		return true
	}
	return false
}

// uniqueness refuses a plan of Exchange to a user one of whose addresses another user has (L43).
func uniqueness(e *evaluation, i int) bool {
	v := e.after(i)
	if e.fact.flags&duplicate == 0 || !v.exchange {
		return false
	}
	if e.why != nil {
		e.why.here = e.rules.exchangePlans(v)
		e.why.Plan = e.why.here[0]
	}
	return true
}

// seats refuses a SKU that the user does not hold yet if it has no seat left (L44).
func seats(e *evaluation, i int) bool {
	s := e.sku(e.entries[i].SKU)
	if e.holds(e.entries[i].SKU) || s.free() > 0 {
		return false
	}
	if e.why != nil {
		e.why.Seats = &Seats{Units: s.units, Consumed: s.consumed, Last: math.MaxUint32}
	}
	return true
}

// needed reports whether removing entry i would remove plans that a remaining license outside the
// bundle needs (L46).
func needed(e *evaluation, i int) bool {
	before := e.before(i)
	if before == nil {
		return false
	}
	goes := func(need planSet) bool { return need.intersects(before.plans) && !e.satisfied(need, e.after) }
	for j := range e.entries {
		o := e.before(j)
		if o == nil || e.inBundle(j) {
			continue
		}
		for _, need := range o.requires {
			if !goes(need) {
				continue
			}
			if e.why != nil {
				e.why.Needed = true
				e.why.Plan = e.rules.common(need, before.plans)[0]
				e.why.there = e.rules.requiring(o, goes)
				e.why.OtherPlan = e.why.there[0]
				e.why.other(e, j)
				wished := e.variant(e.entries[j].Wished)
				e.why.stuck = wished == nil || !slices.ContainsFunc(wished.requires, goes)
			}
			return true
		}
	}
	return false
}

// satisfied reports whether the user's entries have one of the needed plans.
func (e *evaluation) satisfied(need planSet, are func(int) *variant) bool {
	for j := range e.entries {
		if v := are(j); v != nil && need.intersects(v.plans) {
			return true
		}
	}
	return false
}

// common returns the plans in both sets.
func (r *ruleset) common(a, b planSet) []uuid.UUID {
	var ids []uuid.UUID
	for bit, id := range r.ruled {
		if a.has(bit) && b.has(bit) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (r *ruleset) members(s planSet) []uuid.UUID { return r.common(s, s) }

// excluding returns a plan of the set that conflicts with the other plan.
func (r *ruleset) excluding(plans planSet, other uuid.UUID) uuid.UUID {
	excluded := r.newSet()
	r.excludedBy(r.plan(r.plans[other]), excluded)
	return r.common(plans, excluded)[0]
}

// requiring returns the enabled plans of the variant that need one of a set of plans
// for which a condition is true.
func (r *ruleset) requiring(v *variant, so func(set planSet) bool) []uuid.UUID {
	var ids []uuid.UUID
	for _, at := range v.enabled {
		p := r.plan(at)
		if slices.ContainsFunc(p.RequiresAnyOf, func(set []uuid.UUID) bool { return so(r.setOf(set)) }) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// exchangePlans returns the enabled plans of the variant that are mailboxes.
func (r *ruleset) exchangePlans(v *variant) []uuid.UUID {
	var ids []uuid.UUID
	for _, at := range v.enabled {
		if r.plan(at).unique() {
			ids = append(ids, r.plan(at).ID)
		}
	}
	return ids
}
