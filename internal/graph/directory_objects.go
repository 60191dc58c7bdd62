package graph

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/graph/edm"
	"licensor/internal/graph/problem"
	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/store"
)

// getDirectoryObject answers GET /directoryObjects/{object}, whatever it is.
func getDirectoryObject(r *request) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	if kind, ordinal, ok := liveObject(r); ok {
		return sendObject(r, r.image, kind, ordinal)
	}
	if id, ok := guid.Parse(r.keys[0]); ok {
		if o, _, ok := otherObject(r, id); ok {
			return sendMixed(r, o)
		}
	}
	return problem.NotFound(r.keys[0])
}

// otherObject is the application, service principal, administrative unit or directory role with an
// id, and its type.
func otherObject(r *request, id uuid.UUID) (o object, typeName string, ok bool) {
	if a, ok := r.image.ClientByID(id); ok {
		return object{application: &application{Client: a, image: r.image}}, "application", true
	}
	if principal, ok := r.image.Principals.ByID(id); ok {
		return object{principal: &application{Client: r.image.PrincipalAt(principal), image: r.image}}, "servicePrincipal", true
	}
	if ordinal, ok := r.image.Units.ByID(id); ok {
		return object{unit: new(unitAt(r.image, ordinal))}, "administrativeUnit", true
	}
	if at, ok := identity.RoleByObjectID(r.image.Organization.ID, id); ok {
		return object{role: new(roleAt(r.image, at))}, "directoryRole", true
	}
	return object{}, "", false
}

// sendMixed answers with an object whose type the address does not say.
func sendMixed(r *request, o object) error {
	w, err := newObjectWriter(r)
	if err != nil {
		return err
	}
	b := r.begin()
	if r.metadata == "none" {
		return r.sendChanged(http.StatusOK, w.write(b, o))
	}
	b = r.appendHead(b, r.selected("directoryObjects")+"/$entity")
	head := len(b)
	b = w.write(b, o)
	b[head] = ',' // the brace of the object
	return r.sendChanged(http.StatusOK, b)
}

// liveObject is the user or group, not deleted, that the path names by its id.
func liveObject(r *request) (kind store.Kind, ordinal uint32, ok bool) {
	id, ok := guid.Parse(r.keys[0])
	if !ok {
		return 0, 0, false
	}
	if user, ok := r.liveUser(id); ok {
		return store.KindUser, user, true
	}
	group, ok := r.liveGroup(id)
	return store.KindGroup, group, ok
}

// allGroupsOfObject are those that a user, group or service principal is in, directly or by way of
// others.
var allGroupsOfObject relation = func(r *request) (sets, error) {
	kind, ordinal, ok := liveObject(r)
	switch index := r.image.Directory; {
	case !ok:
		return allGroupsOfPrincipal(r)
	case kind == store.KindUser:
		return groupsOf(index.Around(index.MemberOf(ordinal))), nil
	default:
		return groupsOf(others(index.Around(index.GroupMemberOf(ordinal)), ordinal)), nil
	}
}

// maxByIDs is how many ids getByIds takes.
const maxByIDs = 1000

// getByIDs answers POST /directoryObjects/getByIds: what there is of some ids and types. Others are
// passed over.
func getByIDs(r *request) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	w, err := newObjectWriter(r)
	if err != nil {
		return err
	}
	var ids []uuid.UUID
	var types []string
	if err := r.parameters(map[string]any{"ids": &ids, "types": &types}); err != nil {
		return err
	}
	if len(ids) > maxByIDs {
		return problem.Refuse("'ids' has %d ids; at most %d are possible in one request.", len(ids), maxByIDs)
	}
	wanted, err := wantedTypes(types)
	if err != nil {
		return err
	}
	users, groups := findIDs(r, ids, wanted)
	rows := oneAfterAnother(readObjects(r, users, groups, w), sourceOf(otherObjects(r, ids, wanted)))
	return sendList(r, list[object]{context: r.selected("directoryObjects"), source: rows, count: -1, write: w.write})
}

// findIDs returns the users and groups that ids name, ascending and each once.
func findIDs(r *request, ids []uuid.UUID, wanted func(string) bool) (users, groups []uint32) {
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

// otherObjects returns what else there is of some ids and types, each once.
func otherObjects(r *request, ids []uuid.UUID, wanted func(string) bool) []object {
	var list []object
	seen := map[uuid.UUID]bool{}
	for _, id := range ids {
		if o, typeName, ok := otherObject(r, id); ok && wanted(typeName) && !seen[id] {
			list, seen[id] = append(list, o), true
		}
	}
	return list
}

// wantedTypes reads the types of getByIds: none are all.
func wantedTypes(types []string) (func(string) bool, error) {
	has := func(list []string, name string) bool {
		return slices.ContainsFunc(list, func(n string) bool { return strings.EqualFold(n, name) })
	}
	for i, name := range types {
		types[i], _ = edm.WithoutNamespace(name)
		if !has(edm.ObjectTypes, types[i]) {
			return nil, problem.Refuse("'%s' is no type of directory objects. Possible in 'types' are: %s.", problem.Clip(name), strings.Join(edm.ObjectTypes, ", "))
		}
	}
	return func(name string) bool {
		return len(types) == 0 || has(types, name) || has(types, "directoryObject")
	}, nil
}
