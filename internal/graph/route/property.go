package route

import (
	"slices"
	"strings"

	"licensor/internal/graph/edm"
)

// Elsewhere are properties whose URLs have another meaning in Graph, which is not supported.
var Elsewhere = []string{"logo", "mailboxSettings", "print"}

// addProperties adds the paths of an object's properties below its own.
func (n *Place[Op]) addProperties(of Object[Op]) {
	for _, name := range of.Properties {
		if !slices.Contains(Elsewhere, name) {
			n.addProperty(of.Route, name, edm.PropertyType(of.Type, name))
		}
	}
}

// addProperty adds the path of one property. It does not replace an existing operation.
func (n *Place[Op]) addProperty(of Route[Op], name, typeName string) {
	p := childIn(&n.names, strings.ToLower(name))
	if len(p.Operations) > 0 {
		return
	}
	p.Property = name
	p.serve(of.Method, of.Op)
	typeName = strings.TrimSuffix(typeName, "!")
	if inner, ok := edm.ComplexMembers(typeName); ok {
		for _, member := range inner {
			p.addProperty(of, member.Name, member.Type)
		}
		return
	}
	if !strings.HasPrefix(typeName, "Collection(") {
		value := childIn(&p.names, "$value")
		value.raw = true
		value.serve(of.Method, of.Op)
	}
}
