package licensing

import (
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

// PlansTouched returns the users whose assignedPlans the draft may have changed.
func (d *Draft) PlansTouched() *roaring.Bitmap {
	users := d.touched.Clone()
	for s, k := range d.next.skus.All() {
		if s < d.base.skus.Len() && d.base.sku(SKU(s)).units.planCapability() != k.units.planCapability() {
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
