package own

import (
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/graph/odata"
	"licensor/internal/licensing"
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

// unseen returns the users who hold a license and have not signed in, in any way, since the day of
// the limit. Users who were never seen are not among them: they may sign in elsewhere (L87).
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
	recently, err := d.r.SignIns.Seen(d.r.Context(), d.r.Tenant.ID(), d.limit)
	if err != nil {
		return nil, err
	}
	ever.AndNot(recently)
	ever.And(all)
	return ever, nil
}

// addSeen completes the rows of inactive users.
func (d *drift) addSeen(rows []DriftRow) error {
	var users []uint32
	for i := range rows {
		if rows[i].Kind == DriftInactive {
			users = append(users, rows[i].User)
		}
	}
	if len(users) == 0 {
		return nil
	}
	seen, err := d.r.SignIns.Activities(d.r.Context(), d.r.Tenant.ID(), users)
	if err != nil {
		return err
	}
	for i := range rows {
		if rows[i].Kind == DriftInactive {
			activity := seen[rows[i].User]
			rows[i].Seen = activity.Last()
		}
	}
	return nil
}
