package tenant

import (
	"bytes"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/store"
)

// KeptFor is how long deleted objects can be restored (docs/spec/protocol.md P52).
const KeptFor = 30 * 24 * time.Hour

// CreateUser adds a user.
type CreateUser struct {
	Patch        directory.UserPatch
	PasswordHash string      // of the first password; "": the user cannot sign in with one
	Manager      uuid.UUID   // nil: none
	Sponsors     []uuid.UUID // users and groups
}

func (CreateUser) name() string { return "createUser" }

func (cmd CreateUser) run(c *change) error {
	u, err := directory.NewUser(cmd.Patch, c.freshID(), c.next.Organization.DefaultDomain(), c.at)
	if err != nil {
		return err
	}
	if err := c.addUser(u); err != nil {
		return err
	}
	if cmd.PasswordHash != "" {
		c.password(c.done.Ordinal, u, cmd.PasswordHash)
	}
	return c.lead(c.done.Ordinal, cmd.Manager, cmd.Sponsors)
}

// lead sets a user's manager, unless it is uuid.Nil, and adds sponsors.
func (c *change) lead(user uint32, manager uuid.UUID, sponsors []uuid.UUID) error {
	if manager != uuid.Nil {
		if err := (SetManager{User: user, Manager: manager}).run(c); err != nil {
			return err
		}
	}
	return c.sponsor(c.dir.UserID(user), sponsors)
}

// addUser adds a user, which the caller may change afterwards.
func (c *change) addUser(u *directory.User) error {
	if err := c.freeID(u.ID); err != nil {
		return err
	}
	isDeleted := !u.DeletedDateTime.IsZero()
	if err := c.next.Organization.CheckName(u.UserPrincipalName); err != nil {
		return err
	}
	if _, ok := c.dir.UserByName(u.UserPrincipalName); ok && !isDeleted {
		return taken("userPrincipalName", u.UserPrincipalName)
	}
	location, err := licensing.ParseCountry(u.UsageLocation)
	if err != nil {
		return &directory.InvalidError{Kind: directory.InvalidValue, Resource: "User", Property: "usageLocation", Value: u.UsageLocation}
	}
	keys := NewUser{ID: u.ID, Name: directory.KeyOf(u.UserPrincipalName), Addresses: addressKeys(u)}
	user := c.lic.AddUser(location)
	c.record(keys)
	if isDeleted { // in an exact import
		c.markUser(Mark{Ordinal: user, What: MarkDeleted})
		c.lic.DeleteUser(user)
	}
	c.duplicates(keys.Addresses)
	document := u.Document()
	c.noteDocument(Was{Of: Changeable(store.KindUser), Ordinal: user, ID: u.ID, New: true}, nil, document)
	c.writeUser(user, nil, u, document)
	c.done.ID, c.done.Ordinal = u.ID, user
	return nil
}

func (c *change) user(user uint32) (*directory.User, []byte, error) {
	document, err := c.document(store.KindUser, user)
	if err != nil {
		return nil, nil, err
	}
	u, err := directory.ParseUser(document)
	return u, document, err
}

// UpdateUser changes properties of a user, sets its manager, and adds sponsors.
type UpdateUser struct {
	User         uint32
	Patch        directory.UserPatch
	PasswordHash string      // of a new password; "": the password stays as it is
	Manager      uuid.UUID   // nil: it does not change
	Sponsors     []uuid.UUID // to be added
}

func (UpdateUser) name() string { return "updateUser" }

func (cmd UpdateUser) reads() ObjectKey { return ObjectKey{store.KindUser, cmd.User} }

func (cmd UpdateUser) run(c *change) error {
	if err := c.live(cmd.User); err != nil {
		return err
	}
	if err := cmd.update(c); err != nil {
		return err
	}
	return c.lead(cmd.User, cmd.Manager, cmd.Sponsors)
}

