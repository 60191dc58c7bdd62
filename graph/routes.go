package graph

import (
	"slices"
	"strings"
)

// node is a place in the tree of paths. The path /users/{user}/assignLicense() goes over four: the root, users, its key, and a
// bound operation.
type node struct {
	names      map[string]*node // by name in lower case
	key        *node            // what follows when the segment is none of the names
	alternates map[string]*node // by the name, in lower case, of another property that can be a key: applications(appId='…')
	bound      bool             // an operation, which may carry its namespace and parentheses
	operations map[string]*operation
	beneath    *operation // answers everything from here on that nothing else does
}

func newNode() *node {
	return &node{names: map[string]*node{}, alternates: map[string]*node{}, operations: map[string]*operation{}}
}

// newRoutes builds the tree of a table. Paths of Graph stand in it under both of its roots (P1), and paths of a user under /me, too.
func newRoutes(table []operation) *node {
	table = slices.Clone(table) // findSubject writes to it, and there may be several APIs
	root, service := newNode(), newNode()
	root.names["v1.0"], root.names["beta"] = service, service
	for i := range table {
		op := &table[i]
		op.cost = baseCost(op)
		if strings.HasPrefix(op.path, ownRoot) {
			root.add(op.path, op)
			continue
		}
		service.add(op.path, op)
		if rest, ok := strings.CutPrefix(op.path, "/users/{user}"); ok && (rest != "" || op.method != "DELETE") { // nobody deletes the self by accident
			service.add("/me"+rest, op)
		}
	}
	return root
}

func (n *node) add(path string, op *operation) {
	if path == "/" {
		n.operations[op.method] = op
		return
	}
	for _, segment := range strings.Split(path[1:], "/") {
		if segment == "*" {
			n.beneath = op
			return
		}
		n = n.child(segment)
	}
	n.operations[op.method] = op
}

// child is the node that a segment of a template leads to, made when it is not there.
func (n *node) child(segment string) *node {
	if segment[0] == '{' {
		if n.key == nil {
			n.key = newNode()
		}
		return n.key
	}
	if set, inner, ok := parentheses(segment); ok && inner != "" {
		alias, _, _ := strings.Cut(strings.ToLower(inner), "=")
		set := n.child(set)
		if set.alternates[alias] == nil {
			set.alternates[alias] = newNode()
		}
		return set.alternates[alias]
	}
	name, bound := strings.CutSuffix(strings.ToLower(segment), "()")
	if n.names[name] == nil {
		n.names[name] = newNode()
		n.names[name].bound = bound
	}
	return n.names[name]
}

// match is where a path leads.
type match struct {
	node    *node
	beneath *operation // answers what node does not
	keys    []string
	me      bool
}

// find walks along the segments; when one leads nowhere, it answers that segment.
func (n *node) find(path []string) (m match, lost string, ok bool) {
	m.node = n
	for i, segment := range path {
		next, key, found := m.node.step(segment)
		if !found && m.beneath != nil {
			m.node = newNode()
			return m, "", true
		}
		if !found {
			return m, segment, false
		}
		if key != nil {
			m.keys = append(m.keys, *key)
		}
		m.me = m.me || i == 1 && strings.EqualFold(segment, "me")
		m.node = next
		if next.beneath != nil {
			m.beneath = next.beneath
		}
	}
	if len(m.node.operations) == 0 && m.beneath == nil {
		return m, path[len(path)-1], false
	}
	return m, "", true
}

// step answers what follows a segment, and the key in it when it has one.
func (n *node) step(segment string) (next *node, key *string, ok bool) {
	if next := n.names[strings.ToLower(segment)]; next != nil {
		return next, nil, true
	}
	name, inner, called := parentheses(segment)
	if called && inner != "" {
		if set := n.names[strings.ToLower(name)]; set != nil && set.key != nil {
			return set.keyed(inner)
		}
	}
	if inner == "" {
		plain, qualified := withoutNamespace(strings.ToLower(name))
		if next := n.names[plain]; next != nil && next.bound {
			return next, nil, true
		}
		if next := n.names[namespace+plain]; next != nil && qualified && !called {
			return next, nil, true
		}
	}
	if n.key != nil && segment != "" {
		return n.key, &segment, true
	}
	return nil, nil, false
}

// keyed answers what follows a key in parentheses: 'x', or alias='x' for a property that can be a key, too.
func (n *node) keyed(inner string) (next *node, key *string, ok bool) {
	alias, value, _ := strings.Cut(inner, "=")
	if next = n.alternates[strings.ToLower(alias)]; next == nil {
		next, value = n.key, inner
	}
	plain, ok := quotedKey(value)
	return next, &plain, ok
}

// methods are those a node answers, for the header Allow.
func (n *node) methods() string {
	var names []string
	for method := range n.operations {
		names = append(names, method)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// methods are those the place answers. One that answers everything below is all of them.
func (m match) methods() string {
	if m.beneath != nil {
		return "DELETE, GET, PATCH, POST, PUT"
	}
	return m.node.methods()
}
