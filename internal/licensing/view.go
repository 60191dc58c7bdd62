package licensing

import (
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"
)

// State is an entry as Graph's licenseAssignmentState shows it (L11).
type State struct {
	SKUID         uuid.UUID
	DisabledPlans []uuid.UUID // those in force if there are any, otherwise the wished ones; must not be changed
	Direct        bool
	Group         uint32 // if not Direct
	State         string
	Error         Violation
	Updated       time.Time
}

// States yields a user's licenseAssignmentStates, direct ones first.
func (img *Image) States(user uint32) func(yield func(State) bool) {
	return func(yield func(State) bool) {
		for _, e := range img.Entries(user) {
			s := State{
				SKUID: img.sku(e.SKU).id, DisabledPlans: img.disabled(e.shown()), Direct: e.Source == Direct,
				State: img.sku(e.SKU).stateOf(&e), Error: e.Error, Updated: time.Unix(int64(e.Updated), 0).UTC(),
			}
			if g, ok := e.Source.Group(); ok {
				s.Group = g
			}
			if !yield(s) {
				return
			}
		}
	}
}

// stateOf returns the state of an entry of the SKU, Disabled if it is in force while all units are
// suspended or locked out (L6).
func (s *sku) stateOf(e *Entry) string {
	if e.InForce != None && s.units.dead() {
		return StateDisabled
	}
	return e.State()
}

// disabled returns the variant's disabled plans that its SKU has.
func (img *Image) disabled(v Variant) []uuid.UUID {
	w := &img.rules.variants[v]
	if w.product == nil {
		return w.disabled
	}
	has := func(id uuid.UUID) bool { return slices.Contains(w.product.ServicePlanIDs, id) }
	for _, id := range w.disabled {
		if !has(id) {
			return slices.DeleteFunc(slices.Clone(w.disabled), func(id uuid.UUID) bool { return !has(id) })
		}
	}
	return w.disabled
}

// Held is a SKU that a user holds (L10).
type Held struct {
	SKUID         uuid.UUID
	Product       *Product    // nil if the catalog lacks it
	DisabledPlans []uuid.UUID // plans that none of the active sources enables; must not be changed
}

// Held yields the SKUs that a user holds, each once.
func (img *Image) Held(user uint32) func(yield func(Held) bool) {
	return func(yield func(Held) bool) {
		entries := img.Entries(user)
		for i := range entries {
			if entries[i].InForce == None || holding(entries[:i], entries[i].SKU) {
				continue
			}
			disabled := img.disabled(entries[i].InForce)
			for _, o := range entries[i+1:] {
				if o.SKU == entries[i].SKU && o.InForce != None && o.InForce != entries[i].InForce {
					disabled = intersection(disabled, img.disabled(o.InForce))
				}
			}
			h := Held{img.sku(entries[i].SKU).id, img.rules.variants[entries[i].InForce].product, disabled}
			if !yield(h) {
				return
			}
		}
	}
}

func intersection(a, b []uuid.UUID) []uuid.UUID {
	var both []uuid.UUID
	for _, id := range a {
		if slices.Contains(b, id) {
			both = append(both, id)
		}
	}
	return both
}

// AssignedPlan is a service plan that a user has, or lost in the last 30 days (L12).
type AssignedPlan struct {
	Plan       *ServicePlan
	At         time.Time
	Capability string
}

// The values of capabilityStatus.
const (
	Enabled   = "Enabled"
	Warning   = "Warning"
	Suspended = "Suspended"
	LockedOut = "LockedOut"
	Deleted   = "Deleted"
)

// Plans yields a user's assignedPlans at a time, each plan once, in its best state.
func (img *Image) Plans(user uint32, now time.Time) func(yield func(AssignedPlan) bool) {
	return func(yield func(AssignedPlan) bool) {
		var room [16]uint64
		seen := planSet(room[:])
		if n := (len(img.rules.catalog.ServicePlans) + 63) / 64; n > len(room) {
			seen = make(planSet, n)
		}
		show := func(v Variant, seconds uint32, capability string) bool {
			at := time.Unix(int64(seconds), 0).UTC()
			for _, p := range img.rules.variants[v].enabled {
				if seen.has(int(p)) {
					continue
				}
				seen.add(int(p))
				if !yield(AssignedPlan{img.rules.plan(p), at, capability}) {
					return false
				}
			}
			return true
		}
		entries := img.Entries(user)
		for _, capability := range capabilities {
			for i := range entries {
				e := &entries[i]
				if e.InForce != None && img.sku(e.SKU).units.planCapability() == capability &&
					!show(e.InForce, e.Assigned, capability) {
					return
				}
			}
		}
		for _, l := range img.lost(user) {
			if int64(l.at)+lostFor > now.Unix() && !show(l.variant, l.at, Deleted) {
				return
			}
		}
	}
}

