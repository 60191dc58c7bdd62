package route

import (
	"slices"
	"strings"

	"licensor/internal/graph/edm"
)

// Place is a place in the tree of paths. The path /users/{user}/assignLicense() passes four: the
// root, users, its key, and a bound operation.
type Place[Op any] struct {
	Operations map[string]*Op // the operations, by method
	Property   string         // the name of a property of the previous object (P27)
	Graph      bool           // Graph has the place, supported or not

	names map[string]*Place[Op] // by name in lower case
	key   *Place[Op]            // the next place for other segments
	// cast is the next place after the name of a type of directory objects:
	// …/members/microsoft.graph.user
	cast *Place[Op]
	// alternates are by the lower-case name of another property that can be a key:
	// applications(appId='…')
	alternates map[string]*Place[Op]
	bound      bool // an operation, which may carry its namespace and parentheses
	raw        bool // the property is sent as text: $value
	deep       bool // Graph may have more places below than are known
	function   bool // a function of Graph with parameters
}

// at returns the place of a path template. It creates missing places.
func (n *Place[Op]) at(path string) *Place[Op] {
	if path == "/" {
		return n
	}
	for _, segment := range strings.Split(path[1:], "/") {
		n = n.child(segment)
		n.Graph = !strings.HasPrefix(path, Own)
	}
	return n
}

func (n *Place[Op]) serve(method string, op *Op) {
	if n.Operations == nil {
		n.Operations = map[string]*Op{}
	}
	n.Operations[method] = op
}

// Cast is the segment of a template for the name of a type of directory objects.
const Cast = edm.Namespace + "{type}"

// child returns the place of a segment of a template. It creates a missing place.
func (n *Place[Op]) child(segment string) *Place[Op] {
	if segment[0] == '{' {
		if n.key == nil {
			n.key = new(Place[Op])
		}
		return n.key
	}
	if segment == Cast {
		if n.cast == nil {
			n.cast = new(Place[Op])
		}
		return n.cast
	}
	if set, inner, ok := Parentheses(segment); ok && inner != "" {
		alias, _, _ := strings.Cut(strings.ToLower(inner), "=")
		return n.child(set).alternate(alias)
	}
	name, bound := strings.CutSuffix(strings.ToLower(segment), "()")
	next := childIn(&n.names, name)
	next.bound = next.bound || bound
	return next
}

// childIn returns the place for a name. It creates a missing place.
func childIn[Op any](children *map[string]*Place[Op], name string) *Place[Op] {
	if *children == nil {
		*children = map[string]*Place[Op]{}
	}
	next := (*children)[name]
	if next == nil {
		next = new(Place[Op])
		(*children)[name] = next
	}
	return next
}

func (n *Place[Op]) alternate(alias string) *Place[Op] {
	return childIn(&n.alternates, alias)
}

// Step returns the place after a segment, and the key in it, if any.
func (n *Place[Op]) Step(segment string) (next *Place[Op], key *string, ok bool) {
	if next := n.names[strings.ToLower(segment)]; next != nil {
		return next, nil, true
	}
	if name, value, ok := strings.Cut(segment, "="); ok { // directoryRoles/roleTemplateId={id}
		if n.alternates[strings.ToLower(name)] != nil {
			return n.keyed(name + "='" + strings.Trim(value, "'") + "'")
		}
		if next := n.names[strings.ToLower(name)+"="]; next != nil {
			return next, nil, true
		}
	}
	name, inner, called := Parentheses(segment)
	if called && inner != "" {
		switch set := n.names[strings.ToLower(name)]; {
		case set != nil && set.function:
			return set, nil, true
		case set != nil && set.key != nil:
			return set.keyed(inner)
		}
	}
	if inner == "" {
		plain, qualified := edm.WithoutNamespace(strings.ToLower(name))
		if next := n.names[plain]; next != nil && next.bound {
			return next, nil, true
		}
		if next := n.names[edm.Namespace+plain]; next != nil && qualified && !called {
			return next, nil, true
		}
		if qualified && !called && n.cast != nil && edm.IsCast(plain) {
			return n.cast, &plain, true
		}
	}
	if n.key != nil && isKey(segment) {
		return n.key, &segment, true
	}
	return nil, nil, false
}

// keyed returns the place after a key in parentheses: 'x', or alias='x' for another property that
// can be a key.
func (n *Place[Op]) keyed(inner string) (next *Place[Op], key *string, ok bool) {
	alias, value, _ := strings.Cut(inner, "=")
	if next = n.alternates[strings.ToLower(strings.TrimSpace(alias))]; next == nil {
		next, value = n.key, inner
	}
	value = strings.TrimSpace(value)
	plain, ok := QuotedKey(value)
	return next, &plain, ok
}

// Methods returns the methods of the place, for the header Allow.
func (n *Place[Op]) Methods() string {
	var names []string
	for method := range n.Operations {
		names = append(names, method)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
