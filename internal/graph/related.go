package graph

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/directory"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
)

// sets are the objects in the list of a relation, possibly including deleted ones: a set for each
// kind, nil if there are none.
type sets struct {
	users, groups, principals, applications, units *roaring.Bitmap

	roles []uint32 // by their places in identity.BuiltInRoles, ascending
}

func usersOf(users []uint32) sets   { return sets{users: roaring.BitmapOf(users...)} }
func groupsOf(groups []uint32) sets { return sets{groups: roaring.BitmapOf(groups...)} }

// liveGroups returns the groups that are not deleted.
func (s sets) liveGroups(index *directory.Index) []uint32 {
	if s.groups == nil {
		return nil
	}
	return slices.DeleteFunc(s.groups.ToArray(), index.GroupDeleted)
}

// relation returns the objects that the object of a request is related to. Its methods are the
// operations of every relation.
type relation func(r *wire.Request) (sets, error)

var membersOfGroup relation = func(r *wire.Request) (sets, error) {
	group, err := r.Group()
	if err != nil {
		return sets{}, err
	}
	return inGroup(r, group), nil
}

// inGroup returns the relation to the members of a group.
func inGroup(r *wire.Request, group uint32) sets {
	index := r.Image.Directory
	of := linked(r, r.Image.Links.From(directory.RelationHasMember, index.GroupID(group)))
	of.users, of.groups = r.Image.Licensing.GroupMembers(group), roaring.BitmapOf(index.GroupMembersOf(group)...)
	return of
}

// allMembersOfGroup is the relation to the direct and indirect members. A group in a cycle is not a
// member of itself.
var allMembersOfGroup relation = func(r *wire.Request) (sets, error) {
	group, err := r.Group()
	if err != nil {
		return sets{}, err
	}
	groups := r.Image.Directory.Within(group)
	all := sets{users: roaring.New()}
	for _, inner := range groups {
		if members := r.Image.Licensing.GroupMembers(inner); members != nil {
			all.users.Or(members)
		}
		addLinked(r, &all, r.Image.Links.From(directory.RelationHasMember, r.Image.Directory.GroupID(inner)))
	}
	all.groups = roaring.BitmapOf(others(groups, group)...)
	return all, nil
}

var ownersOfGroup relation = func(r *wire.Request) (sets, error) {
	group, err := r.Group()
	if err != nil {
		return sets{}, err
	}
	of := linked(r, r.Image.Links.From(directory.RelationOwnedBy, r.Image.Directory.GroupID(group)))
	of.users = roaring.BitmapOf(r.Image.Directory.Owners(group)...)
	return of, nil
}

var groupsOfUser relation = func(r *wire.Request) (sets, error) {
	user, err := r.User()
	if err != nil {
		return sets{}, err
	}
	return groupsOf(r.Image.Directory.MemberOf(user)), nil
}

var allGroupsOfUser relation = func(r *wire.Request) (sets, error) {
	user, err := r.User()
	if err != nil {
		return sets{}, err
	}
	return groupsOf(r.Image.Directory.Around(r.Image.Directory.MemberOf(user))), nil
}

var groupsOfGroup relation = func(r *wire.Request) (sets, error) {
	group, err := r.Group()
	if err != nil {
		return sets{}, err
	}
	return groupsOf(r.Image.Directory.GroupMemberOf(group)), nil
}

var allGroupsOfGroup relation = func(r *wire.Request) (sets, error) {
	group, err := r.Group()
	if err != nil {
		return sets{}, err
	}
	return groupsOf(others(r.Image.Directory.Around(r.Image.Directory.GroupMemberOf(group)), group)), nil
}

// others removes an ordinal from a list that may be changed.
func others(list []uint32, one uint32) []uint32 {
	return slices.DeleteFunc(list, func(o uint32) bool { return o == one })
}

// list answers GET …/members and similar requests.
func (rel relation) list(r *wire.Request) error {
	if _, err := rel(r); err != nil { // errors about unsupported objects come first
		return err
	}
	w, err := newObjectWriter(r)
	if err != nil {
		return err
	}
	return sendObjects(r, "directoryObjects", rel, w)
}

// count answers GET …/members/$count (P26).
func (rel relation) count(r *wire.Request) error { return sendLength(r, rel) }

// references answers GET …/members/$ref: the URLs of the objects, which need no other data of them.
func (rel relation) references(r *wire.Request) error {
	if err := r.Allow("$select", "$filter", "$search", "$orderby", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	found, err := findRelated(r, rel)
	if err != nil {
		return err
	}
	places, next, err := found.places(r)
	if err != nil {
		return err
	}
	return wire.SendList(r, wire.List[int64]{
		Context: "Collection($ref)", Rows: places, Count: found.count, Next: next,
		Write: func(b []byte, place int64) []byte {
			b = append(append(append(b, `{"@odata.id":"`...), r.Root...), "/directoryObjects/"...)
			return append(jsontext.AppendBareID(b, idAt(r, place)), `"}`...)
		},
	})
}
