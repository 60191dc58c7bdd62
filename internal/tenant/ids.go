package tenant

import (
	"github.com/google/uuid"

	"licensor/internal/directory"
)

// byID has the methods of Index and Draft that find users and groups by their ids, including
// deleted ones.
type byID interface {
	UserByID(id uuid.UUID) (ordinal uint32, ok bool)
	GroupByID(id uuid.UUID) (ordinal uint32, ok bool)
}

// kindsWith returns the kinds of the objects with an id, including deleted ones. There is at most
// one, unless an earlier version has stored more.
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

// isAppID reports whether an id is the appId of an application or service principal, including
// deleted ones.
func (img *Image) isAppID(id uuid.UUID) bool {
	for range img.Applications.EveryByAppID(id) {
		return true
	}
	for range img.Principals.EveryByAppID(id) {
		return true
	}
	return false
}

// freeID refuses the id of a new object if any object has it, of any kind and deleted or not, or if
// it is an appId: tokens, links and roles with that id would also apply to the new object.
func (c *change) freeID(id uuid.UUID) error {
	if len(c.next.kindsWith(id, c.dir)) > 0 || c.next.isAppID(id) {
		return taken("id", id.String())
	}
	return nil
}

// freshID returns an id for a new object. The number of tries is bounded, so that a source that
// repeats the same id ends in a refusal.
func (c *change) freshID() (id uuid.UUID) {
	for range 100 {
		if id = c.newID(); c.freeID(id) == nil {
			break
		}
	}
	return id
}

// freeAppID refuses the appId of a new application if it is the id of an object.
func (c *change) freeAppID(appID uuid.UUID) error {
	if len(c.next.kindsWith(appID, c.dir)) > 0 {
		return taken("appId", appID.String())
	}
	return nil
}

// freeIDs refuses new ids of a client that are in use, and the appId of a new client.
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

// UserSerial returns the serial number of a user, by its ordinal, which is never reused: it
// distinguishes the user from a purged one with the same id. It is not 0.
func UserSerial(user uint32) uint32 { return user + 1 }

// PrincipalSerial is UserSerial for a service principal, by its object id; 0 if there is none.
func (img *Image) PrincipalSerial(id uuid.UUID) uint32 {
	ordinal, ok := img.Principals.ByID(id)
	if !ok {
		return 0
	}
	return ordinal + 1
}
