package tenant

import (
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/licensing"
	"licensor/internal/store"
)

// AssignUser changes a user's direct licenses (docs/spec/licensing.md L20).
type AssignUser struct {
	User   uint32
	Add    []licensing.Assign
	Remove []uuid.UUID
}

func (AssignUser) name() string { return "assignUserLicense" }

func (cmd AssignUser) run(c *change) error {
	if err := c.live(cmd.User); err != nil {
		return err
	}
	return c.lic.AssignUser(cmd.User, cmd.Add, cmd.Remove)
}

// AssignGroup changes a group's licenses (L30).
type AssignGroup struct {
	Group  uint32
	Add    []licensing.Assign
	Remove []uuid.UUID
}

func (AssignGroup) name() string { return "assignGroupLicense" }

func (cmd AssignGroup) reads() ObjectKey { return ObjectKey{store.KindGroup, cmd.Group} }

func (cmd AssignGroup) run(c *change) error {
	if err := c.liveGroup(cmd.Group); err != nil {
		return err
	}
	g, _, err := c.group(cmd.Group)
	if err != nil {
		return err
	}
	if !g.Licensable() {
		return invalid(g.ID, "Licenses cannot be assigned to group %s, because it is not security enabled. Set "+
			"securityEnabled to true first.", g.ID)
	}
	if err := cmd.few(c, g.ID); err != nil {
		return err
	}
	return c.lic.AssignGroup(cmd.Group, cmd.Add, cmd.Remove)
}

// few refuses more licenses of a group than the maximum.
func (cmd AssignGroup) few(c *change, id uuid.UUID) error {
	skus := map[uuid.UUID]bool{}
	for _, l := range c.lic.GroupLicenses(cmd.Group) {
		skus[l.SKUID] = true
	}
	for _, a := range cmd.Add {
		skus[a.SKUID] = true
	}
	for _, sku := range cmd.Remove {
		delete(skus, sku)
	}
	if len(cmd.Add) == 0 {
		return nil
	}
	return few(id, "licenses", maxGroupLicenses, len(skus)-1)
}

// Reprocess evaluates group-based licenses again (L70, L75): of the given users, of the members of
// the given groups, of all users with errors, or of all users.
type Reprocess struct {
	Users   []uint32
	Groups  []uint32
	Found   *roaring.Bitmap // by a filter; those who were deleted since are skipped
	InError bool
	All     bool
}

// Short reports whether it processes few users.
func (cmd Reprocess) Short() bool {
	few := cmd.Found == nil || cmd.Found.GetCardinality() < 100
	return !cmd.All && !cmd.InError && len(cmd.Groups) == 0 && len(cmd.Users) < 100 && few
}

func (Reprocess) name() string { return "reprocessLicenseAssignment" }

func (cmd Reprocess) run(c *change) error {
	if err := cmd.check(c.dir); err != nil {
		return err
	}
	c.noted.groups = cmd.Groups
	report := c.lic.Reprocess(cmd.scope(c.base.Licensing))
	c.done.Report = report
	c.noted.reprocessed = &Reprocessed{report.Processed, report.Fixed, report.NewlyInError, report.StillInError[:]}
	return nil
}

// Foresee returns the result of reprocessing an image, and false if that changes anything, or
// cannot be done (docs/spec/licensing.md L72).
func (cmd Reprocess) Foresee(img *Image, at time.Time) (Done, bool) {
	if cmd.check(img.Directory) != nil {
		return Done{}, false
	}
	draft := img.Licensing.Draft(img.Seq+1, at)
	report := draft.Reprocess(cmd.scope(img.Licensing))
	if next, _ := draft.Finish(); next != img.Licensing {
		return Done{}, false
	}
	return Done{Image: img, Report: report}, true
}

// directoryView has the methods of Index and Draft that are needed here.
type directoryView interface {
	UserPurged(user uint32) bool
	UserDeleted(user uint32) bool
	UserID(user uint32) uuid.UUID
	GroupPurged(group uint32) bool
	GroupDeleted(group uint32) bool
	GroupID(group uint32) uuid.UUID
}

// check returns an error if one of the users or groups is deleted or purged.
func (cmd Reprocess) check(dir directoryView) error {
	for _, user := range cmd.Users {
		if dir.UserPurged(user) || dir.UserDeleted(user) {
			return noSuch(dir.UserID(user))
		}
	}
	for _, group := range cmd.Groups {
		if dir.GroupPurged(group) || dir.GroupDeleted(group) {
			return noSuch(dir.GroupID(group))
		}
	}
	return nil
}

func (cmd Reprocess) scope(img *licensing.Image) *roaring.Bitmap {
	if cmd.All {
		return img.Everybody()
	}
	users := roaring.BitmapOf(cmd.Users...)
	for _, group := range cmd.Groups {
		users.Or(img.GroupMembers(group))
	}
	if cmd.InError {
		users.Or(img.InError())
	}
	if cmd.Found != nil {
		users.Or(cmd.Found)
	}
	users.AndNot(img.DeletedUsers())
	return users
}

// The values of a subscription's status.
const (
	StatusEnabled   = "Enabled"
	StatusWarning   = "Warning"
	StatusSuspended = "Suspended"
	StatusLockedOut = "LockedOut"
)

// MaxLicenses is the maximum of totalLicenses; their sum must fit Graph's 32-bit numbers.
const MaxLicenses = 1 << 30