// update changes the properties.
func (cmd UpdateUser) update(c *change) error {
	was, old, err := c.user(cmd.User)
	if err != nil {
		return err
	}
	u, err := cmd.Patch.Apply(was)
	if err != nil {
		return err
	}
	if cmd.PasswordHash != "" {
		c.password(cmd.User, u, cmd.PasswordHash)
	}
	document := u.Document()
	if bytes.Equal(old, document) && cmd.PasswordHash == "" {
		return nil
	}
	if err := c.rename(cmd.User, was, u); err != nil {
		return err
	}
	location, err := licensing.ParseCountry(u.UsageLocation)
	if err != nil {
		return &directory.InvalidError{Kind: directory.InvalidValue, Resource: "User", Property: "usageLocation", Value: u.UsageLocation}
	}
	c.lic.SetLocation(cmd.User, location)
	c.markUser(c.written(store.KindUser, cmd.User, u.ID, old, document))
	c.writeUser(cmd.User, was, u, document)
	return nil
}

// rename changes the keys by which a user is found, if they are different.
func (c *change) rename(user uint32, was, now *directory.User) error {
	keys := UserKeys{User: user, ID: now.ID, Name: directory.KeyOf(now.UserPrincipalName), Addresses: addressKeys(now)}
	before := addressKeys(was)
	if now.UserPrincipalName != was.UserPrincipalName {
		if err := c.next.Organization.CheckName(now.UserPrincipalName); err != nil {
			return err
		}
		if other, ok := c.dir.UserByName(now.UserPrincipalName); ok && other != user {
			return taken("userPrincipalName", now.UserPrincipalName)
		}
	} else if slices.Equal(before, keys.Addresses) {
		return nil
	}
	c.record(keys)
	c.lic.SetDuplicate(user, c.dir.AddressShared(user))
	c.duplicates(before)
	c.duplicates(keys.Addresses)
	return nil
}

// DeleteUser moves a user to the deleted items for 30 days. Its seats are free at once
// (docs/spec/licensing.md L38).
type DeleteUser struct{ User uint32 }

func (DeleteUser) name() string { return "deleteUser" }

func (cmd DeleteUser) reads() ObjectKey { return ObjectKey{store.KindUser, cmd.User} }

func (cmd DeleteUser) run(c *change) error {
	if err := c.live(cmd.User); err != nil {
		return err
	}
	u, _, err := c.user(cmd.User)
	if err != nil {
		return err
	}
	c.markUser(Mark{Ordinal: cmd.User, What: MarkDeleted})
	c.duplicates(addressKeys(u))
	c.lic.DeleteUser(cmd.User)
	deleted := *u
	deleted.DeletedDateTime = c.at
	c.writeUser(cmd.User, u, &deleted, deleted.Document())
	return nil
}

// RestoreUser restores a deleted user and processes all licenses as new (L38).
type RestoreUser struct{ User uint32 }

func (RestoreUser) name() string { return "restoreUser" }

func (cmd RestoreUser) reads() ObjectKey { return ObjectKey{store.KindUser, cmd.User} }

func (cmd RestoreUser) run(c *change) error {
	u, err := c.deletedUser(cmd.User)
	if err != nil {
		return err
	}
	if c.at.Sub(u.DeletedDateTime) > KeptFor {
		return noSuch(u.ID)
	}
	if _, ok := c.dir.UserByName(u.UserPrincipalName); ok {
		return taken("userPrincipalName", u.UserPrincipalName)
	}
	c.markUser(Mark{Ordinal: cmd.User, What: MarkRestored})
	c.lic.SetDuplicate(cmd.User, c.dir.AddressShared(cmd.User))
	c.duplicates(addressKeys(u))
	c.lic.RestoreUser(cmd.User)
	restored := *u
	restored.DeletedDateTime = time.Time{}
	c.done.ID, c.done.Ordinal = u.ID, cmd.User
	c.writeUser(cmd.User, u, &restored, restored.Document())
	return nil
}

