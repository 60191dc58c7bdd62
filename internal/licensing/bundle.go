package licensing

import (
	"bytes"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/licensing/vector"
)

// evaluation processes one user's bundles. Its entries are the user's own until the first change
// and a copy from then on, so that an unchanged user costs no memory.
type evaluation struct {
	rules       *ruleset
	skus        *vector.Vector[*sku]
	groups      *vector.Vector[*group]
	country     Country
	independent bool // each product of a group is a bundle of its own (L33)

	fact    fact
	entries []Entry
	changed bool
	lo, hi  int // the bundle under evaluation: entries[lo:hi]

	why *Reason // receives the facts of a failing check; may be nil

	given int                    // bundles whose wish was put in force
	count func(s SKU, seats int) // called with each SKU of which the user took a seat (1) or gave one up (-1)

	copy     []Entry
	verdicts []Violation
	pending  []span

	asked  Country // the last argument and result of prohibitedIn
	answer planSet
}

// span is a bundle: the user's entries from lo up to hi.
type span struct{ lo, hi int }

// load prepares the evaluation of a user.
func (e *evaluation) load(f fact, entries []Entry) {
	e.fact, e.entries, e.changed, e.lo, e.hi = f, entries, false, 0, 0
}

// edit replaces the entries by a copy that may be changed.
func (e *evaluation) edit() {
	if !e.changed {
		e.copy = append(e.copy[:0], e.entries...)
		e.entries, e.changed = e.copy, true
	}
}

func (e *evaluation) inBundle(i int) bool { return e.lo <= i && i < e.hi }

// before returns what entry i holds now; nil if nothing.
func (e *evaluation) before(i int) *variant { return e.variant(e.entries[i].InForce) }

// after returns what entry i would hold once the bundle is in force.
func (e *evaluation) after(i int) *variant {
	if e.inBundle(i) {
		return e.variant(e.entries[i].Wished)
	}
	return e.variant(e.entries[i].InForce)
}

func (e *evaluation) variant(v Variant) *variant {
	if v == None {
		return nil
	}
	return &e.rules.variants[v]
}

// holds reports whether the user has the SKU in force from any source.
func (e *evaluation) holds(s SKU) bool {
	for j := range e.entries {
		if e.entries[j].SKU == s && e.entries[j].InForce != None {
			return true
		}
	}
	return false
}

// locationFor returns the user's location for a license of the source: a group's falls back to the
// organization's country (L34).
func (e *evaluation) locationFor(s Source) Country {
	if e.fact.location == NoCountry && s != Direct {
		return e.country
	}
	return e.fact.location
}

// prohibitedIn returns the plans that are not available in a country. Most users have the same
// location as the previous one.
func (e *evaluation) prohibitedIn(where Country) planSet {
	if where != e.asked {
		e.asked, e.answer = where, e.rules.prohibited[where]
	}
	return e.answer
}

// give tries to put a bundle's wish in force, as L49 says from point 2 on, and reports whether it
// is.
func (e *evaluation) give(b span) bool {
	e.lo, e.hi = b.lo, b.hi
	failed := e.judge()
	e.lo, e.hi = 0, 0
	if failed {
		e.refuse(b)
		return false
	}
	e.edit()
	e.given++
	for i := b.lo; i < b.hi; i++ {
		e.entries[i].Error = NoViolation
		e.putInForce(i)
	}
	return true
}

// judge leaves a verdict for each entry of the bundle and reports whether any is an error.
func (e *evaluation) judge() (failed bool) {
	e.verdicts = e.verdicts[:0]
	for i := e.lo; i < e.hi; i++ {
		verdict := e.first(i, checks)
		if verdict == NoViolation && needed(e, i) {
			verdict = DependencyViolation
		}
		failed = failed || verdict != NoViolation
		e.verdicts = append(e.verdicts, verdict)
	}
	return failed
}

// refuse keeps what is in force, and sets the errors: entries without an error of their own get
// that of another (L45, L49). The entry keeps its wish (L48).
func (e *evaluation) refuse(b span) {
	for k, verdict := range e.verdicts {
		if verdict == NoViolation {
			verdict = OtherViolation
		}
		e.setError(b.lo+k, verdict)
	}
}

func (e *evaluation) setError(i int, verdict Violation) {
	if e.entries[i].Error != verdict {
		e.edit()
		e.entries[i].Error = verdict
	}
}

// putInForce puts the wish of entry i in force and counts the seats (L3). The user keeps the seat
// while another source gives the SKU, so none is lost when a direct license is replaced by a
// group's (L37).
func (e *evaluation) putInForce(i int) {
	en := &e.entries[i]
	held := e.holds(en.SKU)
	en.InForce = en.Wished
	switch holds := e.holds(en.SKU); {
	case held && !holds:
		e.count(en.SKU, -1)
	case !held && holds:
		e.count(en.SKU, 1)
	}
}

// examine sets the errors of a bundle whose wish is in force (L47, L49 point 1).
func (e *evaluation) examine(b span) {
	for i := b.lo; i < b.hi; i++ {
		e.setError(i, e.first(i, checksInForce))
	}
}

func (e *evaluation) settled(b span) bool {
	for i := b.lo; i < b.hi; i++ {
		if !e.entries[i].settled() {
			return false
		}
	}
	return true
}

// next returns the bundle that begins at entry lo: one direct license, or all of one group.
func (e *evaluation) next(lo int) span {
	hi := lo + 1
	if s := e.entries[lo].Source; s != Direct && !e.independent {
		for hi < len(e.entries) && e.entries[hi].Source == s {
			hi++
		}
	}
	return span{lo, hi}
}

// order returns the order of L50: bundles with something in force first, then the older first,
// direct before group, then by id.
func (e *evaluation) order(a, b span) int {
	if x, y := e.anyInForce(a), e.anyInForce(b); x != y {
		if x {
			return -1
		}
		return 1
	}
	p, q := &e.entries[a.lo], &e.entries[b.lo]
	switch {
	case e.since(a) != e.since(b):
		if e.since(a) < e.since(b) {
			return -1
		}
		return 1
	case (p.Source == Direct) != (q.Source == Direct):
		if p.Source == Direct {
			return -1
		}
		return 1
	case p.Source != q.Source:
		x, y := e.groupID(p.Source), e.groupID(q.Source)
		return bytes.Compare(x[:], y[:])
	}
	return bytes.Compare(e.sku(p.SKU).id[:], e.sku(q.SKU).id[:])
}

func (e *evaluation) sku(s SKU) *sku { return e.skus.At(int(s)) }

func (e *evaluation) groupID(s Source) uuid.UUID {
	g, _ := s.Group()
	return e.groups.At(int(g)).id
}

func (e *evaluation) anyInForce(b span) bool {
	for i := b.lo; i < b.hi; i++ {
		if e.entries[i].InForce != None {
			return true
		}
	}
	return false
}

// since returns the age of a bundle's wish, or the age it had if it is no longer wished.
func (e *evaluation) since(b span) uint64 {
	for i := b.lo; i < b.hi; i++ {
		if e.entries[i].Wished != None {
			return e.entries[i].Since
		}
	}
	return e.entries[b.lo].Since
}

// round tries each pending bundle once, in order (L50), and reports whether one of them is now in
// force.
func (e *evaluation) round() (changed bool) {
	if len(e.pending) > 1 {
		slices.SortStableFunc(e.pending, e.order)
	}
	left := e.pending[:0]
	for _, b := range e.pending {
		if e.give(b) {
			changed = true
		} else {
			left = append(left, b)
		}
	}
	e.pending = left
	return changed
}