// capabilities are the states of existing plans, the best first.
var capabilities = []string{Enabled, Warning, Suspended, LockedOut}

// SKUInfo is a subscribedSku: the units of a SKU and their use in a tenant (L1 to L3).
type SKUInfo struct {
	SKUID      uuid.UUID
	Product    *Product // nil if the catalog lacks it
	Subscribed bool
	Units      Units
	Consumed   int
	Capability string

	Number SKU // of the entries of the SKU
	// The users who hold it, and those with an entry of it in CountViolation, including deleted
	// users; nil if there never were any. They must not be changed.
	Holders, Waiting *roaring.Bitmap
}

// Free returns the number of seats that no user holds (L4), which is negative if the SKU is
// over-used.
func (s *SKUInfo) Free() int { return s.Units.Enabled + s.Units.Warning - s.Consumed }

// SKUs returns the SKUs that the tenant is subscribed to or users hold, in the order in which the
// tenant got them.
func (img *Image) SKUs() []SKUInfo {
	var list []SKUInfo
	for n, k := range img.skus.All() {
		if k.subscribed || k.consumed > 0 {
			list = append(list, img.info(SKU(n), k))
		}
	}
	return list
}

// EverySKU returns all SKUs that the tenant ever had, by their numbers.
func (img *Image) EverySKU() []SKUInfo {
	list := make([]SKUInfo, 0, img.skus.Len())
	for n, k := range img.skus.All() {
		list = append(list, img.info(SKU(n), k))
	}
	return list
}

func (img *Image) info(number SKU, k *sku) SKUInfo {
	return SKUInfo{
		SKUID: k.id, Product: img.rules.product(k.id), Subscribed: k.subscribed, Units: k.units,
		Consumed: k.consumed, Capability: k.units.capability(), Number: number,
		Holders: k.holders.bitmap, Waiting: k.waiting.bitmap,
	}
}

// Plan returns a service plan of the catalog by its id.
func (img *Image) Plan(id uuid.UUID) (*ServicePlan, bool) {
	at, ok := img.rules.plans[id]
	if !ok {
		return nil, false
	}
	return img.rules.plan(at), true
}

// Product returns a product of the catalog by its skuId.
func (img *Image) Product(id uuid.UUID) (*Product, bool) {
	p := img.rules.product(id)
	return p, p != nil
}

// GroupLicenses returns a group's assignedLicenses.
func (img *Image) GroupLicenses(group uint32) []Assign {
	list := make([]Assign, 0, len(img.group(group).licenses))
	for _, l := range img.group(group).licenses {
		list = append(list, Assign{img.sku(l.sku).id, img.disabled(l.variant)})
	}
	return list
}

// capability returns the capabilityStatus: the best state that has units (L2).
func (u Units) capability() string {
	switch {
	case u.Enabled > 0:
		return Enabled
	case u.Warning > 0:
		return Warning
	case u.Suspended > 0:
		return Suspended
	case u.LockedOut > 0:
		return LockedOut
	}
	return Deleted
}

// Works reports whether the licenses of holders work: they do not while all units are suspended or
// locked out (L6).
func (s *SKUInfo) Works() bool { return !s.Units.dead() }

// SKUWorks is Works of a SKU.
func (img *Image) SKUWorks(number SKU) bool { return !img.sku(number).units.dead() }

// dead reports whether all units are suspended or locked out, so that licenses show as Disabled
// (L6). A SKU without any units is different: holders keep their seats (L4).
func (u Units) dead() bool { return u.Enabled+u.Warning == 0 && u.Suspended+u.LockedOut > 0 }

// planCapability returns the capabilityStatus of the plans of holders of the SKU.
func (u Units) planCapability() string {
	if c := u.capability(); c != Deleted {
		return c
	}
	return Enabled
}
