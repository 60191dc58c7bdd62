package graph

import (
	"slices"

	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	"licensor/internal/identity"
)

// object is an element of a list that may hold users and groups (P21), or another directory object
// by itself.
type object struct {
	user  *user
	group *group

	application, principal *application
	unit                   *unit
	role                   *directoryRole
}

// The place of an object in a list that may hold several kinds: users come first, by ordinal;
// groupsFrom is added to the ordinals of groups and so on, rolesFrom to the places of roles in
// identity.BuiltInRoles.
const (
	groupsFrom       = int64(1) << 32
	principalsFrom   = int64(2) << 32
	applicationsFrom = int64(3) << 32
	unitsFrom        = int64(4) << 32
	rolesFrom        = int64(5) << 32
)

// objectWriter writes objects of several kinds, and says of which the documents are needed for
// that.
type objectWriter struct {
	write         func(b []byte, o object) []byte
	users, groups bool
}

// newObjectWriter writes an object with its type and what the caller may see of it: of a type that
// it may not read, the id. A property of $select must be one of some directory object, and shows on
// those that have it.
func newObjectWriter(r *request) (*objectWriter, error) {
	if err := mayExpandObjects(r); err != nil {
		return nil, err
	}
	if err := mayExpandSome(r); err != nil {
		return nil, err
	}
	users, err := mixed(r, userFields, userExpansions, identity.ReadUsers)
	if err != nil {
		return nil, err
	}
	groups, err := mixed(r, groupFields, groupExpansions, identity.SeeGroups)
	if err != nil {
		return nil, err
	}
	other, err := otherWriter(r)
	if err != nil {
		return nil, err
	}
	return &objectWriter{users: documented(users), groups: documented(groups), write: func(b []byte, o object) []byte {
		switch {
		case o.user != nil:
			return append(appendFields(r.appendType(b, userType), users, o.user), '}')
		case o.group != nil:
			return append(appendFields(r.appendType(b, groupType), groups, o.group), '}')
		}
		return other(b, o)
	}}, nil
}

// mixed returns the fields of $select and $expand that a type has, of a list with objects of
// several types.
func mixed[T any](r *request, set *fieldSet[T], expansions map[string]expansion[T], need identity.Operation) ([]*field[T], error) {
	fields, err := narrowed(r, set, need)
	if err != nil || len(r.options.Expand) == 0 {
		return fields, err
	}
	own, options := *r, *r.options
	options.Expand = slices.DeleteFunc(slices.Clone(options.Expand), func(e odata.Expansion) bool {
		if expansions[e.Name] == nil {
			return canExpand(e.Name)
		}
		return r.mayExpand(set.typeName, e.Name) != nil
	})
	own.options = &options
	return expanded(&own, set, expansions, fields)
}

// otherWriter is objectWriter for what is no user and no group.
func otherWriter(r *request) (func([]byte, object) []byte, error) {
	applications, err := mixed(r, applicationFields, applicationExpansions, identity.ReadApplications)
	if err != nil {
		return nil, err
	}
	principals, err := mixed(r, principalFields, principalExpansions, identity.ReadPrincipals)
	if err != nil {
		return nil, err
	}
	units, err := mixed(r, unitFields, unitExpansions, identity.ReadUnits)
	if err != nil {
		return nil, err
	}
	roles, err := mixed(r, roleFields, roleExpansions, identity.ReadRoles)
	if err != nil {
		return nil, err
	}
	return func(b []byte, o object) []byte {
		switch {
		case o.application != nil:
			return append(appendFields(r.appendType(b, applicationFields.typeName), applications, o.application), '}')
		case o.principal != nil:
			return append(appendFields(r.appendType(b, principalFields.typeName), principals, o.principal), '}')
		case o.unit != nil:
			return append(appendFields(r.appendType(b, unitFields.typeName), units, o.unit), '}')
		}
		return append(appendFields(r.appendType(b, roleFields.typeName), roles, o.role), '}')
	}, nil
}

// isObjectProperty reports whether some directory object has a property.
func isObjectProperty(name string) bool {
	return userFields.knows(name) || groupFields.knows(name) || applicationFields.knows(name) || principalFields.knows(name) || unitFields.knows(name) || roleFields.knows(name)
}

// isObjectLink says whether some directory object has a navigation property.
func isObjectLink(name string) bool {
	for _, links := range []fold.Names[string]{userFields.links, groupFields.links, applicationFields.links, principalFields.links, unitFields.links, roleFields.links} {
		if _, ok := links.Find(name); ok {
			return true
		}
	}
	return false
}

// narrowed returns the fields of $select that a type has and the caller may see.
func narrowed[T any](r *request, set *fieldSet[T], need identity.Operation) ([]*field[T], error) {
	fields := set.shown(r).defaults
	if len(r.options.Select) > 0 {
		fields = nil
	}
	set.spell(r.options.Select)
	for _, name := range r.options.Select {
		switch f, ok := set.byName.Find(name); {
		case ok:
			fields = append(fields, f)
		case !isObjectProperty(name):
			return set.selection(r, []string{name})
		}
	}
	access, _ := need.Check(r.caller, identity.RelationOther) // without access the id is left
	if access != identity.AccessFull {
		fields = slices.DeleteFunc(slices.Clone(fields), func(f *field[T]) bool {
			return f.name != "id" && (access == identity.AccessNone || !slices.Contains(set.basic, f.name))
		})
	}
	if r.metadata == "full" {
		fields = append(set.annotations(r)[1:], fields...) // the type is written anyway
	}
	return fields, nil
}

// rowsOf are the ordinals of places of one kind.
func rowsOf(places []int64) []uint32 {
	rows := make([]uint32, len(places))
	for i, place := range places {
		rows[i] = uint32(place)
	}
	return rows
}

// readObjects yields users and groups by ordinal. Those that have gone since are left out.
func readObjects(r *request, users, groups []uint32, w *objectWriter) source[object] {
	return oneAfterAnother(
		mapped(userList.at(r, users, w.users), func(u *user) object { return object{user: u} }),
		mapped(groupList.at(r, groups, w.groups), func(g *group) object { return object{group: g} }),
	)
}
