package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/licensing"
	"licensor/internal/memory"
	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/turns"
)

// ErrForgotten means that the log does not have the requested changes: it no longer reaches back
// that far, or it ends before them, for example after a restore from a backup. The caller must read
// everything again.
var ErrForgotten = errors.New("the log does not reach back that far")

// errEnough ends the reading of the log.
var errEnough = errors.New("enough of the log was read")

// errSome ends the reading of a part, after which other requests may be first.
var errSome = errors.New("some of the log was read")

// commitsAtOnce is the number of commits that are read without a pause.
const commitsAtOnce = 256

// stretch is a part of the log: the commits after one, up to another.
type stretch struct{ after, upTo uint64 }

// farthest is how many commits are read for changes: with more, reading everything again takes less
// time.
const farthest = 1_000_000

// keptStretches is the number of parts of the log whose changes are cached: a reader of a long one
// returns for each page.
const keptStretches = 8

// Changes returns the changes after one commit and up to another. It takes memory for the changed
// objects, not for the number of changes. The result does not depend on the time of the call,
// except that objects that were purged since may be missing.
func (t *Tenant) Changes(ctx context.Context, after, upTo uint64) (*Changes, error) {
	s := stretch{after, upTo}
	if after == upTo {
		return newChanges(), nil
	}
	if c, ok := t.changes.Get(s); ok {
		return c, nil
	}
	img := t.Image()
	if after > upTo || upTo > img.Seq || upTo-after > farthest {
		return nil, ErrForgotten
	}
	c, err := t.readChanges(ctx, s, img)
	if errors.Is(err, store.ErrTrimmed) {
		return nil, ErrForgotten
	}
	if err != nil {
		return nil, err
	}
	t.changes.Add(s, c)
	return c, nil
}

func (t *Tenant) readChanges(ctx context.Context, s stretch, img *tenant.Image) (*Changes, error) {
	c, last, read := newChanges(), s.after, 0
	var has, wants int64 // of memory
	take := func(commit store.Commit) error {
		if wants = decodedSize * int64(len(commit.Effects)); wants > has {
			return errSome
		}
		if last++; commit.Seq != last {
			return ErrForgotten
		}
		steps, err := tenant.DecodeCommit(commit)
		if err != nil {
			return fmt.Errorf("read the log of tenant %s: %w", t.id, err)
		}
		for _, step := range steps {
			if err := c.take(step.Effects, img); err != nil {
				return fmt.Errorf("read commit %d: %w", commit.Seq, err)
			}
		}
		if commit.Seq == s.upTo {
			return errEnough
		}
		if read++; read%commitsAtOnce == 0 {
			return errSome
		}
		return nil
	}
	reader := t.readers.begin(t.id, last)
	defer reader.end()
	work := turns.Of(ctx)
	work.Doing("reading what has changed")
	err := errSome
	for errors.Is(err, errSome) {
		reader.reached(last)
		has = max(has, wants, memory.Small)
		if err = work.Yield(); err == nil {
			err = memory.Of(ctx).Least(ctx, has) // not in take, which holds a reader of the database
		}
		if err == nil {
			err = t.store.Commits(ctx, t.id, last, take)
		}
	}
	if err == nil { // what an image has was committed
		missing := fmt.Errorf("tenant %s: commit %d is missing: %w: %s", t.id, last+1, store.ErrDamaged, repair)
		err = t.options.reportDamage(missing)
	}
	if !errors.Is(err, errEnough) {
		return nil, err
	}
	c.follow(img)
	return c, nil
}

// take adds the effects of a commit.
func (c *Changes) take(f *tenant.Effects, img *tenant.Image) error {
	for _, u := range f.NewUsers {
		if user, ok := img.Directory.UserByID(u.ID); ok { // otherwise it was created and purged
			c.Users.created.Add(user)
		}
	}
	known := true
	for _, m := range f.Users {
		known = c.Users.mark(tenant.Mark(m)) && known
	}
	for _, m := range f.Groups {
		known = c.Groups.mark(tenant.Mark(m)) && known
	}
	known = c.takeUnits(f) && known
	if known = c.takeApplications(f, img) && known; !known {
		return ErrForgotten
	}
	for _, l := range f.Nested {
		c.membersOf(l.Group).Groups.Add(l.Member)
	}
	for _, l := range f.Owners {
		c.Owners.add(l.Group, l.Member)
	}
	for _, m := range f.Managers {
		c.takeManager(m)
	}
	c.takeShifted(f, img.Licensing)
	if f.Licensing == nil {
		return nil
	}
	return errors.Join(c.takeGroups(f.Licensing.Groups), c.takeEntries(f.Licensing.Changes))
}

