package wire

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// User returns the ordinal of the user whom the path names (P1).
func (r *Request) User() (uint32, error) {
	key := r.Keys[0]
	if f := r.found; f.image != r.Image || f.key != key {
		ordinal, err := r.Image.LiveUser(key)
		r.found = foundUser{r.Image, key, ordinal, err}
	}
	return r.found.ordinal, r.found.err
}

// foundUser is the result of looking up a key in an image.
type foundUser struct {
	image   *tenant.Image
	key     string
	ordinal uint32
	err     error
}

// Group returns the ordinal of the group that the path names.
func (r *Request) Group() (uint32, error) { return r.Image.LiveGroup(r.Keys[0]) }

// Relation returns the relation of the object of the request to the caller.
func (r *Request) Relation() identity.Relation {
	switch {
	case r.Image == nil:
		return identity.RelationOther
	case r.Caller.Delegated && r.isSelf():
		return identity.RelationSelf
	case r.owns():
		return identity.RelationOwned
	}
	return identity.RelationOther
}

// isSelf reports whether the path names the caller, which is a user.
func (r *Request) isSelf() bool {
	switch {
	case r.Me:
		return true
	case r.Op.OfUser():
		user, err := r.User()
		return err == nil && r.Image.Directory.UserID(user) == r.Caller.ObjectID
	case r.Op.ofObject():
		id, ok := guid.Parse(r.Keys[0])
		return ok && id == r.Caller.ObjectID
	}
	return false
}

// manageOwned is the only permission for reading that applies to objects that the caller owns.
const manageOwned = "Application.ReadWrite.OwnedBy"

// owns reports whether the caller, a user or a service principal, owns the group, application or
// service principal that the path names. It is not looked up if it makes no difference.
func (r *Request) owns() bool {
	if r.Method == http.MethodGet && !r.Caller.Permissions.Has(manageOwned) {
		return false
	}
	var id uuid.UUID
	switch path := r.Op.Path; {
	case r.Op.OfGroup():
		if group, err := r.Group(); err == nil {
			id = r.Image.Directory.GroupID(group)
		}
	case strings.HasPrefix(path, "/applications") && len(r.Keys) > 0:
		id, _ = r.ApplicationID()
	case strings.HasPrefix(path, "/servicePrincipals") && len(r.Keys) > 0:
		id, _ = r.PrincipalID()
	case r.Op.OfDeleted():
		id, _ = guid.Parse(r.Keys[0])
	}
	return id != uuid.Nil && r.Image.Owns(r.Caller.ObjectID, id)
}

// LiveUser returns the ordinal of the user with an id; false if it does not exist or is deleted.
func (r *Request) LiveUser(id uuid.UUID) (uint32, bool) {
	user, ok := r.Image.Directory.UserByID(id)
	return user, ok && !r.Image.Directory.UserDeleted(user)
}

// LiveGroup is LiveUser for groups.
func (r *Request) LiveGroup(id uuid.UUID) (uint32, bool) {
	group, ok := r.Image.Directory.GroupByID(id)
	return group, ok && !r.Image.Directory.GroupDeleted(group)
}

// UserID returns the id of the user that the path names.
func (r *Request) UserID() (uuid.UUID, error) {
	user, err := r.User()
	return r.Image.Directory.UserID(user), err
}

// GroupID returns the id of the group that the path names.
func (r *Request) GroupID() (uuid.UUID, error) {
	group, err := r.Group()
	return r.Image.Directory.GroupID(group), err
}

// ApplicationID returns the id of the application that the path names.
func (r *Request) ApplicationID() (uuid.UUID, error) {
	a, err := r.Application()
	return a.ID, err
}

// PrincipalID returns the id of the service principal that the path names.
func (r *Request) PrincipalID() (uuid.UUID, error) {
	a, err := r.Principal()
	return a.Principal.ID, err
}

// byAppID reports whether the path names an application or service principal by its appId:
// applications(appId='…').
func (op *Operation) byAppID() bool { return strings.Contains(op.Path, "(appId='") }

// Application returns the application that the path names. Those of other tenants, such as
// Microsoft's own clients, do not exist here, although they have service principals.
func (r *Request) Application() (directory.Client, error) {
	return named(r, r.Image.Applications, r.Image.ClientAt)
}

// Principal returns the application whose service principal the path names. That of Microsoft Graph
// can be read like any other.
func (r *Request) Principal() (directory.Client, error) {
	return named(r, r.Image.Principals, r.Image.PrincipalAt)
}

// named returns the object among some that the path names by its id or appId.
func named[T any](
	r *Request, among *directory.Objects[T], at func(ordinal uint32) directory.Client,
) (directory.Client, error) {
	find := among.ByID
	if r.Op.byAppID() {
		find = among.ByAppID
	}
	if id, ok := guid.Parse(r.Keys[0]); ok {
		if ordinal, ok := find(id); ok {
			return at(ordinal), nil
		}
	}
	return directory.Client{}, problem.NotFound(r.Keys[0])
}

// TypeOf returns the type of the directory object with an id, as error messages name it: User,
// ServicePrincipal.
func (r *Request) TypeOf(id uuid.UUID) (string, bool) {
	if _, ok := r.LiveUser(id); ok {
		return "User", true
	}
	if _, ok := r.LiveGroup(id); ok {
		return "Group", true
	}
	if _, ok := r.Image.Applications.ByID(id); ok {
		return "Application", true
	}
	if _, ok := r.Image.Principals.ByID(id); ok {
		return "ServicePrincipal", true
	}
	if _, ok := r.Image.Units.ByID(id); ok {
		return "AdministrativeUnit", true
	}
	_, ok := identity.RoleByObjectID(r.Image.Organization.ID, id)
	return "DirectoryRole", ok
}

// Unit returns the ordinal of the administrative unit that the path names.
func (r *Request) Unit() (uint32, error) { return r.Image.LiveUnit(r.Keys[0]) }

// AppName returns the name of a service principal's application. For Microsoft's own applications,
// the tenant has only the service principal, which can be renamed.
func AppName(a *directory.Client) string {
	if own, ok := identity.FirstPartyByID(a.AppID); ok && a.ID == uuid.Nil {
		return own.DisplayName
	}
	return a.DisplayName
}
