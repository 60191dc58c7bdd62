package model

import (
	"cmp"
	"slices"

	"github.com/google/uuid"
)

// bundle is a set of licenses that are given together or not at all: the products of a group, or a
// single one: of a direct assignment and, with independent bundles, of a group (L33). SKU is
// uuid.Nil when it is all of a group's.
type bundle struct{ group, sku uuid.UUID }

func (m *Model) bundleOf(s Source) bundle {
	if s.Group == Direct || m.Settings.Independent {
		return bundle{s.Group, s.SKU}
	}
	return bundle{s.Group, uuid.Nil}
}

// scope is the set of sources to process.
type scope func(Source) bool

func allGroups(s Source) bool { return s.Group != Direct }

func everything(Source) bool { return true }

func only(group uuid.UUID) scope { return func(s Source) bool { return s.Group == group } }

// outcome is the result of processing a user.
type outcome struct {
	changed bool // something in force
	freed   Set  // SKUs the user held and holds no longer
	waits   Set  // SKUs of the scope with CountViolation
}

// process takes the bundles in scope of a user in rounds until one changes nothing in force (L51).
func (w *work) process(u *User, in scope) outcome {
	if u.Deleted || u.Purged {
		return outcome{}
	}
	held, start := w.heldSet(u), inForce(u)
	for {
		before := inForce(u)
		for _, b := range w.round(u, in) {
			w.settle(u, b)
		}
		if sameInForce(before, inForce(u)) {
			break
		}
	}
	out := outcome{changed: !sameInForce(start, inForce(u)), freed: Set{}, waits: Set{}}
	for sku := range held {
		if !w.holds(u, sku) {
			out.freed[sku], w.freed[sku] = true, true
		}
	}
	for source, e := range u.Entries {
		if in(source) && e.Error == Count {
			out.waits[source.SKU] = true
		}
	}
	return out
}

// round returns the bundles in scope in the order of L50: those with something in force, then the
// others.
func (w *work) round(u *User, in scope) []bundle {
	type place struct {
		bundle
		others bool // nothing in force
		since  uint64
	}
	places := map[bundle]*place{}
	for source, e := range u.Entries {
		if !in(source) {
			continue
		}
		b := w.bundleOf(source)
		if places[b] == nil {
			places[b] = &place{bundle: b, others: true, since: e.Since}
		}
		places[b].since = min(places[b].since, e.Since)
		if e.InForce != nil {
			places[b].others = false
		}
	}
	var list []place
	for _, p := range places {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b place) int {
		return cmp.Or(turn(a.others)-turn(b.others), cmp.Compare(a.since, b.since),
			compareID(a.group, b.group), compareID(a.sku, b.sku)) // Direct is uuid.Nil and so comes first
	})
	bundles := make([]bundle, len(list))
	for i, p := range list {
		bundles[i] = p.bundle
	}
	return bundles
}

func turn(second bool) int {
	if second {
		return 2
	}
	return 1
}

// settle processes one bundle by L49.
func (w *work) settle(u *User, b bundle) {
	mine := map[uuid.UUID]*Entry{}
	var outside, had, will []product
	settled := true
	for source, e := range u.Entries {
		if w.bundleOf(source) != b {
			if e.InForce != nil {
				outside = append(outside, w.enabled(source.SKU, e.InForce))
			}
			continue
		}
		mine[source.SKU] = e
		settled = settled && same(e.Wished, e.InForce)
		if e.InForce != nil {
			had = append(had, w.enabled(source.SKU, e.InForce))
		}
		if e.Wished != nil {
			will = append(will, w.enabled(source.SKU, e.Wished))
		}
	}
	verdicts := w.judge(u, b.group == Direct, settled, outside, had, will)
	switch {
	case settled: // L49.1: each product for itself
		for sku, e := range mine {
			e.Error = verdicts[sku]
		}
	case len(verdicts) == 0: // L49.3
		for sku, e := range mine {
			e.InForce, e.Error = e.Wished, None
			if e.Wished == nil {
				delete(u.Entries, Source{b.group, sku})
			}
		}
	default: // L49.4
		for sku, e := range mine {
			e.Error = Other
			if verdicts[sku] != "" {
				e.Error = verdicts[sku]
			}
		}
	}
	for _, e := range mine {
		if e.Error == "" {
			e.Error = None
		}
	}
}

// judge returns the SKUs in error, with their errors (L49.1, L49.2).
func (w *work) judge(u *User, direct, settled bool, outside, had, will []product) map[uuid.UUID]Violation {
	verdicts := map[uuid.UUID]Violation{}
	for i, p := range will {
		around := slices.Concat(outside, will[:i], will[i+1:])
		v := w.check(u, direct, p, around)
		if v == None && !settled {
			v = w.seats(u, p)
		}
		if v != None {
			verdicts[p.sku] = v
		}
	}
	if settled {
		return verdicts
	}
	for sku := range w.needed(outside, had, will) {
		if verdicts[sku] == "" {
			verdicts[sku] = Dependency
		}
	}
	return verdicts
}

// wish sets the licenses that a user should have from a group by the group's licenses and the
// membership. The bundle keeps its age if a part of it was wished before (L50).
func (w *work) wish(u *User, g *Group) {
	since, had := w.now.Seq, false
	for source, e := range u.Entries {
		if source.Group == g.ID && e.Wished != nil {
			since, had = e.Since, true
		}
	}
	wanted := map[uuid.UUID]Set{}
	if g.Members[u.ID] {
		wanted = g.Licenses
	}
	for sku, disabled := range wanted {
		source := Source{g.ID, sku}
		if u.Entries[source] == nil {
			u.Entries[source] = &Entry{Error: None, Since: since}
		}
		u.Entries[source].Wished = setOf(disabled.sorted()...)
	}
	for source, e := range u.Entries {
		if source.Group != g.ID {
			continue
		}
		if wanted[source.SKU] == nil {
			e.Wished = nil
		}
		if !had && len(wanted) > 0 {
			e.Since = since
		}
		if e.Wished == nil && e.InForce == nil { // its source was removed (L48)
			delete(u.Entries, source)
		}
	}
}

func inForce(u *User) map[Source]Set {
	held := map[Source]Set{}
	for source, e := range u.Entries {
		if e.InForce != nil {
			held[source] = e.InForce
		}
	}
	return held
}

func sameInForce(a, b map[Source]Set) bool {
	if len(a) != len(b) {
		return false
	}
	for source, set := range a {
		if !same(set, b[source]) {
			return false
		}
	}
	return true
}
