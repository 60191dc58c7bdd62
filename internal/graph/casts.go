package graph

import (
	"licensor/internal/graph/edm"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
)

// cast is a type that the list of a relation can be narrowed to: …/members/microsoft.graph.user
// (P28).
type cast struct {
	set    string // as contexts name it
	only   func(sets) sets
	writer func(*wire.Request) (*objectWriter, error)
}

// casts are the types of directory objects, by name in lower case. Of those without a writer there
// are no objects here.
var casts map[string]cast

func init() { // they lead to expansions, which lead to the fields they are shown among
	casts = map[string]cast{
		"directoryobject": {"directoryObjects", func(s sets) sets { return s }, newObjectWriter},
		"user": {"users", func(s sets) sets { return sets{users: s.users} }, func(r *wire.Request) (*objectWriter, error) {
			return writerOfOne(r, userFields, userExpansions, identity.ReadUsers, func(o object) *user { return o.user })
		}},
		"group": {"groups", func(s sets) sets { return sets{groups: s.groups} }, func(r *wire.Request) (*objectWriter, error) {
			return writerOfOne(r, groupFields, groupExpansions, identity.SeeGroups, func(o object) *group { return o.group })
		}},
		"serviceprincipal": {"servicePrincipals", func(s sets) sets { return sets{principals: s.principals} }, func(r *wire.Request) (*objectWriter, error) {
			return writerOfOne(r, principalFields, principalExpansions, identity.ReadPrincipals, func(o object) *application { return o.principal })
		}},
		"application": {"applications", func(s sets) sets { return sets{applications: s.applications} }, func(r *wire.Request) (*objectWriter, error) {
			return writerOfOne(r, applicationFields, applicationExpansions, identity.ReadApplications, func(o object) *application { return o.application })
		}},
		"directoryrole": {"directoryRoles", func(s sets) sets { return sets{roles: s.roles} }, func(r *wire.Request) (*objectWriter, error) {
			return writerOfOne(r, roleFields, roleExpansions, identity.ReadRoles, func(o object) *directoryRole { return o.role })
		}},
		"administrativeunit": {edm.UnitSet, func(s sets) sets { return sets{units: s.units} }, func(r *wire.Request) (*objectWriter, error) {
			return writerOfOne(r, unitFields, unitExpansions, identity.ReadUnits, func(o object) *unit { return o.unit })
		}},
		"approleassignment": {set: "appRoleAssignments"}, "contract": {set: "contracts"},
		"device": {set: "devices"}, "directoryroletemplate": {set: "directoryRoleTemplates"}, "endpoint": {set: "endpoints"},
		"organization": {set: "organization"}, "orgcontact": {set: "contacts"}, "resourcespecificpermissiongrant": {set: "permissionGrants"},
	}
}

// writerOfOne writes objects of one type, which need not be said then. $select and $expand must be
// of that type.
func writerOfOne[T any](r *wire.Request, set *wire.FieldSet[T], expansions map[string]wire.Expansion[T], need identity.Operation, of func(object) *T) (*objectWriter, error) {
	fields, err := ofOneType(r, set, expansions, need)
	if err != nil {
		return nil, err
	}
	needed := wire.Documented(fields)
	return &objectWriter{users: needed, groups: needed, write: func(b []byte, o object) []byte {
		return append(wire.AppendFields(appendTypeInFull(r, b, set.TypeName), fields, of(o)), '}')
	}}, nil
}

// ofOneType returns the fields of $select and $expand that the caller may see. They must all be of
// the type.
func ofOneType[T any](r *wire.Request, set *wire.FieldSet[T], expansions map[string]wire.Expansion[T], need identity.Operation) ([]*wire.Field[T], error) {
	if _, err := set.Selection(r, r.Options.Select); err != nil {
		return nil, err
	}
	fields, err := narrowed(r, set, need)
	if err != nil {
		return nil, err
	}
	return wire.Expanded(r, set, expansions, fields)
}

// appendTypeInFull begins an object whose type the address says, so that only full metadata repeats
// it (P5).
func appendTypeInFull(r *wire.Request, b []byte, name string) []byte {
	if r.Metadata != "full" {
		return append(b, '{')
	}
	return r.AppendType(b, name)
}

// castOf is the type that the path casts to. The routes let no other name through.
func castOf(r *wire.Request) cast { return casts[r.Keys[len(r.Keys)-1]] }

// behind is the relation behind the cast.
func (rel relation) behind(c cast) relation {
	return func(r *wire.Request) (sets, error) {
		all, err := rel(r)
		if err != nil || c.only == nil {
			return sets{}, err
		}
		return c.only(all), nil
	}
}

// cast answers GET …/members/microsoft.graph.user and the like: the objects of one type.
func (rel relation) cast(r *wire.Request) error { return rel.as(r, castOf(r)) }

// principals answers GET …/appRoleAssignedResources, which has service principals only.
func (rel relation) principals(r *wire.Request) error { return rel.as(r, casts["serviceprincipal"]) }

// as answers with the objects of one type.
func (rel relation) as(r *wire.Request, c cast) error {
	if _, err := rel(r); err != nil {
		return err
	}
	if c.writer == nil {
		return sendNone(r, c.set)
	}
	w, err := c.writer(r)
	if err != nil {
		return err
	}
	return sendObjects(r, c.set, rel.behind(c), w)
}

// countCast answers GET …/members/microsoft.graph.user/$count.
func (rel relation) countCast(r *wire.Request) error { return sendLength(r, rel.behind(castOf(r))) }

// sendNone answers with the list of objects of a type of which there are none, whatever is asked of
// it.
func sendNone(r *wire.Request, set string) error {
	if err := r.Allow("$select", "$expand", "$filter", "$search", "$orderby", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	if err := mayAskRelated(r); err != nil {
		return err
	}
	for _, spell := range []func([]string){userFields.Spell, groupFields.Spell, principalFields.Spell} { // what their types have as well
		spell(r.Options.Select)
	}
	return wire.SendList(r, wire.List[object]{Context: r.Selected(set), Count: r.CountOf(0)})
}