// takeApplications adds the applications and service principals that changed, and changes of links
// to and from them. It returns false if the log does not contain enough information. A service
// principal changes with its application, of which it shows many properties.
func (c *Changes) takeApplications(f *tenant.Effects, img *tenant.Image) bool {
	known := true
	for _, now := range f.Applications {
		known = c.Applications.mark(now.Mark()) && known
		if a := img.Applications.At(now.Ordinal); a != nil {
			for principal := range img.Principals.EveryByAppID(a.AppID) {
				c.Principals.ofApplication(principal, now.Properties)
			}
		}
	}
	for _, now := range f.Principals {
		known = c.Principals.mark(now.Mark()) && known
	}
	known = c.Applications.takeValues(f.ApplicationValues, directory.ApplicationSchema()) && known
	known = c.Principals.takeValues(f.PrincipalValues, directory.PrincipalSchema()) && known
	for _, l := range f.Links {
		c.takeLink(l.Link, img)
	}
	return known
}

// ofApplication adds a service principal whose application was written; which properties were
// written may be unknown.
func (o *ObjectChanges) ofApplication(principal uint32, properties []string) {
	if len(properties) == 0 {
		o.written.Add(principal)
	}
	for _, name := range properties {
		o.property(OfApplication + name).Add(principal)
	}
}

// OfApplication is the prefix of properties that a service principal shows of its application.
const OfApplication = "application/"

// takeValues adds the objects whose values in columns have changed, possibly without their
// document. It returns false if the values cannot be read.
func (o *ObjectChanges) takeValues(list []tenant.Values, schema *column.Schema) bool {
	for _, v := range list {
		changes, err := schema.ReadChanges(v.Data)
		if err != nil {
			return false
		}
		for _, change := range changes {
			name, _, _ := strings.Cut(schema.Columns[change.Column].Name, "/")
			o.property(name).Add(v.Ordinal)
		}
	}
	return true
}

// takeLink adds a link that was added or removed: of a group to a service principal, or of an
// application or service principal to an owner.
func (c *Changes) takeLink(l directory.Link, img *tenant.Image) {
	if group, ok := img.Directory.GroupByID(l.From); ok {
		if principal, ok := img.Principals.EverByID(l.To); ok {
			c.linked(l.Relation, group, principal)
		} else if principal, ok := c.Principals.PurgedByID(l.To); ok {
			c.linked(l.Relation, group, principal)
		}
	}
	if l.Relation == directory.RelationOwnedBy {
		c.owner(l, img)
	}
}

// owner adds an object that became, or is no longer, an owner of an application or service
// principal.
func (c *Changes) owner(l directory.Link, img *tenant.Image) {
	if a, ok := img.Applications.EverByID(l.From); ok {
		c.Applications.owner(a, l.To)
	} else if p, ok := img.Principals.EverByID(l.From); ok {
		c.Principals.owner(p, l.To)
	}
}

// takeUnits adds the administrative units that changed, and members that were added or removed. It
// returns false if the log does not contain enough information.
func (c *Changes) takeUnits(f *tenant.Effects) bool {
	known := true
	for _, now := range f.Units {
		known = c.Units.mark(now.Mark()) && known
	}
	for _, m := range f.UnitMembers {
		members := c.unitMembersOf(m.Unit)
		if m.IsGroup {
			members.Groups.Add(m.Member)
		} else {
			members.Users.Add(m.Member)
		}
	}
	return known
}

// linked adds a service principal that became, or is no longer, a member or an owner of a group.
func (c *Changes) linked(relation directory.Relation, group, principal uint32) {
	switch relation {
	case directory.RelationHasMember:
		c.membersOf(group).Principals.Add(principal)
	case directory.RelationOwnedBy:
		c.OwnersPrincipals.add(group, principal)
	}
}

func (c *Changes) takeManager(m tenant.ManagerNow) {
	if !m.Removed {
		c.Managers.add(m.User, m.Manager)
	}
	if m.Before > 0 {
		c.Managers.add(m.User, m.Before-1)
	}
}