// CreateSubscription buys seats of a SKU.
type CreateSubscription struct {
	// Of a subscription that is imported; new ones if they are zero.
	ID, CommerceSubscriptionID uuid.UUID
	CreatedDateTime            time.Time

	SKUID                 uuid.UUID
	TotalLicenses         int
	Status                string // StatusEnabled if empty
	IsTrial               bool
	NextLifecycleDateTime *time.Time
}

func (CreateSubscription) name() string { return "createSubscription" }

func (cmd CreateSubscription) run(c *change) error {
	if cmd.Status == "" {
		cmd.Status = StatusEnabled
	}
	s := Subscription{
		ID: cmd.ID, CommerceSubscriptionID: cmd.CommerceSubscriptionID, SKUID: cmd.SKUID,
		TotalLicenses: cmd.TotalLicenses, Status: cmd.Status,
		IsTrial: cmd.IsTrial, CreatedDateTime: cmd.CreatedDateTime.UTC().Truncate(time.Second),
		NextLifecycleDateTime: cmd.NextLifecycleDateTime,
	}
	for _, id := range []*uuid.UUID{&s.ID, &s.CommerceSubscriptionID} {
		if *id == uuid.Nil {
			*id = c.freshID()
		} else if _, ok := c.next.Subscription(*id); ok {
			return taken("id", id.String())
		}
	}
	if s.CreatedDateTime.IsZero() {
		s.CreatedDateTime = c.at.Truncate(time.Second)
	}
	c.done.ID = s.ID
	return c.subscribe(s, false)
}

// UpdateSubscription changes the fields of a subscription that are set.
type UpdateSubscription struct {
	ID                    uuid.UUID
	TotalLicenses         *int
	Status                *string
	NextLifecycleDateTime *time.Time
}

func (UpdateSubscription) name() string { return "updateSubscription" }

func (cmd UpdateSubscription) run(c *change) error {
	s, ok := c.next.Subscription(cmd.ID)
	if !ok {
		return noSuch(cmd.ID)
	}
	was := s
	if cmd.TotalLicenses != nil {
		s.TotalLicenses = *cmd.TotalLicenses
	}
	if cmd.Status != nil {
		s.Status = *cmd.Status
	}
	if cmd.NextLifecycleDateTime != nil {
		s.NextLifecycleDateTime = cmd.NextLifecycleDateTime
	}
	if s == was {
		return nil
	}
	return c.subscribe(s, false)
}

// DeleteSubscription deletes a subscription. Holders keep their licenses (L4).
type DeleteSubscription struct{ ID uuid.UUID }

func (DeleteSubscription) name() string { return "deleteSubscription" }

func (cmd DeleteSubscription) run(c *change) error {
	s, ok := c.next.Subscription(cmd.ID)
	if !ok {
		return noSuch(cmd.ID)
	}
	return c.subscribe(s, true)
}

// subscribe adds, replaces or removes a subscription, and sets its SKU's units to the sum of its
// subscriptions (L1).
func (c *change) subscribe(s Subscription, removed bool) error {
	if s.TotalLicenses < 0 || s.TotalLicenses > MaxLicenses {
		return invalid(s.TotalLicenses,
			"totalLicenses is %d: it must be a number from 0 to %d.", s.TotalLicenses, MaxLicenses)
	}
	now := SubscriptionNow{s, removed}
	var units licensing.Units
	subscribed := false
	for _, k := range now.among(c.next.Subscriptions) {
		if k.SKUID != s.SKUID {
			continue
		}
		subscribed = true
		if err := addUnits(&units, k); err != nil {
			return err
		}
	}
	if sum := units.Enabled + units.Warning + units.Suspended + units.LockedOut; sum > MaxLicenses {
		return invalid(sum, "The subscriptions of license %s have %d seats together; at most %d are possible.",
			s.SKUID, sum, MaxLicenses)
	}
	if err := c.lic.SetUnits(s.SKUID, units, subscribed); err != nil {
		return err
	}
	c.noteSubscription(s, removed)
	c.record(now)
	return nil
}

// SubscriptionNow is the new state of a subscription.
type SubscriptionNow struct {
	Subscription Subscription `cbor:"1,keyasint"`
	Removed      bool         `cbor:"2,keyasint,omitempty"`
}

func (now SubscriptionNow) apply(d *draft) (bool, error) {
	d.next.Subscriptions = now.among(d.next.Subscriptions)
	return true, nil
}

// among returns the subscriptions with this one added or replaced, or removed.
func (now SubscriptionNow) among(list []Subscription) []Subscription {
	return replaced(list, now.Subscription, now.Removed, func(s Subscription) uuid.UUID { return s.ID })
}

func (now SubscriptionNow) note(f *Effects) { f.Subscriptions = append(f.Subscriptions, now) }

func addUnits(units *licensing.Units, s Subscription) error {
	switch s.Status {
	case StatusEnabled:
		units.Enabled += s.TotalLicenses
	case StatusWarning:
		units.Warning += s.TotalLicenses
	case StatusSuspended:
		units.Suspended += s.TotalLicenses
	case StatusLockedOut:
		units.LockedOut += s.TotalLicenses
	default:
		return invalid(s.Status, "status is '%s': it must be Enabled, Warning, Suspended or LockedOut.", s.Status)
	}
	return nil
}

// shifted returns the SKUs whose units have changed their state.
func shifted(was, now []licensing.SKUInfo) []uuid.UUID {
	var ids []uuid.UUID
	for _, sku := range now {
		same := func(w licensing.SKUInfo) bool { return w.SKUID == sku.SKUID && w.Capability == sku.Capability }
		if sku.Consumed > 0 && !slices.ContainsFunc(was, same) {
			ids = append(ids, sku.SKUID)
		}
	}
	return ids
}
