package graph

import (
	"slices"

	"licensor/identity"
)

// object is an element of a list that may hold users and groups (P21), or another directory object by itself.
type object struct {
	user  *user
	group *group

	application, principal *application
	role                   *directoryRole
}

// place is where an object stands in a list: users before groups, each by ordinal, and directory roles after them.
func (o object) place() int64 {
	switch {
	case o.user != nil:
		return int64(o.user.ordinal)
	case o.role != nil:
		return rolesFrom + int64(slices.Index(identity.Roles, o.role.Role))
	}
	return groupsFrom + int64(o.group.ordinal)
}

// groupsFrom is added to the ordinals of groups, rolesFrom to the places of roles in identity.Roles.
const (
	groupsFrom = int64(1) << 32
	rolesFrom  = int64(2) << 32
)

// sendObjects answers with a page of users, groups and roles, which are live and ascending.
func (r *request) sendObjects(context string, users, groups []uint32, write func([]byte, object) []byte, roles ...uint32) error {
	if err := r.allow("$select", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	page, err := r.page()
	if err != nil {
		return err
	}
	count, err := r.countOf(len(users) + len(groups) + len(roles))
	if err != nil {
		return err
	}
	places := page.places(users, groups, roles...)
	at, _ := slices.BinarySearch(places, groupsFrom)
	end, _ := slices.BinarySearch(places, rolesFrom)
	rows, err := r.readObjects(ordinals(places[:at]), ordinals(places[at:end]))
	if err != nil {
		return err
	}
	for _, role := range ordinals(places[end:]) {
		rows = append(rows, object{role: &directoryRoles(r.image)[role]})
	}
	return sendList(r, list[object]{
		context: r.selected(context), rows: rows, limit: page.limit, count: count, place: object.place, write: write,
	})
}

// countOf is n where the caller wants the count of all, otherwise -1.
func (r *request) countOf(n int) (int, error) {
	if counted, err := r.counting(); err != nil || !counted {
		return -1, err
	}
	return n, nil
}

// places are those of the objects of a page, and of one more when there is one.
func (p page) places(users, groups []uint32, roles ...uint32) []int64 {
	places := make([]int64, 0, len(users)+len(groups)+len(roles))
	for _, ordinal := range users {
		places = append(places, int64(ordinal))
	}
	for _, ordinal := range groups {
		places = append(places, groupsFrom+int64(ordinal))
	}
	for _, role := range roles {
		places = append(places, rolesFrom+int64(role))
	}
	from, _ := slices.BinarySearch(places, p.after+1)
	return places[from:min(len(places), from+p.limit+1)]
}

func ordinals(places []int64) []uint32 {
	list := make([]uint32, len(places))
	for i, place := range places {
		list[i] = uint32(place & (groupsFrom - 1))
	}
	return list
}

// readObjects reads users and groups, at most a page of them, by ordinal. Those that have gone since are left out.
func (r *request) readObjects(users, groups []uint32) ([]object, error) {
	objects := make([]object, 0, len(users)+len(groups))
	people, err := userList.at(r, users, true)
	if err != nil {
		return nil, err
	}
	for i := range people {
		objects = append(objects, object{user: &people[i]})
	}
	others, err := groupList.at(r, groups, true)
	if err != nil {
		return nil, err
	}
	for i := range others {
		objects = append(objects, object{group: &others[i]})
	}
	return objects, nil
}

// objectWriter writes an object with its type and what the caller may see of it: of a type that it may not read, the id. A property
// of $select must be one of some directory object, and shows on those that have it.
func (r *request) objectWriter() (func([]byte, object) []byte, error) {
	users, err := narrowed(r, userFields, identity.ReadUsers)
	if err != nil {
		return nil, err
	}
	groups, err := narrowed(r, groupFields, identity.ReadGroups)
	if err != nil {
		return nil, err
	}
	other, err := r.otherWriter()
	if err != nil {
		return nil, err
	}
	return func(b []byte, o object) []byte {
		switch {
		case o.user != nil:
			return append(appendFields(r.appendType(b, userType), users, o.user), '}')
		case o.group != nil:
			return append(appendFields(r.appendType(b, groupType), groups, o.group), '}')
		}
		return other(b, o)
	}, nil
}

// otherWriter is objectWriter for what is no user and no group.
func (r *request) otherWriter() (func([]byte, object) []byte, error) {
	applications, err := narrowed(r, applicationFields, identity.ReadApplications)
	if err != nil {
		return nil, err
	}
	principals, err := narrowed(r, principalFields, identity.ReadApplications)
	if err != nil {
		return nil, err
	}
	roles, err := narrowed(r, roleFields, identity.ReadRoles)
	if err != nil {
		return nil, err
	}
	return func(b []byte, o object) []byte {
		switch {
		case o.application != nil:
			return append(appendFields(r.appendType(b, applicationFields.typeName), applications, o.application), '}')
		case o.principal != nil:
			return append(appendFields(r.appendType(b, principalFields.typeName), principals, o.principal), '}')
		}
		return append(appendFields(r.appendType(b, roleFields.typeName), roles, o.role), '}')
	}, nil
}

// appendType begins an object with its type (P21).
func (r *request) appendType(b []byte, name string) []byte {
	b = append(b, '{')
	if r.metadata == "none" {
		return b
	}
	return appendText(appendName(b, "@odata.type"), "#"+name)
}

// isObjectProperty says whether some directory object has a property.
func isObjectProperty(name string) bool {
	return userFields.byName[name] != nil || groupFields.byName[name] != nil || applicationFields.byName[name] != nil ||
		principalFields.byName[name] != nil || roleFields.byName[name] != nil
}

// narrowed answers the fields of $select that a type has and the caller may see.
func narrowed[T any](r *request, set *fieldSet[T], need identity.Operation) ([]*field[T], error) {
	fields := set.defaults
	if len(r.options.Select) > 0 {
		fields = nil
	}
	for _, name := range r.options.Select {
		switch f := set.byName[name]; {
		case f != nil:
			fields = append(fields, f)
		case !isObjectProperty(name):
			return set.selection([]string{name})
		}
	}
	access, _ := need.Check(r.caller, identity.Other) // without access the id is left
	if access != identity.Full {
		fields = slices.DeleteFunc(slices.Clone(fields), func(f *field[T]) bool {
			return f.name != "id" && (access == identity.None || !slices.Contains(set.basic, f.name))
		})
	}
	if r.metadata == "full" {
		fields = append(set.annotations(r)[1:], fields...) // the type is written anyway
	}
	return fields, nil
}
