package licensing

import (
	"cmp"
	"iter"
	"math"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"
)

// Reason explains the state of an entry: the facts that the failing check found
// (docs/spec/licensing.md, section 9). Fields that do not apply are zero.
type Reason struct {
	Entry  Entry
	SKUID  uuid.UUID
	Direct bool
	Group  uint32 // the source, if not Direct
	State  string
	Error  Violation

	Plan      uuid.UUID   // the plan that conflicts, or lacks something
	OtherPlan uuid.UUID   // the plan that it conflicts with, or (Needed) that needs it
	Requires  []uuid.UUID // any one of which Plan needs
	Needed    bool        // the license should be removed, but OtherPlan needs Plan

	Other       uuid.UUID // the SKU that has OtherPlan, or whose failure made this one fail too
	OtherDirect bool
	OtherGroup  uint32 // the source of Other, if not OtherDirect

	Location               Country
	LocationOfOrganization bool // the user has no usageLocation of its own (L34)

	Seats *Seats

	Remedies []Remedy

	here, there []uuid.UUID // all plans like Plan and OtherPlan, which are the first of them
	stuck       bool        // Other is no longer wished to conflict, but something else keeps it
}

// Seats are the seats of a SKU that has none left.
type Seats struct {
	Units    Units
	Consumed int
	Last     uint32 // the latest holder; math.MaxUint32 if there is none, or it was not requested
}

// Remedy is one action that would resolve an error.
type Remedy struct {
	Kind  RemedyKind
	SKUID uuid.UUID
	Plans []uuid.UUID
	Seats int
	// The place where the plan or product must be changed.
	Direct bool
	Group  uint32
}

// RemedyKind is the kind of action.
type RemedyKind string

// The remedies.
const (
	RemedyFreeSeats      RemedyKind = "freeSeats"      // Seats of SKUID, or buy them
	RemedyDisablePlan    RemedyKind = "disablePlan"    // Plans in SKUID at the source
	RemedyAddPlan        RemedyKind = "addPlan"        // any one of Plans
	RemedyRemoveLicense  RemedyKind = "removeLicense"  // SKUID at the source
	RemedyChangeLocation RemedyKind = "changeLocation" // of the user, or the other user's
	RemedyChangeAddress  RemedyKind = "changeAddress"  // of the user, or the other's
	RemedyClearOther     RemedyKind = "clearOther"     // the error of SKUID at the source, of which this one is a consequence
	RemedyReprocess      RemedyKind = "reprocess"      // nothing prevents the license now
)

// Explain is Explainer.User for a single user.
func (img *Image) Explain(user uint32, every bool) []Reason {
	return slices.Collect(img.Explainer().User(user, every))
}

// Explainer gives reasons for users of one image. It caches results that require iterating over all
// holders of a SKU, so use one for a whole list. It is not safe for concurrent use.
type Explainer struct {
	// WithoutOthers leaves out what takes a pass over other users: who came last (Seats.Last), and how
	// many wait before the user.
	WithoutOthers bool

	image *Image
	last  map[SKU]uint32   // who took the last seat
	lines map[SKU][]waiter // who waits for one
}

// Explainer returns a new Explainer.
func (img *Image) Explainer() *Explainer {
	return &Explainer{image: img, last: map[SKU]uint32{}, lines: map[SKU][]waiter{}}
}

// User yields the reason of each of the user's entries, or only of those in error unless every is
// set. The checks are run again on the image, so a reason describes the current conflict. If there
// is none left, its Remedy is RemedyReprocess.
func (x *Explainer) User(user uint32, every bool) iter.Seq[Reason] {
	return x.Those(user, func(e *Entry) bool { return every || e.Error != NoViolation })
}

// Those is User for the entries that satisfy a condition.
func (x *Explainer) Those(user uint32, is func(*Entry) bool) iter.Seq[Reason] {
	return func(yield func(Reason) bool) {
		e := x.image.evaluation()
		e.load(x.image.fact(user), x.image.Entries(user))
		for lo := 0; lo < len(e.entries); {
			b := e.next(lo)
			for i := b.lo; i < b.hi; i++ {
				if is(&e.entries[i]) && !yield(x.reason(e, i, b, user)) {
					return
				}
			}
			lo = b.hi
		}
	}
}

func (x *Explainer) reason(e *evaluation, i int, b span, user uint32) Reason {
	reason := *e.explain(i, b)
	if reason.Seats == nil || x.WithoutOthers {
		return reason
	}
	reason.Seats.Last = x.lastHolder(reason.Entry.SKU)
	if x.image.settings.AutoReprocess { // the first seats that become free go to others
		for n := range reason.Remedies {
			if m := &reason.Remedies[n]; m.Kind == RemedyFreeSeats {
				m.Seats += x.ahead(user, &reason.Entry)
			}
		}
	}
	return reason
}

// ahead returns how many users come before a user who waits for a seat (L52): with the setting
// autoReprocess, they get the seats that become free (L61).
func (x *Explainer) ahead(user uint32, en *Entry) int {
	if !en.waits() {
		return 0
	}
	before := func(a, b waiter) int { return cmp.Or(cmp.Compare(a.since, b.since), cmp.Compare(a.user, b.user)) }
	line, known := x.lines[en.SKU]
	if !known {
		line = x.image.line(en.SKU)
		slices.SortFunc(line, before)
		x.lines[en.SKU] = line
	}
	n, _ := slices.BinarySearchFunc(line, waiter{en.WaitingSince(), user}, before)
	return n
}

