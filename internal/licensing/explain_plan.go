package licensing

import (
	"slices"

	"github.com/google/uuid"
)

// PlanSource is an entry of a user whose product has a service plan, and whether it gives the plan.
type PlanSource struct {
	Entry      Entry
	SKUID      uuid.UUID
	Direct     bool
	Group      uint32 // if not Direct
	State      string
	Cause      PlanCause
	Capability string // of the plan, if the entry is in force with it
}

// PlanCause is why a user has or lacks a service plan.
type PlanCause uint8

// The causes, the best first: if a user has several sources, the best one counts.
const (
	PlanHeld      PlanCause = iota // the user has it
	PlanSuspended                  // the user has it, but all units of the product are suspended or locked out (L6)
	PlanInError                    // the license with it is in error
	PlanDisabled                   // the source disables it
	PlanMissing                    // no product of the user has it
)

// String returns the name of the cause.
func (c PlanCause) String() string {
	return [...]string{"held", "suspended", "error", "disabled", "missing"}[c]
}

// PlanSources returns the entries of a user whose product has a service plan, in their order, and
// the best cause.
func (img *Image) PlanSources(user uint32, plan uuid.UUID) (sources []PlanSource, best PlanCause) {
	best = PlanMissing
	for _, e := range img.Entries(user) {
		s := img.sku(e.SKU)
		product := img.rules.product(s.id)
		if product == nil || !slices.Contains(product.ServicePlanIDs, plan) {
			continue
		}
		from := PlanSource{Entry: e, SKUID: s.id, Direct: e.Source == Direct, State: s.stateOf(&e), Cause: PlanDisabled}
		from.Group, _ = e.Source.Group()
		gives := func(v Variant) bool { return v != None && !slices.Contains(img.rules.variants[v].disabled, plan) }
		switch {
		case gives(e.InForce):
			from.Cause, from.Capability = PlanHeld, s.units.planCapability()
			if s.units.dead() {
				from.Cause = PlanSuspended
			}
		case gives(e.Wished):
			from.Cause = PlanInError
		}
		best = min(best, from.Cause)
		sources = append(sources, from)
	}
	return sources, best
}
