package graph

import (
	"slices"

	"licensor/internal/graph/odata"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
)

// objectType is a type of directory objects in responses.
type objectType interface {
	name() string // with its namespace
	// knows, links and expands report whether the type has a property, a navigation property or an
	// expansion with a name.
	knows(name string) bool
	links(name string) bool
	expands(name string) bool
	// among returns the writer of the type's objects in a list with objects of several types, after
	// their type, and whether it needs their documents.
	among(r *wire.Request) (write func([]byte, object) []byte, documented bool, err error)
	// alone returns the writer of a list of the type.
	alone(r *wire.Request) (*objectWriter, error)
}

// objectTypes are the types that have objects here.
var objectTypes = []objectType{
	userObjects, groupObjects, applicationObjects, principalObjects, unitObjects, roleObjects,
}

var (
	userObjects = shownType[user]{
		userFields, userExpansions, identity.ReadUsers,
		func(o object) *user { return o.(*user) },
	}
	groupObjects = shownType[group]{
		groupFields, groupExpansions, identity.SeeGroups,
		func(o object) *group { return o.(*group) },
	}
	applicationObjects = shownType[application]{
		applicationFields, applicationExpansions, identity.ReadApplications,
		func(o object) *application { return o.(*application) },
	}
	principalObjects = shownType[application]{
		principalFields, principalExpansions, identity.ReadPrincipals,
		func(o object) *application { return o.(servicePrincipal).application },
	}
	unitObjects = shownType[unit]{
		unitFields, unitExpansions, identity.ReadUnits,
		func(o object) *unit { return o.(*unit) },
	}
	roleObjects = shownType[directoryRole]{
		roleFields, roleExpansions, identity.ReadRoles,
		func(o object) *directoryRole { return o.(*directoryRole) },
	}
)

// shownType is an objectType whose objects are shown as T.
type shownType[T any] struct {
	fields     *wire.FieldSet[T]
	expansions map[string]wire.Expansion[T]
	need       identity.Operation // the permission to read them
	of         func(object) *T
}

func (t shownType[T]) name() string             { return t.fields.TypeName }
func (t shownType[T]) knows(name string) bool   { return t.fields.Knows(name) }
func (t shownType[T]) expands(name string) bool { return t.expansions[name] != nil }

func (t shownType[T]) links(name string) bool {
	_, ok := t.fields.Links.Find(name)
	return ok
}

func (t shownType[T]) among(r *wire.Request) (func([]byte, object) []byte, bool, error) {
	fields, err := t.mixed(r)
	if err != nil {
		return nil, false, err
	}
	return func(b []byte, o object) []byte {
		return append(wire.AppendFields(b, fields, t.of(o)), '}')
	}, wire.Documented(fields), nil
}

// mixed returns the fields of $select and $expand that the type has, for a list with objects of
// several types.
func (t shownType[T]) mixed(r *wire.Request) ([]*wire.Field[T], error) {
	fields, err := narrowed(r, t.fields, t.need)
	if err != nil || len(r.Options.Expand) == 0 {
		return fields, err
	}
	own, options := *r, *r.Options
	options.Expand = slices.DeleteFunc(slices.Clone(options.Expand), func(e odata.Expansion) bool {
		if t.expansions[e.Name] == nil {
			return canExpand(e.Name)
		}
		return r.MayExpand(t.fields.TypeName, e.Name) != nil
	})
	own.Options = &options
	return wire.Expanded(&own, t.fields, t.expansions, fields)
}

// alone writes objects without their type. $select and $expand must be of that type.
func (t shownType[T]) alone(r *wire.Request) (*objectWriter, error) {
	if _, err := t.fields.Selection(r, r.Options.Select); err != nil {
		return nil, err
	}
	fields, err := narrowed(r, t.fields, t.need)
	if err != nil {
		return nil, err
	}
	if fields, err = wire.Expanded(r, t.fields, t.expansions, fields); err != nil {
		return nil, err
	}
	documented := map[string]bool{t.fields.TypeName: wire.Documented(fields)}
	return &objectWriter{documented: documented, write: func(b []byte, o object) []byte {
		return append(wire.AppendFields(appendTypeInFull(r, b, t.fields.TypeName), fields, t.of(o)), '}')
	}}, nil
}

// canExpand reports whether some directory object has an expansion.
func canExpand(name string) bool {
	return slices.ContainsFunc(objectTypes, func(t objectType) bool { return t.expands(name) })
}

// isObjectProperty reports whether some directory object has a property.
func isObjectProperty(name string) bool {
	return slices.ContainsFunc(objectTypes, func(t objectType) bool { return t.knows(name) })
}

// isObjectLink reports whether some directory object has a navigation property.
func isObjectLink(name string) bool {
	return slices.ContainsFunc(objectTypes, func(t objectType) bool { return t.links(name) })
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
		case ok && f.Write != nil:
			fields = append(fields, f)
		case ok: // a stream
		case !isObjectProperty(name):
			return set.Selection(r, []string{name})
		}
	}
	access, _ := need.Check(r.Caller, identity.RelationOther) // without access only the id remains
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
