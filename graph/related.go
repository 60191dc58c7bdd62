package graph

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/directory"
	"licensor/identity"
)

// sets are the objects that a list of a relation has: a set for each kind, nil where there are none. Deleted ones may be among
// them.
type sets struct {
	users, groups, principals, applications *roaring.Bitmap

	roles []uint32 // by their places in identity.Roles, ascending
}

func usersOf(users []uint32) sets   { return sets{users: roaring.BitmapOf(users...)} }
func groupsOf(groups []uint32) sets { return sets{groups: roaring.BitmapOf(groups...)} }

// liveGroups lists the groups that are not deleted.
func (s sets) liveGroups(index *directory.Index) []uint32 {
	if s.groups == nil {
		return nil
	}
	return slices.DeleteFunc(s.groups.ToArray(), index.GroupHidden)
}

// relation returns the objects that the object of a request is related to in some way. Its methods are the operations that every
// relation has.
type relation func(r *request) (sets, error)

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

func (r *request) membersOfGroup() (sets, error) {
	group, err := r.group()
	if err != nil {
		return sets{}, err
	}
	of := r.linked(r.image.Links.From(directory.HasMember, r.image.Directory.GroupID(group)))
	of.users, of.groups = r.image.Licensing.GroupMembers(group), roaring.BitmapOf(r.image.Directory.GroupMembersOf(group)...)
	return of, nil
}

// allMembersOfGroup are the members, and those of the groups among them, and so on. A group in a circle is no member of itself.
func (r *request) allMembersOfGroup() (sets, error) {
	group, err := r.group()
	if err != nil {
		return sets{}, err
	}
	groups := r.image.Directory.Within(group)
	all := sets{users: roaring.New()}
	for _, inner := range groups {
		if members := r.image.Licensing.GroupMembers(inner); members != nil {
			all.users.Or(members)
		}
		r.addLinked(&all, r.image.Links.From(directory.HasMember, r.image.Directory.GroupID(inner)))
	}
	all.groups = roaring.BitmapOf(others(groups, group)...)
	return all, nil
}

func (r *request) ownersOfGroup() (sets, error) {
	group, err := r.group()
	if err != nil {
		return sets{}, err
	}
	of := r.linked(r.image.Links.From(directory.OwnedBy, r.image.Directory.GroupID(group)))
	of.users = roaring.BitmapOf(r.image.Directory.Owners(group)...)
	return of, nil
}

func (r *request) groupsOfUser() (sets, error) {
	user, err := r.user()
	if err != nil {
		return sets{}, err
	}
	return groupsOf(r.image.Directory.MemberOf(user)), nil
}

func (r *request) allGroupsOfUser() (sets, error) {
	user, err := r.user()
	if err != nil {
		return sets{}, err
	}
	return groupsOf(r.image.Directory.Around(r.image.Directory.MemberOf(user))), nil
}

func (r *request) groupsOfGroup() (sets, error) {
	group, err := r.group()
	if err != nil {
		return sets{}, err
	}
	return groupsOf(r.image.Directory.GroupMemberOf(group)), nil
}

func (r *request) allGroupsOfGroup() (sets, error) {
	group, err := r.group()
	if err != nil {
		return sets{}, err
	}
	return groupsOf(others(r.image.Directory.Around(r.image.Directory.GroupMemberOf(group)), group)), nil
}

// others takes one out of a list of its own.
func others(list []uint32, one uint32) []uint32 {
	return slices.DeleteFunc(list, func(o uint32) bool { return o == one })
}

// onlyUsers, onlyGroups, onlyPrincipals and onlyApplications are the relation behind a cast.
func (rel relation) onlyUsers(r *request) (sets, error) {
	all, err := rel(r)
	return sets{users: all.users}, err
}

func (rel relation) onlyGroups(r *request) (sets, error) {
	all, err := rel(r)
	return sets{groups: all.groups}, err
}

func (rel relation) onlyPrincipals(r *request) (sets, error) {
	all, err := rel(r)
	return sets{principals: all.principals}, err
}

func (rel relation) onlyApplications(r *request) (sets, error) {
	all, err := rel(r)
	return sets{applications: all.applications}, err
}

// list answers GET …/members and the like.
func (rel relation) list(_ *API, r *request) error {
	if _, err := rel(r); err != nil { // that there is none of these comes first
		return err
	}
	w, err := r.objectWriter()
	if err != nil {
		return err
	}
	return r.sendObjects("directoryObjects", rel, w)
}

