package licensing

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
)

// The methods here are for what follows from a draft before it is finished: the memberships in
// dynamic groups (docs/spec/dynamic-membership.md D23).

// Members returns the members of a group, deleted ones included. They must not be changed.
func (d *Draft) Members(g uint32) *roaring.Bitmap { return d.next.group(g).members.bitmap }

// Follow reprocesses users as Finish does, if the settings say so (L61).
func (d *Draft) Follow() {
	if d.next.settings.AutoReprocess && !d.exact {
		d.autoReprocess()
	}
}

// Plans yields a user's assignedPlans at a time, as Image.Plans does.
func (d *Draft) Plans(user uint32, now time.Time) func(yield func(AssignedPlan) bool) {
	d.shut()
	return d.next.Plans(user, now)
}

// AppendPlansKey appends to b what assignedPlans follow from: it is the same for users who have the
// same ones at a time, as long as no SKU has other units and the catalog is the same.
func (d *Draft) AppendPlansKey(b []byte, user uint32, now time.Time) []byte {
	d.shut()
	for _, e := range d.next.Entries(user) {
		if e.InForce != None {
			b = binary.LittleEndian.AppendUint32(b, uint32(e.InForce))
		}
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(None))
	for _, l := range d.next.lost(user) {
		if int64(l.at)+lostFor > now.Unix() {
			b = binary.LittleEndian.AppendUint32(b, uint32(l.variant))
		}
	}
	return b
}

// PlansChanged returns the users whose assignedPlans in the draft at a time may differ from those
// in an image at another time. It returns false if these may be all users.
func (d *Draft) PlansChanged(from *Image, then, now time.Time) (*roaring.Bitmap, bool) {
	d.shut()
	if !d.next.rules.extends(from.rules) {
		return nil, false
	}
	users := d.holdersShifted(from)
	early, late := min(then.Unix(), now.Unix()), max(then.Unix(), now.Unix())
	ends := func(l lost) bool {
		end := int64(l.at) + lostFor
		return early < end && end <= late
	}
	for n, b := range d.next.blocks.All() {
		var was *block
		if n < from.blocks.Len() {
			was = from.blocks.At(n)
		}
		if b == was && (early == late || len(b.lost.items) == 0) {
			continue
		}
		for i := range b.facts {
			if !b.showsAs(was, i) || slices.ContainsFunc(b.lost.at(i), ends) {
				users.Add(uint32(n*blockSize + i))
			}
		}
	}
	return users, true
}

// extends reports whether SKUs and variants have the same numbers and plans as in another ruleset,
// which may have fewer of them.
func (r *ruleset) extends(from *ruleset) bool {
	if r == from {
		return true
	}
	if r.book != from.book || len(r.skus) < len(from.skus) || len(r.variants) < len(from.variants) {
		return false
	}
	for i, v := range from.variants {
		if r.variants[i].sku != v.sku || !slices.Equal(r.variants[i].disabled, v.disabled) {
			return false
		}
	}
	return slices.Equal(r.skus[:len(from.skus)], from.skus)
}

// showsAs reports whether the assignedPlans of a user follow from the same licenses as in another
// state of the block, which may be nil.
func (b *block) showsAs(was *block, i int) bool {
	same := func(a, b Entry) bool { return a.SKU == b.SKU && a.InForce == b.InForce }
	return b == was || was != nil && i < len(was.facts) &&
		slices.EqualFunc(b.entries.at(i), was.entries.at(i), same) && slices.Equal(b.lost.at(i), was.lost.at(i))
}

// holdersShifted returns the users who hold a SKU whose plans are shown in another state than in an
// image.
func (d *Draft) holdersShifted(from *Image) *roaring.Bitmap {
	users := roaring.New()
	for s, k := range d.next.skus.All() {
		if s < from.skus.Len() && from.sku(SKU(s)).units.planCapability() != k.units.planCapability() {
			if k.holders.bitmap != nil {
				users.Or(k.holders.bitmap)
			}
		}
	}
	return users
}

// ReprocessErrors processes those of some users again that have an error from one of some groups:
// they left another group in the same commit, after they joined these.
func (d *Draft) ReprocessErrors(users *roaring.Bitmap, groups []uint32) {
	d.shut()
	inError := roaring.New()
	for user := range roaring.Values(roaring.And(users, d.next.InError())) {
		entries := d.entriesOf(user)
		if slices.ContainsFunc(entries, func(e Entry) bool {
			g, ok := e.Source.Group()
			return ok && e.Error != NoViolation && slices.Contains(groups, g)
		}) {
			inError.Add(user)
		}
	}
	if !inError.IsEmpty() {
		d.Reprocess(inError)
	}
}
