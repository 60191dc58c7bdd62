package own

import (
	"fmt"
	"math"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/graph/odata"
	"licensor/internal/licensing"
	"licensor/internal/store"
)

// candidates returns the users, groups or SKUs that may have rows of a kind.
func (d *drift) candidates(kind DriftKind) (*roaring.Bitmap, error) {
	img := d.r.Image.Licensing
	switch kind {
	case DriftCovered:
		direct, byGroup := d.having(true), d.having(false)
		direct.And(byGroup)
		return direct, nil
	case DriftDuplicate:
		var sets []*roaring.Bitmap
		for _, k := range d.skus {
			sets = append(sets, k.copies)
		}
		return roaring.FastOr(sets...), nil
	case DriftDisabledAccount:
		return d.holdersWhere(kind, "accountEnabled eq false")
	case DriftNoLocation:
		return d.holdersWhere(kind, "usageLocation eq null")
	case DriftStuck:
		return inError(img), nil
	case DriftInactive:
		return d.unseen()
	case DriftEmptyGroup:
		return d.emptyGroups()
	}
	found := roaring.New()
	for _, k := range d.skus {
		if k.Subscribed && k.Free() > 0 {
			found.Add(uint32(k.Number))
		}
	}
	return found, nil
}

// having returns the users who hold a license directly, or from a group.
func (d *drift) having(direct bool) *roaring.Bitmap {
	img := d.r.Image.Licensing
	users := img.HavingState(func(s licensing.State) bool {
		return s.Direct == direct && s.State != licensing.StateError
	})
	users.AndNot(img.DeletedUsers())
	return users
}

// holdersWhere returns the users who hold a license and satisfy a filter. The kind is unknown to
// callers who may not read users.
func (d *drift) holdersWhere(kind DriftKind, text string) (*roaring.Bitmap, error) {
	if maySeeUsers(d.r) != nil {
		d.status[kind] = driftStatus{true, "The caller may not read users, which User.Read.All permits."}
		return roaring.New(), nil
	}
	filter, err := odata.ParseFilter(text)
	if err != nil {
		return nil, err
	}
	rows, err := find(d.r, filter)
	if err != nil {
		return nil, err
	}
	return roaring.And(rows.Bitmap(), holders(d.r.Image.Licensing)), nil
}

// emptyGroups returns the groups that have licenses and no members. Deleted users remain members,
// because they are restored as such.
func (d *drift) emptyGroups() (*roaring.Bitmap, error) {
	img, index := d.r.Image.Licensing, d.r.Image.Directory
	found := roaring.New()
	for group := range index.Groups() {
		if group%pausing == pausing-1 {
			if err := d.r.Work.Yield(); err != nil {
				return nil, err
			}
		}
		if img.GroupLicensed(group) && !index.GroupPurged(group) && !index.GroupDeleted(group) &&
			img.GroupMembers(group).IsEmpty() {
			found.Add(group)
		}
	}
	return found, nil
}

// unseen returns the users who hold a license and have not signed in on a page since the day of the
// limit. Users who were never seen are not among them: they may sign in elsewhere (L87).
func (d *drift) unseen() (*roaring.Bitmap, error) {
	if !d.r.Caller.Permissions.Has("AuditLog.Read.All") {
		d.status[DriftInactive] = driftStatus{
			true, "The caller may not read sign-ins, which AuditLog.Read.All permits.",
		}
		return roaring.New(), nil
	}
	ever, err := d.r.SignIns.Active(d.r.Context(), d.r.Tenant.ID(), time.Time{}, time.Time{})
	if err != nil {
		return nil, err
	}
	if ever.IsEmpty() {
		d.status[DriftInactive] = driftStatus{
			true, "No sign-ins are known: users have not signed in here, and none were imported.",
		}
		return ever, nil
	}
	all := holders(d.r.Image.Licensing)
	if never := all.GetCardinality() - all.AndCardinality(ever); never > 0 {
		d.status[DriftInactive].text = fmt.Sprintf("%d users with a license were never seen to sign in. They are not "+
			"in the list, because they may sign in elsewhere.", never)
	}
	recently, err := d.r.SignIns.Active(d.r.Context(), d.r.Tenant.ID(), d.limit, time.UnixMilli(math.MaxInt64/2))
	if err != nil {
		return nil, err
	}
	ever.AndNot(recently)
	ever.And(all)
	d.idle = ever
	return ever, nil
}

// seenAtOnce is how many users' sign-ins are read at once.
const seenAtOnce = 1000

// inactiveSince returns when a user was last seen, if that is before the limit, also without a
// page.
func (d *drift) inactiveSince(user uint32) (at time.Time, ok bool, err error) {
	if _, known := d.seen[user]; !known {
		if err := d.readSeen(user); err != nil {
			return at, false, err
		}
	}
	at = d.seen[user]
	return at, !at.IsZero() && at.Before(d.limit), nil
}

// readSeen reads when a user and those after it were last seen.
func (d *drift) readSeen(user uint32) error {
	var some []uint32
	it := d.idle.Iterator()
	for it.AdvanceIfNeeded(user); it.HasNext() && len(some) < seenAtOnce; {
		some = append(some, it.Next())
	}
	seen, err := d.r.SignIns.Activities(d.r.Context(), d.r.Tenant.ID(), some)
	if err != nil {
		return err
	}
	d.seen = make(map[uint32]time.Time, len(some))
	for _, one := range some {
		d.seen[one] = last(seen[one])
	}
	return nil
}

// last returns when a user was last seen in any way.
func last(a store.Activity) time.Time {
	return a.Interactive.Later(a.NonInteractive).Later(a.Successful).At
}
