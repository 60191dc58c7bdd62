package licensing

import (
	"time"

	"github.com/RoaringBitmap/roaring/v2"
)

// HavingState returns the users with a licenseAssignmentState for which is returns true, including
// deleted ones. It calls is with the SKU, source, state and error only, and caches the results, so
// that each user takes a few nanoseconds.
func (img *Image) HavingState(is func(State) bool) *roaring.Bitmap {
	found := make([]uint64, (img.users+63)/64)
	known := make([]knownState, 1<<10)
	img.eachEntry(func(user int, e *Entry) {
		key := knownState{source: e.Source, sku: e.SKU, held: e.InForce != None, error: e.Error, known: true}
		slot := &known[(uint32(e.Source)*2654435761>>22^uint32(e.SKU)*31^uint32(e.Error)*7)&(1<<10-1)]
		if key.is = slot.is; *slot != key {
			key.is = is(img.stateBy(e))
			*slot = key
		}
		if key.is {
			found[user>>6] |= 1 << (user & 63)
		}
	})
	return roaring.FromDense(found, false)
}

// knownState is the cached result for equal entries.
type knownState struct {
	source          Source
	sku             SKU
	error           Violation
	held, known, is bool
}

// stateBy returns the condition of HavingState.
func (img *Image) stateBy(e *Entry) State {
	s := State{SKUID: img.sku(e.SKU).id, Direct: e.Source == Direct, State: img.sku(e.SKU).stateOf(e), Error: e.Error}
	if g, ok := e.Source.Group(); ok {
		s.Group = g
	}
	return s
}

// eachEntry iterates over the entries of all users in order.
func (img *Image) eachEntry(yield func(user int, e *Entry)) {
	for n := range img.blocks.Len() {
		b, at := img.blocks.At(n), 0
		for i, end := range b.entries.ends {
			for ; at < int(end); at++ {
				yield(n*blockSize+i, &b.entries.items[at])
			}
		}
	}
}

// HavingPlan returns the users with an assignedPlan at a time for which is returns true, including
// deleted ones. A user who has a plan through several products has it in the best state only (L12).
func (img *Image) HavingPlan(is func(plan *ServicePlan, capability string) bool, now time.Time) *roaring.Bitmap {
	h := &havingPlan{
		img: img, is: is, now: now, answers: map[planAnswer]bool{}, found: make([]uint64, (img.users+63)/64),
	}
	all := roaring.New()
	for _, s := range h.judge() {
		if holders := img.sku(s).holders.bitmap; holders != nil {
			all.Or(holders)
		}
	}
	if h.mixed {
		img.eachEntry(func(user int, e *Entry) {
			if e.InForce != None && h.variants[e.InForce] != plainly {
				h.take(user, h.variants[e.InForce])
			}
		})
	}
	h.takeLost()
	all.Or(roaring.FromDense(h.found, false))
	return all
}

// verdict is whether holders of a variant have a matching plan: no, yes, or depending on their
// other products, since one of them may give the plan in a better state.
type verdict uint8

const (
	without verdict = iota
	with
	depends
	plainly // equal for all variants of the SKU, so no user needs to be checked
)

type planAnswer struct {
	plan       int32
	capability string
}

type havingPlan struct {
	img      *Image
	is       func(plan *ServicePlan, capability string) bool
	now      time.Time
	answers  map[planAnswer]bool
	variants []verdict // by variant
	mixed    bool      // some users must be checked
	found    []uint64
}

// judge finds the verdicts of all variants, and returns the SKUs whose holders all have such a
// plan.
func (h *havingPlan) judge() (whole []SKU) {
	rules := h.img.rules
	h.variants = make([]verdict, len(rules.variants))
	type count struct{ with, without, depends int }
	counts := make([]count, h.img.skus.Len())
	for v := 1; v < len(rules.variants); v++ {
		c := &counts[rules.variants[v].sku]
		capability := h.img.sku(rules.variants[v].sku).units.planCapability()
		switch {
		case !h.gives(Variant(v), capability):
			c.without++
		case capability == Enabled:
			h.variants[v] = with
			c.with++
		default:
			h.variants[v] = depends
			c.depends++
		}
	}
	for s, c := range counts {
		if c.with > 0 && c.without+c.depends == 0 {
			whole = append(whole, SKU(s))
		}
		h.mixed = h.mixed || c.depends > 0 || c.with > 0 && c.without > 0
	}
	for v := 1; v < len(h.variants); v++ {
		if c := counts[rules.variants[v].sku]; c.depends == 0 && (c.with == 0 || c.without == 0) {
			h.variants[v] = plainly
		}
	}
	return whole
}

// gives reports whether a variant has a matching plan in a state.
func (h *havingPlan) gives(v Variant, capability string) bool {
	for _, p := range h.img.rules.variants[v].enabled {
		key := planAnswer{p, capability}
		is, ok := h.answers[key]
		if !ok {
			is = h.is(h.img.rules.plan(p), capability)
			h.answers[key] = is
		}
		if is {
			return true
		}
	}
	return false
}

// take adds a user whose entry has a verdict.
func (h *havingPlan) take(user int, v verdict) {
	if v == with || v == depends && h.has(user) {
		h.found[user>>6] |= 1 << (user & 63)
	}
}

// has checks all of a user's plans.
func (h *havingPlan) has(user int) bool {
	for p := range h.img.Plans(uint32(user), h.now) {
		if h.is(p.Plan, p.Capability) {
			return true
		}
	}
	return false
}

// takeLost adds the users who have recently lost such a plan and not got it back.
func (h *havingPlan) takeLost() {
	for n := range h.img.blocks.Len() {
		b := h.img.blocks.At(n)
		if len(b.lost.items) == 0 {
			continue
		}
		for i := range b.lost.ends {
			for _, l := range b.lost.at(i) {
				if h.gives(l.variant, Deleted) {
					h.take(n*blockSize+i, depends)
				}
			}
		}
	}
}
