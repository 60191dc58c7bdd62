package licensing

import (
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/licensing/vector"
)

// Draft is a change to an Image in progress. Only its methods change a state (L62). A method that
// returns an error has changed nothing. A Draft is not safe for concurrent use.
type Draft struct {
	base *Image
	next *Image // shares unchanged data with base
	seq  uint64 // of the commit
	at   uint32 // its time, seconds since 1970

	owner  *vector.Owner // of the parts that next does not share with base
	sets   []*roaring.Bitmap
	skus   []SKU                      // copied or made
	groups []uint32                   // copied or made
	moved  map[uint32]*roaring.Bitmap // by group: users who joined or left
	dirty  []int                      // blocks copied or made

	bench   workbench
	eval    evaluation
	touched *roaring.Bitmap // users whom autoReprocess reprocesses (L61), kept by the setters in set.go
	freed   map[SKU]bool    // a seat of them became free in this draft
	exact   bool            // nothing is evaluated (Exact)
	effects Effects
	were    beforeRecorder
	failed  errorRecorder
	replays bool // commits, and each of them sets the entries of a user once
}

// Draft begins a change for the commit with this number and time.
func (img *Image) Draft(seq uint64, at time.Time) *Draft {
	next := *img
	d := &Draft{
		base:    img,
		next:    &next,
		seq:     seq,
		at:      uint32(at.Unix()),
		owner:   new(vector.Owner),
		touched: roaring.New(),
	}
	d.bench.number = -1
	d.eval.skus, d.eval.groups, d.eval.count = &next.skus, &next.groups, d.count
	d.refresh()
	return d
}

// refresh updates the evaluation with the draft's changes outside the users.
func (d *Draft) refresh() {
	d.eval.rules = d.next.rules
	d.eval.asked, d.eval.answer = NoCountry, nil
	d.eval.country, d.eval.independent = d.next.country, d.next.settings.GroupBundles == BundlesIndependent
}

// Crowded returns a user with more than most entries, and more than before the draft, and their
// number.
func (d *Draft) Crowded(most int) (user uint32, entries int, ok bool) {
	for user := range roaring.Values(d.touched) {
		n := len(d.entriesOf(user))
		if n > most && (int(user) >= d.base.Users() || n > len(d.base.Entries(user))) {
			return user, n, true
		}
	}
	return 0, 0, false
}

// Finish returns the new image and its effects. With autoReprocess, it reprocesses users first. The
// draft must not be used afterwards.
func (d *Draft) Finish() (*Image, *Effects) {
	d.Follow()
	return d.finish()
}

func (d *Draft) finish() (*Image, *Effects) {
	d.settle()
	d.collect()
	if d.effects.Empty() {
		return d.base, &d.effects
	}
	return d.next, &d.effects
}

// settle brings next into the form of an image.
func (d *Draft) settle() {
	d.shut()
	for _, s := range d.skus {
		k := d.next.sku(s)
		k.consumed = k.held
	}
	d.settleBlocks()
	for _, set := range d.sets {
		settle(set)
	}
}

// settleBlocks shares again the blocks that did not change.
func (d *Draft) settleBlocks() {
	slices.Sort(d.dirty)
	d.dirty = slices.Compact(d.dirty)
	d.dirty = slices.DeleteFunc(d.dirty, func(n int) bool {
		if n >= d.base.blocks.Len() || !d.next.blocks.At(n).equal(d.base.blocks.At(n)) {
			return false
		}
		d.next.blocks.Set(d.owner, n, d.base.blocks.At(n))
		return true
	})
}

// row opens a user for changes.
func (d *Draft) row(user uint32) *row {
	number := int(user / blockSize)
	if d.bench.number != number {
		d.shut()
		d.bench.open(number, d.block(number))
	}
	d.bench.dirty = true
	return &d.bench.rows[user%blockSize]
}

func (d *Draft) block(number int) *block {
	if number < d.next.blocks.Len() {
		return d.next.blocks.At(number)
	}
	return nil
}

// shut stores the open block where readers of next find it.
func (d *Draft) shut() {
	if d.bench.number < 0 || !d.bench.dirty {
		d.bench.number = -1
		return
	}
	if b := d.bench.close(); d.bench.number == d.next.blocks.Len() {
		d.next.blocks.Append(d.owner, b)
	} else {
		d.next.blocks.Set(d.owner, d.bench.number, b)
	}
	d.dirty = append(d.dirty, d.bench.number)
	d.bench.number = -1
}

func (d *Draft) isOpen(user uint32) bool { return d.bench.number == int(user/blockSize) }

func (d *Draft) factOf(user uint32) fact {
	if d.isOpen(user) {
		return d.bench.rows[user%blockSize].fact
	}
	return d.next.fact(user)
}

func (d *Draft) entriesOf(user uint32) []Entry {
	if d.isOpen(user) {
		return d.bench.rows[user%blockSize].entries
	}
	return d.next.Entries(user)
}

// keep stores the evaluation's entries as the user's, if they changed.
func (d *Draft) keep(user uint32) {
	if !d.eval.changed {
		return
	}
	list := slices.DeleteFunc(d.eval.entries, func(e Entry) bool { return e.Wished == None && e.InForce == None })
	d.put(user, list)
}

