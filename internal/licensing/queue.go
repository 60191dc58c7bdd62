package licensing

import (
	"bytes"
	"cmp"
	"iter"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"
)

// inTurn returns the users of one command in the order in which they are processed (L52): first
// those who wait for a seat, the longest waiting first, then the others in order of creation. The
// order is determined at the time of the call.
func (d *Draft) inTurn(users *roaring.Bitmap) iter.Seq[uint32] {
	line, others := []uint32(nil), users
	if users.GetCardinality() > 1 {
		line = d.line(users, func(*Entry) bool { return true })
	}
	if len(line) > 0 {
		others = roaring.AndNot(users, roaring.BitmapOf(line...))
	}
	return func(yield func(uint32) bool) {
		for _, user := range line {
			if !yield(user) {
				return
			}
		}
		for it := others.Iterator(); it.HasNext(); {
			if !yield(it.Next()) {
				return
			}
		}
	}
}

// waiter is a user who waits for a seat, and the commit in which that began.
type waiter struct {
	since uint64
	user  uint32
}

// line returns the users with a waiting entry that counts, the longest waiting first, and those of
// the same commit in order of creation.
func (d *Draft) line(users *roaring.Bitmap, counts func(*Entry) bool) []uint32 {
	var waiters []waiter
	for it := roaring.And(users, d.next.InError()).Iterator(); it.HasNext(); {
		user := it.Next()
		if since := longest(d.entriesOf(user), counts); since != 0 {
			waiters = append(waiters, waiter{since, user})
		}
	}
	slices.SortStableFunc(waiters, func(a, b waiter) int { return cmp.Compare(a.since, b.since) })
	line := make([]uint32, len(waiters))
	for i, w := range waiters {
		line[i] = w.user
	}
	return line
}

// longest returns the commit in which the first of the entries that count began to wait for a seat;
// 0 if none waits.
func longest(entries []Entry, counts func(*Entry) bool) (since uint64) {
	for i := range entries {
		if e := &entries[i]; e.waits() && counts(e) && (since == 0 || e.WaitingSince() < since) {
			since = e.WaitingSince()
		}
	}
	return since
}

// autoReprocess does what L61 adds to every change: it processes the users that the change touched,
// and those who wait for a seat that it freed, oldest error first. Afterwards nothing more can be
// given; the touched users are only updated about seats that others got (L72).
func (d *Draft) autoReprocess() {
	d.Reprocess(d.touched.Clone())
	for again := true; again; {
		again = false
		for s, ok := d.nextFreed(uuid.Nil); ok; s, ok = d.nextFreed(d.next.sku(s).id) {
			if k := d.next.sku(s); k.free() > 0 && k.waiting.bitmap != nil {
				again = d.serve(s) || again
			}
		}
	}
	d.shut()
	d.Reprocess(roaring.And(d.touched, d.next.InError()))
}

// nextFreed returns the SKU with free seats whose id comes next: the order of processing, which is
// the same on every node (L53).
func (d *Draft) nextFreed(after uuid.UUID) (next SKU, ok bool) {
	least := after
	for s := range d.freed {
		id := d.next.sku(s).id
		if bytes.Compare(id[:], after[:]) > 0 && (!ok || bytes.Compare(id[:], least[:]) < 0) {
			next, least, ok = s, id, true
		}
	}
	return next, ok
}

// serve reprocesses the users who wait for a SKU while it has seats, and reports whether any got a
// license.
func (d *Draft) serve(s SKU) (changed bool) {
	for _, user := range d.line(d.next.sku(s).waiting.bitmap, func(e *Entry) bool { return e.SKU == s }) {
		if d.next.sku(s).free() <= 0 {
			break
		}
		d.eval.given = 0
		d.process(user, everyGroup)
		changed = changed || d.eval.given > 0
	}
	return changed
}