func (c *change) deletedUser(user uint32) (*directory.User, error) {
	if c.dir.UserPurged(user) || !c.dir.UserDeleted(user) {
		return nil, noSuch(c.dir.UserID(user))
	}
	u, _, err := c.user(user)
	return u, err
}

// PurgeUser permanently deletes a deleted user.
type PurgeUser struct{ User uint32 }

func (PurgeUser) name() string { return "purgeUser" }

func (cmd PurgeUser) run(c *change) error {
	if c.dir.UserPurged(cmd.User) || !c.dir.UserDeleted(cmd.User) {
		return noSuch(c.dir.UserID(cmd.User))
	}
	c.purgeUser(cmd.User)
	return nil
}

func (c *change) purgeUser(user uint32) {
	id := c.dir.UserID(user)
	groups := slices.Clone(c.dir.MemberOf(user))
	for _, group := range groups {
		c.setMembers(group, one(user), false)
	}
	for _, report := range c.dir.Reports(user) { // implied, but the log must have it
		c.removeManager(report, user)
	}
	c.leaveUnits(user, false)
	c.lic.PurgeUser(user, groups)
	c.forgetPrincipal(id)
	c.forgetPassword(user, id)
	c.markUser(Mark{Ordinal: user, What: MarkPurged})
	c.write(store.Object{Kind: store.KindUser, Ordinal: user, ID: id, Purged: true})
}

// PurgeExpired purges objects that were deleted more than 30 days ago.
type PurgeExpired struct {
	Users, Groups, Applications, Principals, Units []uint32
}

func (PurgeExpired) name() string { return "purgeExpired" }

func (cmd PurgeExpired) run(c *change) error {
	for _, user := range cmd.Users {
		u, err := c.deletedUser(user)
		if err == nil && c.at.Sub(u.DeletedDateTime) > KeptFor {
			c.purgeUser(user)
		}
	}
	for _, group := range cmd.Groups {
		g, err := c.deletedGroup(group)
		if err == nil && c.at.Sub(g.DeletedDateTime) > KeptFor {
			if err := c.purgeGroup(group); err != nil {
				return err
			}
		}
	}
	for _, ordinal := range cmd.Principals {
		if p := c.principals.begun().At(ordinal); p != nil && c.expired(p.DeletedDateTime) {
			c.purgePrincipal(&directory.Client{Principal: *p})
		}
	}
	for _, ordinal := range cmd.Applications {
		if a := c.applications.begun().At(ordinal); a != nil && c.expired(a.DeletedDateTime) {
			c.purgeApplication(ordinal)
		}
	}
	for _, ordinal := range cmd.Units {
		if u := c.units.begun().At(ordinal); u != nil && c.expired(u.DeletedDateTime) {
			c.units.purge(c, ordinal, u.ID)
		}
	}
	return nil
}

// expired reports whether an object deleted at a time can no longer be restored.
func (c *change) expired(deleted time.Time) bool {
	return !deleted.IsZero() && c.at.Sub(deleted) > KeptFor
}

// ImportUser adds a user of another directory, with its id if it has one, and without a password.
type ImportUser struct {
	ID    uuid.UUID // uuid.Nil: a new one
	Patch directory.UserPatch
	// Seen is when the user was last seen to sign in elsewhere; nil: never. It is not part of the
	// commit: the caller stores it (docs/spec/audit.md U35).
	Seen *store.Activity
}

func (ImportUser) name() string { return "importUser" }

func (cmd ImportUser) run(c *change) error { return cmd.add(c, new(directory.User), false) }

// add adds the user. It uses the memory of a user that is no longer needed.
func (cmd ImportUser) add(c *change, u *directory.User, exact bool) (err error) {
	id := cmd.ID
	if id == uuid.Nil {
		id = c.freshID()
	}
	if exact {
		err = u.ImportExact(cmd.Patch, id, c.at)
	} else {
		err = u.Import(cmd.Patch, id, c.at)
	}
	if err != nil {
		return err
	}
	return c.addUser(u)
}
