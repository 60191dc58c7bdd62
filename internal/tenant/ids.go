package tenant

import (
	"github.com/google/uuid"

	"licensor/internal/directory"
)

// byID is what an Index and a Draft have in common to find users and groups by their ids, deleted
// ones included.
type byID interface {
	UserByID(id uuid.UUID) (ordinal uint32, ok bool)
	GroupByID(id uuid.UUID) (ordinal uint32, ok bool)
}

// kindsWith returns the kinds of the objects that have an id, deleted ones included. There is at
// most one, unless an earlier version has stored more.
func (img *Image) kindsWith(id uuid.UUID, dir byID) (kinds []string) {
	if _, ok := dir.UserByID(id); ok {
		kinds = append(kinds, "user")
	}
	if _, ok := dir.GroupByID(id); ok {
		kinds = append(kinds, "group")
	}
	if _, ok := img.Applications.EverByID(id); ok {
		kinds = append(kinds, "application")
	}
	if _, ok := img.Principals.EverByID(id); ok {
		kinds = append(kinds, "service principal")
	}
	if _, ok := img.Units.EverByID(id); ok {
		kinds = append(kinds, "administrative unit")
	}
	if _, ok := img.Subscription(id); ok {
		kinds = append(kinds, "subscription")
	}
	if img.Organization != nil && img.Organization.ID == id {
		kinds = append(kinds, "organization")
	}
	return kinds
}

// isAppID reports whether an id is the appId of an application or service principal, deleted ones
// included.
func (img *Image) isAppID(id uuid.UUID) bool {
	for range img.Applications.EveryByAppID(id) {
		return true
	}
	for range img.Principals.EveryByAppID(id) {
		return true
	}
	return false
}

// freeID refuses the id of a new object when another object has it, of whatever kind and deleted or
// not, or when it is an appId: a token, a link or a role that names it would be that one's.
func (c *change) freeID(id uuid.UUID) error {
	if len(c.next.kindsWith(id, c.dir)) > 0 || c.next.isAppID(id) {
		return taken("id", id.String())
	}
	return nil
}

// freshID makes the id of a new object. The tries are bounded, so that a source that makes the same
// id again and again ends in a refusal.
func (c *change) freshID() (id uuid.UUID) {
	for range 100 {
		if id = c.newID(); c.freeID(id) == nil {
			break
		}
	}
	return id
}

// freeAppID refuses the appId of a new application when an object has it as its id.
func (c *change) freeAppID(appID uuid.UUID) error {
	if len(c.next.kindsWith(appID, c.dir)) > 0 {
		return taken("appId", appID.String())
	}
	return nil
}

// freeIDs refuses the ids that a client is to get besides those that it has, and the appId of one
// that is new.
func (c *change) freeIDs(was, next *directory.Client) error {
	if was == nil {
		was = new(directory.Client)
	}
	if next.ID != was.ID {
		if next.ID == next.AppID {
			return taken("id", next.ID.String())
		}
		if err := c.freeID(next.ID); err != nil {
			return err
		}
	}
	if next.AppID != was.AppID {
		if err := c.freeAppID(next.AppID); err != nil {
			return err
		}
	}
	principal := next.Principal.ID
	if principal == uuid.Nil || principal == was.Principal.ID {
		return nil
	}
	if principal == next.ID || principal == next.AppID {
		return taken("id", principal.String())
	}
	return c.freeID(principal)
}

// UserSerial is the serial number of a user, by its ordinal, which is never used again: it tells
// the user from one that had the same id before and was purged. It is not 0.
func UserSerial(user uint32) uint32 { return user + 1 }

// PrincipalSerial is UserSerial for a service principal, by its object id; 0 when there is none.
func (img *Image) PrincipalSerial(id uuid.UUID) uint32 {
	ordinal, ok := img.Principals.ByID(id)
	if !ok {
		return 0
	}
	return ordinal + 1
}
