package graph

import (
	"slices"
	"strconv"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/directory"
	"licensor/identity"
)

// relation answers the users and groups that the object of a request is related to in some way, ascending; deleted ones may be among
// them. Its methods are the operations that every relation has.
type relation func(r *request) (users, groups []uint32, err error)

// The relations of users and groups.
var (
	membersOfGroup    relation = (*request).membersOfGroup
	allMembersOfGroup relation = (*request).allMembersOfGroup
	ownersOfGroup     relation = (*request).ownersOfGroup
	groupsOfUser      relation = (*request).groupsOfUser
	allGroupsOfUser   relation = (*request).allGroupsOfUser
	groupsOfGroup     relation = (*request).groupsOfGroup
	allGroupsOfGroup  relation = (*request).allGroupsOfGroup
)

func (r *request) membersOfGroup() (users, groups []uint32, err error) {
	group, err := r.group()
	if err != nil {
		return nil, nil, err
	}
	return usersIn(r.image.Licensing.GroupMembers(group)), r.image.Directory.GroupMembersOf(group), nil
}

// allMembersOfGroup are the members, and those of the groups among them, and so on. A group in a circle is no member of itself.
func (r *request) allMembersOfGroup() (users, groups []uint32, err error) {
	group, err := r.group()
	if err != nil {
		return nil, nil, err
	}
	groups = r.image.Directory.Within(group)
	all := roaring.New()
	for _, inner := range groups {
		if members := r.image.Licensing.GroupMembers(inner); members != nil {
			all.Or(members)
		}
	}
	return all.ToArray(), others(groups, group), nil
}

func (r *request) ownersOfGroup() (users, groups []uint32, err error) {
	group, err := r.group()
	if err != nil {
		return nil, nil, err
	}
	return r.image.Directory.Owners(group), nil, nil
}

func (r *request) groupsOfUser() (users, groups []uint32, err error) {
	user, err := r.user()
	if err != nil {
		return nil, nil, err
	}
	return nil, r.image.Directory.MemberOf(user), nil
}

func (r *request) allGroupsOfUser() (users, groups []uint32, err error) {
	_, groups, err = r.groupsOfUser()
	return nil, r.image.Directory.Around(groups), err
}

func (r *request) groupsOfGroup() (users, groups []uint32, err error) {
	group, err := r.group()
	if err != nil {
		return nil, nil, err
	}
	return nil, r.image.Directory.GroupMemberOf(group), nil
}

func (r *request) allGroupsOfGroup() (users, groups []uint32, err error) {
	group, err := r.group()
	if err != nil {
		return nil, nil, err
	}
	return nil, others(r.image.Directory.Around(r.image.Directory.GroupMemberOf(group)), group), nil
}

// others takes one out of a list of its own.
func others(list []uint32, one uint32) []uint32 {
	return slices.DeleteFunc(list, func(o uint32) bool { return o == one })
}

// live answers those of a relation that are not deleted.
func (rel relation) live(r *request) (users, groups []uint32, err error) {
	if users, groups, err = rel(r); err != nil {
		return nil, nil, err
	}
	users = slices.DeleteFunc(slices.Clone(users), r.image.Directory.UserHidden)
	groups = slices.DeleteFunc(slices.Clone(groups), r.image.Directory.GroupHidden)
	return users, groups, nil
}

// list answers GET …/members and the like.
func (rel relation) list(_ *API, r *request) error {
	users, groups, err := rel.live(r)
	if err != nil {
		return err
	}
	write, err := r.objectWriter()
	if err != nil {
		return err
	}
	return r.sendObjects("directoryObjects", users, groups, write)
}

// users answers GET …/members/microsoft.graph.user: the users alone, which need no type then.
func (rel relation) users(_ *API, r *request) error {
	users, _, err := rel.live(r)
	if err != nil {
		return err
	}
	fields, err := ofOneType(r, userFields, identity.ReadUsers)
	if err != nil {
		return err
	}
	return r.sendObjects("users", users, nil, func(b []byte, o object) []byte {
		return append(appendFields(r.appendTypeInFull(b, userType), fields, o.user), '}')
	})
}

// groups answers GET …/memberOf/microsoft.graph.group: the groups alone.
func (rel relation) groups(_ *API, r *request) error {
	_, groups, err := rel.live(r)
	if err != nil {
		return err
	}
	fields, err := ofOneType(r, groupFields, identity.ReadGroups)
	if err != nil {
		return err
	}
	return r.sendObjects("groups", nil, groups, func(b []byte, o object) []byte {
		return append(appendFields(r.appendTypeInFull(b, groupType), fields, o.group), '}')
	})
}

// ofOneType answers the fields of $select that the caller may see. They must all be of the type.
func ofOneType[T any](r *request, set *fieldSet[T], need identity.Operation) ([]*field[T], error) {
	if _, err := set.selection(r.options.Select); err != nil {
		return nil, err
	}
	return narrowed(r, set, need)
}

// appendTypeInFull begins an object whose type the address says, so that only full metadata repeats it (P5).
func (r *request) appendTypeInFull(b []byte, name string) []byte {
	if r.metadata != "full" {
		return append(b, '{')
	}
	return r.appendType(b, name)
}

// count, countUsers and countGroups answer GET …/$count, behind a cast or not (P26).
func (rel relation) count(_ *API, r *request) error {
	users, groups, err := rel.live(r)
	return r.sendLength(len(users)+len(groups), err)
}

func (rel relation) countUsers(_ *API, r *request) error {
	users, _, err := rel.live(r)
	return r.sendLength(len(users), err)
}

func (rel relation) countGroups(_ *API, r *request) error {
	_, groups, err := rel.live(r)
	return r.sendLength(len(groups), err)
}

func (r *request) sendLength(n int, err error) error {
	if err != nil {
		return err
	}
	if err := r.allow(); err != nil {
		return err
	}
	if !r.eventual() {
		return unsupported("$count is only supported for advanced queries. Send the header 'ConsistencyLevel: eventual' with it.")
	}
	return r.sendText(strconv.Itoa(n))
}

// references answers GET …/members/$ref: the addresses of the objects, for which nothing of them needs to be read.
func (rel relation) references(_ *API, r *request) error {
	if err := r.allow("$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	users, groups, err := rel.live(r)
	if err != nil {
		return err
	}
	page, err := r.page()
	if err != nil {
		return err
	}
	count, err := r.countOf(len(users) + len(groups))
	if err != nil {
		return err
	}
	return sendList(r, list[int64]{
		context: "Collection($ref)", rows: page.places(users, groups), limit: page.limit, count: count,
		place: func(place int64) int64 { return place },
		write: func(b []byte, place int64) []byte {
			b = append(append(append(b, `{"@odata.id":"`...), r.root...), "/directoryObjects/"...)
			return append(appendBareID(b, idAt(r.image.Directory, place)), `"}`...)
		},
	})
}

// idAt is the id of the user or group at a place.
func idAt(index *directory.Index, place int64) uuid.UUID {
	if place >= groupsFrom {
		return index.GroupID(uint32(place - groupsFrom))
	}
	return index.UserID(uint32(place))
}