// takeShifted adds users whose licenses show differently although they have not changed, because
// their SKU's units or the catalog have.
func (c *Changes) takeShifted(f *tenant.Effects, lic *licensing.Image) {
	shifted := f.Shifted
	if f.Licensing != nil && f.Licensing.Catalog != nil {
		for _, sku := range lic.SKUs() {
			shifted = append(shifted, sku.SKUID)
		}
		for group := range uint32(lic.Groups()) {
			if len(lic.GroupLicenses(group)) > 0 {
				c.Groups.property("assignedLicenses").Add(group)
			}
		}
	}
	for _, id := range shifted {
		if holders := lic.Holders(id); holders != nil {
			c.Users.property(licenses).Or(holders)
		}
	}
}

func (c *Changes) takeGroups(groups []licensing.GroupEffect) error {
	for _, g := range groups {
		if g.New != nil {
			c.Groups.created.Add(g.Group)
		}
		if g.Licenses != nil {
			c.Groups.property("assignedLicenses").Add(g.Group)
		}
		for _, data := range [][]byte{g.Joined, g.Left} {
			if len(data) == 0 {
				continue
			}
			if err := tenant.Unite(c.membersOf(g.Group).Users, data); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeEntries adds the users whose licenses have changed, and the groups of these licenses, whose
// members may have other errors.
func (c *Changes) takeEntries(changes []licensing.Change) error {
	for _, change := range changes {
		if group, ok := change.Source.Group(); ok {
			c.Groups.property("hasMembersWithLicenseErrors").Add(group)
		}
		if err := tenant.Unite(c.Users.property(licenses), change.Users); err != nil {
			return err
		}
	}
	return nil
}

// licenses stands for all of licenseProperties until they are distinguished by name.
const licenses = "licenses"

// licenseProperties are the properties of a user that result from licenses.
var licenseProperties = []string{"assignedLicenses", "assignedPlans", "licenseAssignmentStates", "provisionedPlans"}

// follow adds consequences: users who are deleted or restored leave or join the lists of all groups
// they are in or own, and stop or start being managers.
func (c *Changes) follow(img *tenant.Image) {
	for _, name := range licenseProperties {
		c.Users.properties[name] = c.Users.property(licenses)
	}
	moved := roaring.Or(c.Users.created, c.Users.deleted)
	for user := range roaring.Values(moved) {
		for _, group := range img.Directory.MemberOf(user) {
			c.membersOf(group).Users.Add(user)
		}
		for _, report := range img.Directory.Reports(user) {
			c.Managers.add(report, user)
		}
	}
	c.followOwners(moved, img)
	c.followUnits(moved, roaring.Or(c.Groups.created, c.Groups.deleted), img)
	for user := range roaring.Values(moved) {
		if !img.Directory.UserPurged(user) {
			c.followOwner(img.Directory.UserID(user), img)
		}
	}
	for principal := range roaring.Values(roaring.Or(c.Principals.created, c.Principals.deleted)) {
		if p := img.Principals.At(principal); p != nil {
			c.followOwner(p.ID, img)
			for _, relation := range []directory.Relation{directory.RelationHasMember, directory.RelationOwnedBy} {
				for id := range img.Links.To(relation, p.ID) {
					if group, ok := img.Directory.GroupByID(id); ok {
						c.linked(relation, group, principal)
					}
				}
			}
		}
	}
	for member := range roaring.Values(roaring.Or(c.Groups.created, c.Groups.deleted)) {
		for _, group := range img.Directory.GroupMemberOf(member) {
			c.membersOf(group).Groups.Add(member)
		}
	}
}

// followOwner adds an owner that was created, restored or deleted to the owners of its applications
// and service principals.
func (c *Changes) followOwner(owner uuid.UUID, img *tenant.Image) {
	for l := range img.Links.LinksTo(directory.RelationOwnedBy, owner) {
		c.owner(l, img)
	}
}

func (c *Changes) followOwners(moved *roaring.Bitmap, img *tenant.Image) {
	if moved.IsEmpty() {
		return
	}
	for group := range img.Directory.Groups() {
		for _, owner := range img.Directory.EverOwners(group) {
			if moved.Contains(owner) {
				c.Owners.add(group, owner)
			}
		}
	}
}

// followUnits adds the users and groups that were created, restored or deleted to the members of
// the administrative units they are in.
func (c *Changes) followUnits(users, groups *roaring.Bitmap, img *tenant.Image) {
	for unit := range img.UnitMembers.Units() {
		if of := img.UnitMembers.Users(unit); of != nil && of.Intersects(users) {
			c.unitMembersOf(unit).Users.Or(roaring.And(of, users))
		}
		if of := img.UnitMembers.Groups(unit); of != nil && of.Intersects(groups) {
			c.unitMembersOf(unit).Groups.Or(roaring.And(of, groups))
		}
	}
}
