package graph

import (
	"slices"

	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/wire"
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
func newObjectWriter(r *wire.Request) (*objectWriter, error) {
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
	return &objectWriter{users: wire.Documented(users), groups: wire.Documented(groups), write: func(b []byte, o object) []byte {
		switch {
		case o.user != nil:
			return append(wire.AppendFields(r.AppendType(b, userType), users, o.user), '}')
		case o.group != nil:
			return append(wire.AppendFields(r.AppendType(b, groupType), groups, o.group), '}')
		}
		return other(b, o)
	}}, nil
}

// mixed returns the fields of $select and $expand that a type has, of a list with objects of
// several types.
func mixed[T any](r *wire.Request, set *wire.FieldSet[T], expansions map[string]wire.Expansion[T], need identity.Operation) ([]*wire.Field[T], error) {
	fields, err := narrowed(r, set, need)
	if err != nil || len(r.Options.Expand) == 0 {
		return fields, err
	}
	own, options := *r, *r.Options
	options.Expand = slices.DeleteFunc(slices.Clone(options.Expand), func(e odata.Expansion) bool {
		if expansions[e.Name] == nil {
			return canExpand(e.Name)
		}
		return r.MayExpand(set.TypeName, e.Name) != nil
	})
	own.Options = &options
	return wire.Expanded(&own, set, expansions, fields)
}

// otherWriter is objectWriter for what is no user and no group.
func otherWriter(r *wire.Request) (func([]byte, object) []byte, error) {
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
			return append(wire.AppendFields(r.AppendType(b, applicationFields.TypeName), applications, o.application), '}')
		case o.principal != nil:
			return append(wire.AppendFields(r.AppendType(b, principalFields.TypeName), principals, o.principal), '}')
		case o.unit != nil:
			return append(wire.AppendFields(r.AppendType(b, unitFields.TypeName), units, o.unit), '}')
		}
		return append(wire.AppendFields(r.AppendType(b, roleFields.TypeName), roles, o.role), '}')
	}, nil
}

// isObjectProperty reports whether some directory object has a property.
func isObjectProperty(name string) bool {
	return userFields.Knows(name) || groupFields.Knows(name) || applicationFields.Knows(name) || principalFields.Knows(name) || unitFields.Knows(name) || roleFields.Knows(name)
}

// isObjectLink says whether some directory object has a navigation property.
func isObjectLink(name string) bool {
	for _, links := range []fold.Names[string]{userFields.Links, groupFields.Links, applicationFields.Links, principalFields.Links, unitFields.Links, roleFields.Links} {
		if _, ok := links.Find(name); ok {
			return true
		}
	}
	return false
}

// narrowed returns the fields of $select that a type has and the caller may see.
func narrowed[T any](r *wire.Request, set *wire.FieldSet[T], need identity.Operation) ([]*wire.Field[T], error) {
	fields := set.Shown(r).Defaults
	if len(r.Options.Select) > 0 {
		fields = nil
	}
	set.Spell(r.Options.Select)
	for _, name := range r.Options.Select {
		switch f, ok := set.ByName.Find(name); {
		case ok:
			fields = append(fields, f)
		case !isObjectProperty(name):
			return set.Selection(r, []string{name})
		}
	}
	access, _ := need.Check(r.Caller, identity.RelationOther) // without access the id is left
	if access != identity.AccessFull {
		fields = slices.DeleteFunc(slices.Clone(fields), func(f *wire.Field[T]) bool {
			return f.Name != "id" && (access == identity.AccessNone || !slices.Contains(set.Basic, f.Name))
		})
	}
	if r.Metadata == "full" {
		fields = append(set.Annotations(r)[1:], fields...) // the type is written anyway
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
func readObjects(r *wire.Request, users, groups []uint32, w *objectWriter) wire.Source[object] {
	return wire.OneAfterAnother(
		wire.Mapped(userList.At(r, users, w.users), func(u *user) object { return object{user: u} }),
		wire.Mapped(groupList.At(r, groups, w.groups), func(g *group) object { return object{group: g} }),
	)
}