// line returns the users who wait for a seat of a SKU.
func (img *Image) line(s SKU) (line []waiter) {
	waiting := img.sku(s).waiting.bitmap
	if waiting == nil {
		return nil
	}
	for user := range roaring.Values(roaring.AndNot(waiting, img.deleted.bitmap)) {
		if since := longest(img.Entries(user), func(e *Entry) bool { return e.SKU == s }); since != 0 {
			line = append(line, waiter{since, user})
		}
	}
	return line
}

func (img *Image) evaluation() *evaluation {
	return &evaluation{
		rules: img.rules, skus: &img.skus, groups: &img.groups, country: img.country,
		independent: img.settings.GroupBundles == BundlesIndependent,
	}
}

// explain runs the checks on entry i of the bundle again and keeps their facts.
func (e *evaluation) explain(i int, b span) *Reason {
	en := &e.entries[i]
	r := &Reason{Entry: *en, SKUID: e.sku(en.SKU).id, State: e.sku(en.SKU).stateOf(en), Error: en.Error}
	r.Group, r.Direct = 0, en.Source == Direct
	if g, ok := en.Source.Group(); ok {
		r.Group = g
	}
	e.why = r
	if e.settled(b) {
		r.Error = e.first(i, checksInForce)
	} else {
		e.lo, e.hi = b.lo, b.hi
		if r.Error = e.first(i, checks); r.Error == NoViolation && needed(e, i) {
			r.Error = DependencyViolation
		}
	}
	e.why = nil
	if r.Error == NoViolation && !e.settled(b) {
		e.blame(r, i)
	}
	e.lo, e.hi = 0, 0
	if r.Error == NoViolation {
		r.Error = en.Error
		if en.Error != NoViolation {
			r.Remedies = []Remedy{{Kind: RemedyReprocess}}
		}
		return r
	}
	r.remedy(e)
	return r
}

// blame finds the entry of the bundle whose failure makes entry i fail, too (L45).
func (e *evaluation) blame(r *Reason, i int) {
	for j := e.lo; j < e.hi; j++ {
		if j != i && (e.first(j, checks) != NoViolation || needed(e, j)) {
			r.Error = OtherViolation
			r.other(e, j)
			return
		}
	}
}

// other records entry j as the conflicting one.
func (r *Reason) other(e *evaluation, j int) {
	r.Other = e.rules.skus[e.entries[j].SKU]
	g, ok := e.entries[j].Source.Group()
	r.OtherDirect = !ok
	if ok {
		r.OtherGroup = g
	}
}

// remedy sets the actions that would resolve the error.
func (r *Reason) remedy(e *evaluation) {
	here := Remedy{SKUID: r.SKUID, Direct: r.Direct, Group: r.Group}
	there := Remedy{SKUID: r.Other, Direct: r.OtherDirect, Group: r.OtherGroup}
	with := func(m Remedy, kind RemedyKind, plans ...uuid.UUID) {
		if m.Kind, m.Plans = kind, plans; kind != RemedyDisablePlan || len(plans) > 0 {
			r.Remedies = append(r.Remedies, m)
		}
	}
	switch r.Error {
	case CountViolation:
		r.Remedies = append(r.Remedies, Remedy{
			Kind:  RemedyFreeSeats,
			SKUID: r.SKUID,
			Seats: max(1, 1+r.Seats.Consumed-r.Seats.Units.Enabled-r.Seats.Units.Warning),
		})
	case MutuallyExclusiveViolation:
		with(here, RemedyDisablePlan, r.here...)
		r.mendOther(there)
	case DependencyViolation:
		if r.Needed {
			r.mendOther(there)
			return
		}
		with(Remedy{}, RemedyAddPlan, r.Requires...)
		with(here, RemedyDisablePlan, r.here...)
	case ProhibitedInUsageLocationViolation:
		with(Remedy{}, RemedyChangeLocation)
		with(here, RemedyDisablePlan, r.here...)
	case UniquenessViolation:
		with(Remedy{}, RemedyChangeAddress)
		with(here, RemedyDisablePlan, r.here...)
	case OtherViolation:
		with(there, RemedyClearOther)
	}
}

// mendOther adds the actions that would remove the conflict with the other license.
func (r *Reason) mendOther(there Remedy) {
	if there.Kind = RemedyClearOther; !r.stuck {
		there.Kind = RemedyRemoveLicense
		less := there
		less.Kind, less.Plans = RemedyDisablePlan, r.there
		r.Remedies = append(r.Remedies, less)
	}
	r.Remedies = append(r.Remedies, there)
}

// lastHolder returns the user who took the last seat of a SKU; math.MaxUint32 if no user holds it.
func (x *Explainer) lastHolder(s SKU) uint32 {
	last, known := x.last[s]
	if known {
		return last
	}
	last = math.MaxUint32
	if holders, latest := x.image.sku(s).holders.bitmap, uint32(0); holders != nil {
		for it := holders.Iterator(); it.HasNext(); {
			user := it.Next()
			if came := heldSince(x.image.Entries(user), s); came >= latest {
				latest, last = came, user
			}
		}
	}
	x.last[s] = last
	return last
}

// heldSince returns when the oldest entry in force of the SKU was put in force: further sources
// take no further seat (L3).
func heldSince(entries []Entry, s SKU) uint32 {
	since := uint32(math.MaxUint32)
	for i := range entries {
		if e := &entries[i]; e.SKU == s && e.InForce != None {
			since = min(since, e.Assigned)
		}
	}
	return since
}
