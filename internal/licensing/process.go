package licensing

import "github.com/RoaringBitmap/roaring/v2"

// scope selects the bundles of a user to process.
type scope struct {
	direct bool
	source Source // one group's; Direct: every group's
}

var (
	everyGroup  = scope{}
	everyBundle = scope{direct: true}
)

func (s scope) has(source Source) bool {
	if source == Direct {
		return s.direct
	}
	return s.source == Direct || s.source == source
}

// process evaluates the bundles in scope of the loaded user until a round changes nothing that is
// in force (L51). Bundles whose wish is in force cannot change it again, so only the pending ones
// take part in the rounds; the settled ones are examined last, against what is then in force.
func (e *evaluation) process(in scope) {
	e.pending = e.pending[:0]
	for lo := 0; lo < len(e.entries); {
		b := e.next(lo)
		if in.has(e.entries[lo].Source) && !e.settled(b) {
			e.pending = append(e.pending, b)
		}
		lo = b.hi
	}
	for len(e.pending) > 0 && e.round() {
	}
	for lo := 0; lo < len(e.entries); {
		b := e.next(lo)
		if s := e.entries[lo].Source; s != Direct && in.has(s) && e.settled(b) {
			e.examine(b)
		}
		lo = b.hi
	}
}

// Report counts the results of a reprocessing (L75). Users are counted once in each field, in
// StillInError once for each error.
type Report struct {
	Processed    int
	Fixed        int // in error before, but not after
	NewlyInError int
	StillInError [violationCount]int // by Error, users in error before and after
	InError      *roaring.Bitmap     // users in error after, for whom Image.Explain has the reasons
}

// Reprocess evaluates all group-based assignments of the users again (L70), one after another in
// the order of L52, and those in error again until a pass changes nothing in force: the changes of
// one user can change the errors of another. So a second reprocessing never changes anything (L72).
// Deleted users are skipped.
func (d *Draft) Reprocess(users *roaring.Bitmap) Report {
	for left := users; d.pass(left); {
		d.shut()
		left = roaring.And(users, d.next.InError())
	}
	return d.report(users)
}

// pass processes each user once and reports whether anything in force changed.
func (d *Draft) pass(users *roaring.Bitmap) (changed bool) {
	d.eval.given = 0
	for user := range d.inTurn(users) {
		d.process(user, everyGroup)
	}
	return d.eval.given > 0
}

// process evaluates bundles of one user and stores the result.
func (d *Draft) process(user uint32, in scope) {
	f := d.factOf(user)
	if f.flags&(deleted|purged) != 0 {
		return
	}
	d.eval.load(f, d.entriesOf(user))
	d.eval.process(in)
	d.keep(user)
}

// report compares the users with their state before the draft.
func (d *Draft) report(users *roaring.Bitmap) Report {
	d.shut()
	rep := Report{InError: roaring.And(d.next.InError(), users)}
	before := roaring.And(d.base.InError(), users)
	rep.Processed = int(users.GetCardinality() - users.AndCardinality(d.next.deleted.bitmap) -
		users.AndCardinality(d.next.purged.bitmap))
	rep.Fixed = int(before.GetCardinality() - before.AndCardinality(rep.InError))
	rep.NewlyInError = int(rep.InError.GetCardinality() - before.AndCardinality(rep.InError))
	before.And(rep.InError)
	for it := before.Iterator(); it.HasNext(); {
		set := errorsOf(d.next.Entries(it.Next()))
		for e := NoViolation + 1; e < violationCount; e++ {
			if set&(1<<e) != 0 {
				rep.StillInError[e]++
			}
		}
	}
	return rep
}

// errorsOf returns the set of errors in a user's entries, a bit each.
func errorsOf(entries []Entry) (set uint8) {
	for i := range entries {
		set |= 1 << entries[i].Error
	}
	return set &^ (1 << NoViolation)
}
