package graph

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"licensor/internal/fold"
	"licensor/internal/graph/edm"
	"licensor/internal/graph/route"
)

// place is what an address leads to.
type place struct {
	typeName string // of the contract, or $ref
	list     bool
	context  string // a pattern for what follows $metadata#, without $select and /$entity
	delta    bool
	action   bool // what an action answers is the whole object
	property bool // of an object
}

// walk follows a path through the contract.
func (c *csdl) walk(method string, path []string) (p place, err error) {
	name, inner, _ := route.Parentheses(path[0])
	if set, typeName := findName(c.Sets, name); set != "" {
		p = place{typeName: typeName, list: inner == "", context: regexp.QuoteMeta(set)}
	} else if root, typeName := findName(c.Roots, path[0]); root != "" {
		p = place{typeName: typeName, context: regexp.QuoteMeta(root)}
		if root == "me" {
			p.context = "users"
		}
	} else {
		return p, fmt.Errorf("%s is no set of the contract", path[0])
	}
	for _, segment := range path[1:] {
		if p, err = c.step(p, segment); err != nil {
			return p, err
		}
	}
	if method == "POST" && !p.action {
		p.list = false // what was created
	}
	return p, nil
}

func findName(names map[string]string, name string) (found, typeName string) {
	for n, t := range names {
		if strings.EqualFold(n, name) {
			return n, t
		}
	}
	return "", ""
}

const guidPattern = `[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`

// step follows one segment.
func (c *csdl) step(p place, segment string) (place, error) {
	name, inner, called := route.Parentheses(segment)
	plain, qualified := edm.WithoutNamespace(name)
	if qualified {
		plain, _ = fold.Among(slices.Collect(maps.Keys(c.Entities)), plain)
	}
	bound := p.typeName
	if p.list {
		bound = "Collection(" + p.typeName + ")"
	}
	switch {
	case segment == "$count":
		return place{typeName: "$count"}, nil
	case segment == "$ref":
		return place{typeName: "$ref", list: p.list, context: `(Collection\(\$ref\)|\$ref)`}, nil
	case plain != name && c.Entities[plain] != nil:
		p.typeName = plain
		p.context = regexp.QuoteMeta(c.setOf(plain))
		return p, nil
	}
	if a, ok := c.action(bound, plain); ok {
		return c.called(p, a)
	}
	if n, ok := c.navigation(p.typeName, name); ok && !p.list {
		return c.related(p, n, called && inner != ""), nil
	}
	if of, ok := c.propertyNamed(p.typeName, name); ok && !p.list {
		return c.propertyAt(p, of), nil
	}
	if segment == "$value" {
		return place{typeName: "$count"}, nil
	}
	if !p.list {
		return p, fmt.Errorf("the contract has no %s of %s", segment, p.typeName)
	}
	p.list = false
	return p, nil
}

// propertyNamed finds a property, in any letter case it is named, also one that only beta has.
func (c *csdl) propertyNamed(typeName, name string) (csdlProperty, bool) {
	for _, t := range c.bases(typeName) {
		for _, p := range t.Properties {
			if strings.EqualFold(p.Name, name) {
				return p, true
			}
		}
	}
	if name, ok := betaOnlyProperty(typeName, name); ok {
		return csdlProperty{Name: name, Type: edm.PropertyType(typeName, name)}, true
	}
	return csdlProperty{}, false
}

// propertyAt is where the name of a property leads, or of one within a property (P27).
func (c *csdl) propertyAt(p place, of csdlProperty) place {
	typeName := bare(strings.TrimSuffix(of.Type, "!"))
	element, list := strings.CutPrefix(typeName, "Collection(")
	to := place{
		typeName: strings.TrimSuffix(element, ")"), list: list, property: true, context: p.context + "/" + of.Name,
	}
	if !p.property {
		to.context = p.context + `\('[^']+'\)/` + of.Name
	}
	if c.Enums[to.typeName] != nil {
		to.typeName = "Edm.String"
	}
	return to
}

// betaOnlyProperty reports whether only beta has a property.
func betaOnlyProperty(typeName, name string) (spelled string, ok bool) {
	of := edm.BetaOnly[typeName]
	return fold.Among(slices.Concat(of.Nulls, of.Lists, of.OnSelect, of.Kept, []string{"publishedPermissionScopes"}), name)
}

// called is what an action or a function answers.
func (c *csdl) called(p place, a csdlAction) (place, error) {
	if a.ReturnType == nil {
		return place{}, fmt.Errorf("%s answers nothing", a.Name)
	}
	typeName := bare(a.ReturnType.Type)
	element, list := strings.CutPrefix(typeName, "Collection(")
	element = strings.TrimSuffix(element, ")")
	to := place{
		typeName: element, list: list, action: true, delta: a.Name == "delta",
		context: regexp.QuoteMeta(c.setOf(element)),
	}
	switch {
	case to.delta:
		to.context = p.context
	case strings.HasPrefix(element, "Edm."):
		to.context = regexp.QuoteMeta(typeName)
	case c.Complexes[element] != nil:
		to.context = regexp.QuoteMeta(edm.Namespace + element)
	}
	return to, nil
}

// related is where a navigation property leads.
func (c *csdl) related(p place, n csdlProperty, keyed bool) place {
	typeName := bare(n.Type)
	element, list := strings.CutPrefix(typeName, "Collection(")
	element = strings.TrimSuffix(element, ")")
	context := regexp.QuoteMeta(c.setOf(element))
	if n.Contains && element != "directoryObject" {
		context = p.context + "/" + n.Name
		if p.context != "directory" && p.context != "auditLogs" && !strings.HasPrefix(p.context, "roleManagement") {
			context = p.context + `\('` + guidPattern + `'\)/` + n.Name
		}
	}
	return place{typeName: element, list: list && !keyed, context: context}
}

// setOf is the set whose elements are of a type.
func (c *csdl) setOf(typeName string) string {
	for set, t := range c.Sets {
		if t == typeName {
			return set
		}
	}
	return typeName
}
