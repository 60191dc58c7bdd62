package graph

import (
	"licensor/internal/graph/edm"
	"licensor/internal/graph/wire"
)

// cast is a type that the list of a relation can be restricted to: …/members/microsoft.graph.user
// (P28).
type cast struct {
	set    string // as in contexts
	only   func(sets) sets
	writer func(*wire.Request) (*objectWriter, error)
}

// casts are the types of directory objects, by name in lower case. Types without a writer have no
// objects here.
var casts map[string]cast

func init() { // they refer to expansions, which refer to the fields of casts
	casts = map[string]cast{
		"directoryobject":    {"directoryObjects", func(s sets) sets { return s }, newObjectWriter},
		"user":               {"users", func(s sets) sets { return sets{users: s.users} }, userObjects.alone},
		"group":              {"groups", func(s sets) sets { return sets{groups: s.groups} }, groupObjects.alone},
		"serviceprincipal":   {"servicePrincipals", func(s sets) sets { return sets{principals: s.principals} }, principalObjects.alone},
		"application":        {"applications", func(s sets) sets { return sets{applications: s.applications} }, applicationObjects.alone},
		"directoryrole":      {"directoryRoles", func(s sets) sets { return sets{roles: s.roles} }, roleObjects.alone},
		"administrativeunit": {edm.UnitSet, func(s sets) sets { return sets{units: s.units} }, unitObjects.alone},
		"approleassignment":  {set: "appRoleAssignments"}, "contract": {set: "contracts"},
		"device": {set: "devices"}, "directoryroletemplate": {set: "directoryRoleTemplates"}, "endpoint": {set: "endpoints"},
		"organization": {set: "organization"}, "orgcontact": {set: "contacts"}, "resourcespecificpermissiongrant": {set: "permissionGrants"},
	}
}

// appendTypeInFull begins an object whose type is in the URL, so that only full metadata repeats it
// (P5).
func appendTypeInFull(r *wire.Request, b []byte, name string) []byte {
	if r.Metadata != "full" {
		return append(b, '{')
	}
	return r.AppendType(b, name)
}

// castOf returns the type that the path casts to. The routes accept no other name.
func castOf(r *wire.Request) cast { return casts[r.Keys[len(r.Keys)-1]] }

// behind is a relation with a cast.
func (rel relation) behind(c cast) relation {
	return func(r *wire.Request) (sets, error) {
		all, err := rel(r)
		if err != nil || c.only == nil {
			return sets{}, err
		}
		return c.only(all), nil
	}
}

// cast answers GET …/members/microsoft.graph.user and similar requests: the objects of one type.
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

// sendNone answers with an empty list of a type without objects, whatever the query.
func sendNone(r *wire.Request, set string) error {
	if err := r.Allow("$select", "$expand", "$filter", "$search", "$orderby", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	if err := mayAskRelated(r); err != nil {
		return err
	}
	// Their types have these properties, too.
	for _, spell := range []func([]string){userFields.Spell, groupFields.Spell, principalFields.Spell} {
		spell(r.Options.Select)
	}
	return wire.SendList(r, wire.List[object]{Context: r.Selected(set), Count: r.CountOf(0)})
}
