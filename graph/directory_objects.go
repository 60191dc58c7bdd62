package graph

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/store"
)

// getDirectoryObject answers GET /directoryObjects/{object}, whatever it is.
func (api *API) getDirectoryObject(r *request) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	kind, ordinal, ok := r.liveObject()
	if !ok {
		return notFound(r.keys[0])
	}
	return r.sendObject(r.image, kind, ordinal)
}

// liveObject is the user or group, not deleted, that the path names by its id.
func (r *request) liveObject() (kind store.Kind, ordinal uint32, ok bool) {
	id, ok := parseGUID(r.keys[0])
	if !ok {
		return 0, 0, false
	}
	if user, ok := r.liveUser(id); ok {
		return store.KindUser, user, true
	}
	group, ok := r.liveGroup(id)
	return store.KindGroup, group, ok
}

func (r *request) liveUser(id uuid.UUID) (uint32, bool) {
	user, ok := r.image.Directory.UserByID(id)
	return user, ok && !r.image.Directory.UserHidden(user)
}

func (r *request) liveGroup(id uuid.UUID) (uint32, bool) {
	group, ok := r.image.Directory.GroupByID(id)
	return group, ok && !r.image.Directory.GroupHidden(group)
}

// allGroupsOfObject are those that a user or group is in, directly or by way of others.
var allGroupsOfObject relation = func(r *request) (users, groups []uint32, err error) {
	kind, ordinal, ok := r.liveObject()
	switch index := r.image.Directory; {
	case !ok:
		return nil, nil, notFound(r.keys[0])
	case kind == store.KindUser:
		return nil, index.Around(index.MemberOf(ordinal)), nil
	default:
		return nil, others(index.Around(index.GroupMemberOf(ordinal)), ordinal), nil
	}
}

// maxByIDs is how many ids getByIds takes.
const maxByIDs = 1000

// getByIDs answers POST /directoryObjects/getByIds: what there is of some ids and types. Others are passed over.
func (api *API) getByIDs(r *request) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	write, err := r.objectWriter()
	if err != nil {
		return err
	}
	var ids []uuid.UUID
	var types []string
	if err := r.parameters("getByIds", map[string]any{"ids": &ids, "types": &types}, "ids"); err != nil {
		return err
	}
	if len(ids) > maxByIDs {
		return refuse("'ids' has %d ids; at most %d are possible in one request.", len(ids), maxByIDs)
	}
	wanted, err := wantedTypes(types)
	if err != nil {
		return err
	}
	users, groups := r.findIDs(ids, wanted)
	rows, err := r.readObjects(users, groups)
	if err != nil {
		return err
	}
	return sendList(r, list[object]{context: r.selected("directoryObjects"), rows: rows, count: -1, write: write})
}

// findIDs answers the users and groups that ids name, ascending and each once.
func (r *request) findIDs(ids []uuid.UUID, wanted func(string) bool) (users, groups []uint32) {
	for _, id := range ids {
		if user, ok := r.liveUser(id); ok && wanted("user") {
			users = append(users, user)
		} else if group, ok := r.liveGroup(id); ok && wanted("group") {
			groups = append(groups, group)
		}
	}
	slices.Sort(users)
	slices.Sort(groups)
	return slices.Compact(users), slices.Compact(groups)
}

// objectTypes are the types that getByIds may be asked for. Of most there are no objects here.
var objectTypes = []string{
	"administrativeUnit", "application", "appRoleAssignment", "contract", "device", "directoryObject", "directoryRole", "directoryRoleTemplate",
	"group", "orgContact", "organization", "resourceSpecificPermissionGrant", "servicePrincipal", "user",
}

// wantedTypes reads the types of getByIds: none are all.
func wantedTypes(types []string) (func(string) bool, error) {
	has := func(list []string, name string) bool {
		return slices.ContainsFunc(list, func(n string) bool { return strings.EqualFold(n, name) })
	}
	for i, name := range types {
		types[i], _ = withoutNamespace(name)
		if !has(objectTypes, types[i]) {
			return nil, refuse("'%s' is no type of directory objects. Possible in 'types' are: %s.", clip(name), strings.Join(objectTypes, ", "))
		}
	}
	return func(name string) bool {
		return len(types) == 0 || has(types, name) || has(types, "directoryObject")
	}, nil
}
