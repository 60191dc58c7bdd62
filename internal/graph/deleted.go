package graph

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// The lists of deleted objects, for the types that are kept after deletion (P52).
var (
	deletedUsers        = userList.Deleted()
	deletedGroups       = groupList.Deleted()
	deletedApplications = applicationList.Deleted()
	deletedPrincipals   = principalList.Deleted()
	deletedUnits        = unitList.Deleted()
)

// deletedItem returns the deleted object that the path names (P52).
func deletedItem(r *wire.Request) (kind *objectKind, ordinal uint32, ok bool) {
	id, ok := guid.Parse(r.Keys[0])
	if !ok {
		return nil, 0, false
	}
	for _, kind := range objectKinds {
		in := kind.In(r.Image)
		if ordinal, ok := in.EverByID(id); ok && in.IsDeleted(ordinal) {
			return kind, ordinal, true
		}
	}
	return nil, 0, false
}

// needOf returns the permissions that the operation needs if the deleted object of the path is not
// a user.
func needOf(r *wire.Request) identity.Operation {
	if kind, _, ok := deletedItem(r); ok {
		switch kind.Type {
		case directory.TypeGroup:
			return r.Op.NeedOfGroup
		case directory.TypeApplication, directory.TypeServicePrincipal:
			return r.Op.NeedOfApplication
		case directory.TypeAdministrativeUnit:
			return r.Op.NeedOfUnit
		}
	}
	return r.Op.Need
}

// getUserOwnedObjects answers POST /directory/deletedItems/getUserOwnedObjects
// {"userId":…,"type":"Group"}: the deleted groups that a user owns.
func getUserOwnedObjects(r *wire.Request) error {
	var id uuid.UUID
	var kind string
	if err := r.Parameters(map[string]any{"userId": &id, "type": &kind}, "userId", "type"); err != nil {
		return err
	}
	if !strings.EqualFold(kind, "Group") {
		return problem.Refuse("The type must be 'Group', not '%s'.", problem.Clip(kind))
	}
	user, ok := r.LiveUser(id)
	if !ok {
		return r.WrongReference(wire.Reference{Property: "userId", ID: id})
	}
	groups := deletedGroupsOf(r, user)
	if len(groups) > maxOwned {
		return &problem.ResponseError{
			Status: http.StatusForbidden, Code: "Directory_ResultSizeLimitExceeded",
			Message: fmt.Sprintf("The user owns more than %d deleted groups. "+
				"List deletedItems/microsoft.graph.group instead, which has pages.", maxOwned),
		}
	}
	w, err := newObjectWriter(r)
	if err != nil {
		return err
	}
	return wire.SendList(r, wire.List[object]{
		Context: "directoryObjects", Source: readObjects(r, nil, groups, w), Count: -1, Write: w.write,
	})
}

// maxOwned is the maximum number of groups in a response of getUserOwnedObjects, because actions
// have no pages.
const maxOwned = 11_000

// deletedGroupsOf returns the deleted groups that a user owns, at most maxOwned+1.
func deletedGroupsOf(r *wire.Request, user uint32) (owned []uint32) {
	x := r.Image.Directory
	for group := range x.Groups() {
		if x.GroupDeleted(group) && slices.Contains(x.Owners(group), user) {
			if owned = append(owned, group); len(owned) > maxOwned {
				break
			}
		}
	}
	return owned
}

// getDeletedItem answers GET /directory/deletedItems/{object}.
func getDeletedItem(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	kind, ordinal, ok := deletedItem(r)
	if !ok {
		return problem.NotFound(r.Keys[0])
	}
	return sendObject(r, r.Image, kind, ordinal)
}

// restoreDeletedItem answers POST /directory/deletedItems/{object}/restore.
func restoreDeletedItem(r *wire.Request) error {
	if err := r.NoBody(); err != nil {
		return err
	}
	kind, ordinal, ok := deletedItem(r)
	if !ok {
		return problem.NotFound(r.Keys[0])
	}
	var command tenant.Command
	switch kind.Type {
	case directory.TypeUser:
		if err := mayTakeOver(r, ordinal); err != nil {
			return err
		}
		command = tenant.RestoreUser{User: ordinal}
	case directory.TypeGroup:
		command = tenant.RestoreGroup{Group: ordinal}
	case directory.TypeApplication:
		command = tenant.RestoreApplication{ID: r.Image.Applications.At(ordinal).ID}
	case directory.TypeAdministrativeUnit:
		command = tenant.RestoreUnit{Unit: ordinal}
	default:
		command = tenant.RestorePrincipal{ID: r.Image.Principals.At(ordinal).ID}
	}
	done, err := r.Do(command)
	if err != nil {
		return err
	}
	return sendObject(r, done.Image, kind, ordinal)
}

// purgeDeletedItem answers DELETE /directory/deletedItems/{object}.
func purgeDeletedItem(r *wire.Request) error {
	kind, ordinal, ok := deletedItem(r)
	if !ok {
		return problem.NotFound(r.Keys[0])
	}
	switch kind.Type {
	case directory.TypeGroup:
		return r.Change(tenant.PurgeGroup{Group: ordinal})
	case directory.TypeApplication:
		return r.Change(tenant.PurgeApplication{ID: r.Image.Applications.At(ordinal).ID})
	case directory.TypeServicePrincipal:
		return r.Change(tenant.PurgePrincipal{ID: r.Image.Principals.At(ordinal).ID})
	case directory.TypeAdministrativeUnit: // as in the real service
		return problem.Refuse("Administrative units cannot be permanently deleted. They are removed 30 days after " +
			"they were deleted, unless they are restored.")
	}
	if err := mayTakeOver(r, ordinal); err != nil {
		return err
	}
	return r.Change(tenant.PurgeUser{User: ordinal})
}
