package graph

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/graph/problem"
	"licensor/internal/guid"
	"licensor/internal/identity"
	columns "licensor/internal/query"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// deletedList is the lists of the deleted objects of a type. More can be asked of them than of the
// living: when they were deleted.
type deletedList[D, T any] struct{ listing[D, T] }

// The types that are kept when they are deleted (P52).
var (
	deletedUsers        = deletedOf(userList)
	deletedGroups       = deletedOf(groupList)
	deletedApplications = deletedOf(applicationList)
	deletedPrincipals   = deletedOf(principalList)
	deletedUnits        = deletedOf(unitList)
)

func deletedOf[D, T any](l listing[D, T]) deletedList[D, T] {
	l.Kind = l.Kind.Deleted()
	return deletedList[D, T]{l}
}

// list answers GET /directory/deletedItems/microsoft.graph.user and its like.
func (l deletedList[D, T]) list(r *request) error { return l.send(r, columns.Deleted) }

// count answers GET …/$count.
func (l deletedList[D, T]) count(r *request) error {
	return l.sendCount(r, columns.Deleted)
}

// deletedItem is the deleted object that the path names (P52).
func deletedItem(r *request) (kind store.Kind, ordinal uint32, ok bool) {
	id, ok := guid.Parse(r.keys[0])
	if !ok {
		return 0, 0, false
	}
	if user, ok := r.image.Directory.UserByID(id); ok && r.image.Directory.UserDeleted(user) {
		return store.KindUser, user, true
	}
	if group, ok := r.image.Directory.GroupByID(id); ok && r.image.Directory.GroupDeleted(group) {
		return store.KindGroup, group, true
	}
	if a, ok := r.image.Applications.EverByID(id); ok && !r.image.Applications.At(a).DeletedDateTime.IsZero() {
		return store.KindApplication, a, true
	}
	if p, ok := r.image.Principals.EverByID(id); ok && !r.image.Principals.At(p).DeletedDateTime.IsZero() {
		return store.KindServicePrincipal, p, true
	}
	if unit, ok := r.image.Units.EverByID(id); ok && !r.image.Units.At(unit).DeletedDateTime.IsZero() {
		return store.KindAdministrativeUnit, unit, true
	}
	return 0, 0, false
}

// needOf is what the operation asks for where the deleted object of the path is of another type
// than user.
func needOf(r *request) identity.Operation {
	if kind, _, ok := deletedItem(r); ok {
		switch kind {
		case store.KindGroup:
			return r.op.needOfGroup
		case store.KindApplication, store.KindServicePrincipal:
			return r.op.needOfApplication
		case store.KindAdministrativeUnit:
			return r.op.needOfUnit
		}
	}
	return r.op.need
}

// getUserOwnedObjects answers POST /directory/deletedItems/getUserOwnedObjects
// {"userId":…,"type":"Group"}: the deleted groups that a user owns.
func getUserOwnedObjects(r *request) error {
	var id uuid.UUID
	var kind string
	if err := r.parameters(map[string]any{"userId": &id, "type": &kind}, "userId", "type"); err != nil {
		return err
	}
	if !strings.EqualFold(kind, "Group") {
		return problem.Refuse("The type must be 'Group', not '%s'.", problem.Clip(kind))
	}
	user, ok := r.liveUser(id)
	if !ok {
		return r.wrongReference(reference{"userId", id})
	}
	groups := deletedGroupsOf(r, user)
	if len(groups) > maxOwned {
		return &problem.Problem{
			Status: http.StatusForbidden, Code: "Directory_ResultSizeLimitExceeded",
			Message: fmt.Sprintf("The user owns more than %d deleted groups. "+
				"List deletedItems/microsoft.graph.group instead, which has pages.", maxOwned),
		}
	}
	w, err := newObjectWriter(r)
	if err != nil {
		return err
	}
	return sendList(r, list[object]{context: "directoryObjects", source: readObjects(r, nil, groups, w), count: -1, write: w.write})
}

// maxOwned is how many groups getUserOwnedObjects shows, since the answer to an action has no
// pages.
const maxOwned = 11_000

// deletedGroupsOf returns the deleted groups that a user owns, at most one more than are shown.
func deletedGroupsOf(r *request, user uint32) (owned []uint32) {
	x := r.image.Directory
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
func getDeletedItem(r *request) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	kind, ordinal, ok := deletedItem(r)
	if !ok {
		return problem.NotFound(r.keys[0])
	}
	return sendObject(r, r.image, kind, ordinal)
}

// sendObject answers with an object whose kind the address does not say.
func sendObject(r *request, image *tenant.Image, kind store.Kind, ordinal uint32) error {
	var o object
	switch kind {
	case store.KindUser:
		document, image, err := r.tenant.UserNow(r.Context(), image, ordinal)
		if err != nil {
			return err
		}
		o.user = new(userAt(r, document, ordinal, image))
	case store.KindGroup:
		document, image, err := r.tenant.GroupNow(r.Context(), image, ordinal)
		if err != nil {
			return err
		}
		o.group = new(groupAt(r, document, ordinal, image))
	case store.KindApplication:
		o.application = &application{Client: image.ClientAt(ordinal), image: image}
	case store.KindAdministrativeUnit:
		o.unit = new(unitAt(image, ordinal))
	default:
		o.principal = &application{Client: image.PrincipalAt(ordinal), image: image}
	}
	return sendMixed(r, o)
}

// restoreDeletedItem answers POST /directory/deletedItems/{object}/restore.
func restoreDeletedItem(r *request) error {
	if err := r.noBody(); err != nil {
		return err
	}
	kind, ordinal, ok := deletedItem(r)
	if !ok {
		return problem.NotFound(r.keys[0])
	}
	var command tenant.Command
	switch kind {
	case store.KindUser:
		if err := mayTakeOver(r, ordinal); err != nil {
			return err
		}
		command = tenant.RestoreUser{User: ordinal}
	case store.KindGroup:
		command = tenant.RestoreGroup{Group: ordinal}
	case store.KindApplication:
		command = tenant.RestoreApplication{ID: r.image.Applications.At(ordinal).ID}
	case store.KindAdministrativeUnit:
		command = tenant.RestoreUnit{Unit: ordinal}
	default:
		command = tenant.RestorePrincipal{ID: r.image.Principals.At(ordinal).ID}
	}
	done, err := r.do(command)
	if err != nil {
		return err
	}
	return sendObject(r, done.Image, kind, ordinal)
}

// purgeDeletedItem answers DELETE /directory/deletedItems/{object}.
func purgeDeletedItem(r *request) error {
	kind, ordinal, ok := deletedItem(r)
	if !ok {
		return problem.NotFound(r.keys[0])
	}
	switch kind {
	case store.KindGroup:
		return r.change(tenant.PurgeGroup{Group: ordinal})
	case store.KindApplication:
		return r.change(tenant.PurgeApplication{ID: r.image.Applications.At(ordinal).ID})
	case store.KindServicePrincipal:
		return r.change(tenant.PurgePrincipal{ID: r.image.Principals.At(ordinal).ID})
	case store.KindAdministrativeUnit: // as in the real service
		return problem.Refuse("Administrative units cannot be permanently deleted. They are removed 30 days after they were deleted, unless they are restored.")
	}
	if err := mayTakeOver(r, ordinal); err != nil {
		return err
	}
	return r.change(tenant.PurgeUser{User: ordinal})
}
