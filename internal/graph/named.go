package graph

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

// user returns the ordinal of the user whom the path names (P1).
func (r *request) user() (uint32, error) {
	key := r.keys[0]
	if f := r.found; f.image != r.image || f.key != key {
		ordinal, err := r.image.LiveUser(key)
		r.found = foundUser{r.image, key, ordinal, err}
	}
	return r.found.ordinal, r.found.err
}

// foundUser is what a key leads to in an image.
type foundUser struct {
	image   *tenant.Image
	key     string
	ordinal uint32
	err     error
}

// group returns the ordinal of the group that the path names.
func (r *request) group() (uint32, error) { return r.image.LiveGroup(r.keys[0]) }

// relation is what the object of the request is to the caller.
func (r *request) relation() identity.Relation {
	switch {
	case r.image == nil:
		return identity.RelationOther
	case r.caller.Delegated && r.isSelf():
		return identity.RelationSelf
	case r.owns():
		return identity.RelationOwned
	}
	return identity.RelationOther
}

// isSelf reports whether the path names the caller, which is a user.
func (r *request) isSelf() bool {
	switch {
	case r.me:
		return true
	case r.op.ofUser():
		user, err := r.user()
		return err == nil && r.image.Directory.UserID(user) == r.caller.ObjectID
	case r.op.ofObject():
		id, ok := guid.Parse(r.keys[0])
		return ok && id == r.caller.ObjectID
	}
	return false
}

// manageOwned is the one permission for reading that is for what the caller owns.
const manageOwned = "Application.ReadWrite.OwnedBy"

// owns reports whether the caller, a user or a service principal, owns the group, application or
// service principal that the path names. Where it makes no difference it is not looked up.
func (r *request) owns() bool {
	if r.Method == http.MethodGet && !r.caller.Permissions.Has(manageOwned) {
		return false
	}
	var id uuid.UUID
	switch path := r.op.path; {
	case r.op.ofGroup():
		if group, err := r.group(); err == nil {
			id = r.image.Directory.GroupID(group)
		}
	case strings.HasPrefix(path, "/applications") && len(r.keys) > 0:
		id, _ = r.applicationID()
	case strings.HasPrefix(path, "/servicePrincipals") && len(r.keys) > 0:
		id, _ = r.principalID()
	case r.op.ofDeleted():
		id, _ = guid.Parse(r.keys[0])
	}
	return id != uuid.Nil && r.image.Owns(r.caller.ObjectID, id)
}

func (r *request) liveUser(id uuid.UUID) (uint32, bool) {
	user, ok := r.image.Directory.UserByID(id)
	return user, ok && !r.image.Directory.UserDeleted(user)
}

func (r *request) liveGroup(id uuid.UUID) (uint32, bool) {
	group, ok := r.image.Directory.GroupByID(id)
	return group, ok && !r.image.Directory.GroupDeleted(group)
}

func (r *request) userID() (uuid.UUID, error) {
	user, err := r.user()
	return r.image.Directory.UserID(user), err
}

func (r *request) groupID() (uuid.UUID, error) {
	group, err := r.group()
	return r.image.Directory.GroupID(group), err
}

func (r *request) applicationID() (uuid.UUID, error) {
	a, err := r.application()
	return a.ID, err
}

func (r *request) principalID() (uuid.UUID, error) {
	a, err := r.principal()
	return a.Principal.ID, err
}

// byAppID reports whether the path names an application or service principal by its appId:
// applications(appId='…').
func (op *operation) byAppID() bool { return strings.Contains(op.path, "(appId='") }

// application is the one that the path names. Those of other tenants, such as Microsoft's own
// clients, are not there, though they have service principals.
func (r *request) application() (directory.Client, error) {
	wanted, ok := guid.Parse(r.keys[0])
	if !ok {
		return directory.Client{}, problem.NotFound(r.keys[0])
	}
	find := r.image.Applications.ByID
	if r.op.byAppID() {
		find = r.image.Applications.ByAppID
	}
	if a, ok := find(wanted); ok {
		return r.image.ClientAt(a), nil
	}
	return directory.Client{}, problem.NotFound(r.keys[0])
}

// principal is the application whose service principal the path names. That of Microsoft Graph can
// be read like any other.
func (r *request) principal() (directory.Client, error) {
	wanted, ok := guid.Parse(r.keys[0])
	if !ok {
		return directory.Client{}, problem.NotFound(r.keys[0])
	}
	find := r.image.Principals.ByID
	if r.op.byAppID() {
		find = r.image.Principals.ByAppID
	}
	if principal, ok := find(wanted); ok {
		return r.image.PrincipalAt(principal), nil
	}
	return directory.Client{}, problem.NotFound(r.keys[0])
}

// typeOf is the type of the directory object with an id, as error messages name it: User,
// ServicePrincipal.
func (r *request) typeOf(id uuid.UUID) (string, bool) {
	if _, ok := r.liveUser(id); ok {
		return "User", true
	}
	if _, ok := r.liveGroup(id); ok {
		return "Group", true
	}
	if _, ok := r.image.Applications.ByID(id); ok {
		return "Application", true
	}
	if _, ok := r.image.Principals.ByID(id); ok {
		return "ServicePrincipal", true
	}
	if _, ok := r.image.Units.ByID(id); ok {
		return "AdministrativeUnit", true
	}
	_, ok := identity.RoleByObjectID(r.image.Organization.ID, id)
	return "DirectoryRole", ok
}

// unit is the ordinal of the administrative unit that the path names.
func (r *request) unit() (uint32, error) { return r.image.LiveUnit(r.keys[0]) }