// users answers GET …/members/microsoft.graph.user: the users alone, which need no type then.
func (rel relation) users(_ *API, r *request) error {
	if _, err := rel(r); err != nil {
		return err
	}
	fields, err := ofOneType(r, userFields, userExpansions, identity.ReadUsers)
	if err != nil {
		return err
	}
	return r.sendObjects("users", rel.onlyUsers, &objectWriter{users: documented(fields), write: func(b []byte, o object) []byte {
		return append(appendFields(r.appendTypeInFull(b, userType), fields, o.user), '}')
	}})
}

// groups answers GET …/memberOf/microsoft.graph.group: the groups alone.
func (rel relation) groups(_ *API, r *request) error {
	if _, err := rel(r); err != nil {
		return err
	}
	fields, err := ofOneType(r, groupFields, groupExpansions, identity.ReadGroups)
	if err != nil {
		return err
	}
	return r.sendObjects("groups", rel.onlyGroups, &objectWriter{groups: documented(fields), write: func(b []byte, o object) []byte {
		return append(appendFields(r.appendTypeInFull(b, groupType), fields, o.group), '}')
	}})
}

// principals answers GET …/members/microsoft.graph.servicePrincipal: the service principals alone.
func (rel relation) principals(_ *API, r *request) error {
	return rel.sendApplications(r, "servicePrincipals", rel.onlyPrincipals, principalFields, func(o object) *application { return o.principal })
}

// applications answers GET …/ownedObjects/microsoft.graph.application: the applications alone.
func (rel relation) applications(_ *API, r *request) error {
	return rel.sendApplications(r, "applications", rel.onlyApplications, applicationFields, func(o object) *application { return o.application })
}

func (rel relation) sendApplications(r *request, set string, only relation, all *fieldSet[application], of func(object) *application) error {
	if _, err := rel(r); err != nil {
		return err
	}
	fields, err := ofOneType(r, all, nil, identity.ReadApplications)
	if err != nil {
		return err
	}
	return r.sendObjects(set, only, &objectWriter{write: func(b []byte, o object) []byte {
		return append(appendFields(r.appendTypeInFull(b, all.typeName), fields, of(o)), '}')
	}})
}

// ofOneType returns the fields of $select and $expand that the caller may see. They must all be of the type.
func ofOneType[T any](r *request, set *fieldSet[T], expansions map[string]expansion[T], need identity.Operation) ([]*field[T], error) {
	if _, err := set.selection(r.options.Select); err != nil {
		return nil, err
	}
	fields, err := narrowed(r, set, need)
	if err != nil {
		return nil, err
	}
	return expanded(r, set, expansions, fields)
}

// appendTypeInFull begins an object whose type the address says, so that only full metadata repeats it (P5).
func (r *request) appendTypeInFull(b []byte, name string) []byte {
	if r.metadata != "full" {
		return append(b, '{')
	}
	return r.appendType(b, name)
}

// count, countUsers, countGroups and countPrincipals answer GET …/$count, behind a cast or not (P26).
func (rel relation) count(_ *API, r *request) error       { return r.sendLength(rel) }
func (rel relation) countUsers(_ *API, r *request) error  { return r.sendLength(rel.onlyUsers) }
func (rel relation) countGroups(_ *API, r *request) error { return r.sendLength(rel.onlyGroups) }
func (rel relation) countPrincipals(_ *API, r *request) error {
	return r.sendLength(rel.onlyPrincipals)
}

// references answers GET …/members/$ref: the addresses of the objects, for which nothing of them needs to be read.
func (rel relation) references(_ *API, r *request) error {
	if err := r.allow("$filter", "$search", "$orderby", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	found, err := r.findRelated(rel)
	if err != nil {
		return err
	}
	places, next, err := found.places(r)
	if err != nil {
		return err
	}
	return sendList(r, list[int64]{
		context: "Collection($ref)", rows: places, count: found.count, next: next,
		write: func(b []byte, place int64) []byte {
			b = append(append(append(b, `{"@odata.id":"`...), r.root...), "/directoryObjects/"...)
			return append(appendBareID(b, r.idAt(place)), `"}`...)
		},
	})
}

// idAt is the id of the object at a place.
func (r *request) idAt(place int64) uuid.UUID {
	switch ordinal := uint32(place); {
	case place >= rolesFrom:
		return identity.RoleObjectID(r.image.Organization.ID, identity.Roles[ordinal].ID)
	case place >= applicationsFrom:
		return r.image.Applications.At(ordinal).ID
	case place >= principalsFrom:
		return r.image.Principals.At(ordinal).ID
	case place >= groupsFrom:
		return r.image.Directory.GroupID(ordinal)
	default:
		return r.image.Directory.UserID(ordinal)
	}
}
