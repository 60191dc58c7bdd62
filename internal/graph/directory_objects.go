package graph

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/graph/edm"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/identity"
)

// getDirectoryObject answers GET /directoryObjects/{object}, of any type.
func getDirectoryObject(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	if kind, ordinal, ok := liveObject(r); ok {
		return sendObject(r, r.Image, kind, ordinal)
	}
	if id, ok := guid.Parse(r.Keys[0]); ok {
		if o, _, ok := otherObject(r, id); ok {
			return sendMixed(r, o)
		}
	}
	return problem.NotFound(r.Keys[0])
}

// otherObject returns the application, service principal, administrative unit or directory role
// with an id, and its type.
func otherObject(r *wire.Request, id uuid.UUID) (o object, typeName string, ok bool) {
	if a, ok := r.Image.ClientByID(id); ok {
		return &application{Client: a, image: r.Image}, "application", true
	}
	if principal, ok := r.Image.Principals.ByID(id); ok {
		return servicePrincipal{&application{Client: r.Image.PrincipalAt(principal), image: r.Image}}, "servicePrincipal", true
	}
	if ordinal, ok := r.Image.Units.ByID(id); ok {
		return new(unitAt(r.Image, ordinal)), "administrativeUnit", true
	}
	if at, ok := identity.RoleByObjectID(r.Image.Organization.ID, id); ok {
		return new(roleAt(r.Image, at)), "directoryRole", true
	}
	return nil, "", false
}

// sendMixed answers with an object whose type is not in the URL.
func sendMixed(r *wire.Request, o object) error {
	w, err := newObjectWriter(r)
	if err != nil {
		return err
	}
	b := r.Begin()
	if r.Metadata == "none" {
		return r.SendChanged(http.StatusOK, w.write(b, o))
	}
	b = r.AppendHead(b, r.Selected("directoryObjects")+"/$entity")
	head := len(b)
	b = w.write(b, o)
	b[head] = ',' // the brace of the object
	return r.SendChanged(http.StatusOK, b)
}

// allGroupsOfObject is the relation to the groups that a user, group or service principal is in,
// directly or indirectly.
var allGroupsOfObject relation = func(r *wire.Request) (sets, error) {
	kind, ordinal, ok := liveObject(r)
	switch index := r.Image.Directory; {
	case !ok:
		return allGroupsOfPrincipal(r)
	case kind == userKind:
		return groupsOf(index.Around(index.MemberOf(ordinal))), nil
	default:
		return groupsOf(others(index.Around(index.GroupMemberOf(ordinal)), ordinal)), nil
	}
}

// maxByIDs is the maximum number of ids for getByIds.
const maxByIDs = 1000

// getByIDs answers POST /directoryObjects/getByIds: the objects with the given ids and types. It
// skips ids of other objects.
func getByIDs(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	w, err := newObjectWriter(r)
	if err != nil {
		return err
	}
	var ids []uuid.UUID
	var types []string
	if err := r.Parameters(map[string]any{"ids": &ids, "types": &types}); err != nil {
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
	rows := wire.OneAfterAnother(readObjects(r, users, groups, w), wire.SourceOf(otherObjects(r, ids, wanted)))
	return wire.SendList(r, wire.List[object]{Context: r.Selected("directoryObjects"), Source: rows, Count: -1, Write: w.write})
}

// findIDs returns the users and groups that ids name, ascending, without duplicates.
func findIDs(r *wire.Request, ids []uuid.UUID, wanted func(string) bool) (users, groups []uint32) {
	for _, id := range ids {
		if user, ok := r.LiveUser(id); ok && wanted("user") {
			users = append(users, user)
		} else if group, ok := r.LiveGroup(id); ok && wanted("group") {
			groups = append(groups, group)
		}
	}
	slices.Sort(users)
	slices.Sort(groups)
	return slices.Compact(users), slices.Compact(groups)
}

// otherObjects returns the objects of other types with some ids and types, without duplicates.
func otherObjects(r *wire.Request, ids []uuid.UUID, wanted func(string) bool) []object {
	var list []object
	seen := map[uuid.UUID]bool{}
	for _, id := range ids {
		if o, typeName, ok := otherObject(r, id); ok && wanted(typeName) && !seen[id] {
			list, seen[id] = append(list, o), true
		}
	}
	return list
}

// wantedTypes reads the types of getByIds; none means all.
func wantedTypes(types []string) (func(string) bool, error) {
	has := func(list []string, name string) bool {
		return slices.ContainsFunc(list, func(n string) bool { return strings.EqualFold(n, name) })
	}
	for i, name := range types {
		types[i], _ = edm.WithoutNamespace(name)
		if !has(edm.ObjectTypes, types[i]) {
			return nil, problem.Refuse("'%s' is not a type of directory objects. Possible in 'types' are: %s.",
				problem.Clip(name), strings.Join(edm.ObjectTypes, ", "))
		}
	}
	return func(name string) bool {
		return len(types) == 0 || has(types, name) || has(types, "directoryObject")
	}, nil
}