// date sets the times of entries by comparison with the state before the draft, so that a change
// that is reverted within it leaves no trace (L11).
func (d *Draft) date(base, entries []Entry) {
	k := 0
	for i := range entries {
		e := &entries[i]
		for k < len(base) && compareEntries(&base[k], e) < 0 {
			k++
		}
		var was *Entry
		if k < len(base) && compareEntries(&base[k], e) == 0 {
			was = &base[k]
		}
		e.Updated = d.at
		if was != nil && was.Error == e.Error && was.shown() == e.shown() &&
			(was.InForce == None) == (e.InForce == None) {
			e.Updated = was.Updated
		}
		switch {
		case e.waits():
			since := d.seq
			if was != nil && was.waits() {
				since = was.WaitingSince()
			}
			e.setWaiting(since)
		case e.InForce == None:
			e.Assigned = 0
		case was != nil && was.InForce == e.InForce:
			e.Assigned = was.Assigned
		default:
			e.Assigned = d.at
		}
	}
}

// stillLost returns what the user lost in the last 30 days and has not got back (L12).
func stillLost(was []lost, base, entries []Entry, at uint32) []lost {
	inForce := func(list []Entry, v Variant) bool {
		return slices.ContainsFunc(list, func(e Entry) bool { return e.InForce == v })
	}
	var list []lost
	for _, l := range was {
		if l.at+lostFor > at && !inForce(entries, l.variant) {
			list = append(list, l)
		}
	}
	for i := range base {
		v := base[i].InForce
		if v != None && !inForce(entries, v) &&
			!slices.ContainsFunc(list, func(l lost) bool { return l.variant == v }) {
			list = append(list, lost{v, at})
		}
	}
	return list
}

// record updates the sets of users that follow from entries.
func (d *Draft) record(user uint32, old, now []Entry) {
	if was, is := errorsOf(old) != 0, errorsOf(now) != 0; was != is {
		put(d.ownSet(&d.next.inError), user, is)
	}
	for i := range old {
		e := &old[i]
		if e.InForce != None && !holding(now, e.SKU) {
			d.hold(e.SKU, user, false)
		}
		if e.Error == CountViolation && !waitingFor(now, e.SKU) {
			d.ownSet(&d.ownSKU(e.SKU).waiting).Remove(user)
		}
		if g, ok := e.Source.Group(); ok && e.Error != NoViolation && !inErrorFrom(now, e.Source) {
			d.ownSet(&d.ownGroup(g).errors).Remove(user)
		}
	}
	for i := range now {
		e := &now[i]
		if e.InForce != None && !holding(old, e.SKU) {
			d.hold(e.SKU, user, true)
		}
		if e.Error == CountViolation && !waitingFor(old, e.SKU) {
			d.ownSet(&d.ownSKU(e.SKU).waiting).Add(user)
		}
		if g, ok := e.Source.Group(); ok && e.Error != NoViolation && !inErrorFrom(old, e.Source) {
			d.ownSet(&d.ownGroup(g).errors).Add(user)
		}
	}
}

// hold records whether a user holds a SKU.
func (d *Draft) hold(s SKU, user uint32, is bool) {
	k := d.ownSKU(s)
	if holders := d.ownSet(&k.holders); is && holders.CheckedAdd(user) {
		k.held++
	} else if !is && holders.CheckedRemove(user) {
		k.held--
	}
}

func put(set *roaring.Bitmap, user uint32, in bool) {
	if in {
		set.Add(user)
	} else {
		set.Remove(user)
	}
}

func holding(entries []Entry, s SKU) bool {
	for i := range entries {
		if entries[i].SKU == s && entries[i].InForce != None {
			return true
		}
	}
	return false
}

func waitingFor(entries []Entry, s SKU) bool {
	for i := range entries {
		if entries[i].SKU == s && entries[i].Error == CountViolation {
			return true
		}
	}
	return false
}

func inErrorFrom(entries []Entry, source Source) bool {
	for i := range entries {
		if entries[i].Source == source && entries[i].Error != NoViolation {
			return true
		}
	}
	return false
}

// ownSKU returns a SKU for changing.
func (d *Draft) ownSKU(s SKU) *sku {
	k := d.next.sku(s)
	if k.owner != d.owner {
		mine := *k
		mine.owner = d.owner
		k = &mine
		d.next.skus.Set(d.owner, int(s), k)
		d.skus = append(d.skus, s)
	}
	return k
}

// ownGroup returns a group for changing.
func (d *Draft) ownGroup(g uint32) *group {
	k := d.next.group(g)
	if k.owner != d.owner {
		mine := *k
		mine.owner = d.owner
		k = &mine
		d.next.groups.Set(d.owner, int(g), k)
		d.groups = append(d.groups, g)
	}
	return k
}

// count records that the user being evaluated took a seat of a SKU (1) or gave one up (-1).
func (d *Draft) count(s SKU, seats int) {
	d.ownSKU(s).consumed += seats
	if seats < 0 {
		d.free(s)
	}
}

// free records that a seat of a SKU became free.
func (d *Draft) free(s SKU) {
	if d.freed == nil {
		d.freed = map[SKU]bool{}
	}
	d.freed[s] = true
}
