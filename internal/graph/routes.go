package graph

import (
	"slices"
	"strings"

	"licensor/internal/graph/edm"
	"licensor/internal/graph/throttle"
)

// routes is the tree of paths: what is served, and what Graph has besides.
type routes struct {
	root  *node
	words map[string]bool // every name that Graph has, of places and properties, in lower case
}

// node is a place in the tree of paths. The path /users/{user}/assignLicense() goes over four: the
// root, users, its key, and a bound operation.
type node struct {
	names      map[string]*node // by name in lower case
	key        *node            // what follows when the segment is none of the names
	cast       *node            // what follows the name of a type of directory objects: …/members/microsoft.graph.user
	alternates map[string]*node // by the name, in lower case, of another property that can be a key: applications(appId='…')
	bound      bool             // an operation, which may carry its namespace and parentheses
	property   string           // the name of a property of the object before (P27)
	raw        bool             // the property is answered as text: $value
	operations map[string]*operation

	graph    bool // Graph has the place, served or not
	deep     bool // Graph may have more below than is known
	function bool // one of Graph's that takes parameters
}

// newRoutes builds the tree of a table. Paths of Graph stand in it under both of its roots (P1),
// and paths of a user under /me, too.
func newRoutes(table []operation) *routes {
	table = slices.Clone(table) // findSubject writes to it, and there may be several APIs
	root, service := new(node), new(node)
	root.names = map[string]*node{"v1.0": service, "beta": service}
	for i := range table {
		op := &table[i]
		if !op.isDevelopment() { // who has run into a limit with it could not get out again
			op.cost = throttle.Base(op.method, op.path)
		}
		if strings.HasPrefix(op.path, ownRoot) {
			root.add(op.path, op)
			continue
		}
		service.add(op.path, op)
		if rest, ok := strings.CutPrefix(op.path, "/users/{user}"); ok && (rest != "" || op.method != "DELETE") { // nobody deletes the self by accident
			service.add("/me"+rest, op)
		}
		if rest, ok := strings.CutPrefix(op.path, edm.UnitsRoot); ok {
			service.add("/"+edm.UnitSet+rest, op)
		}
		if set, rest, ok := belowClient(op.path); ok {
			byAppID := *op
			byAppID.path = set + "(appId='{" + set[1:] + "}')" + rest
			service.add(byAppID.path, &byAppID)
		}
	}
	service.addSurface(surfaceText)
	service.addNavigation()
	service.addAllProperties(table)
	t := &routes{root, map[string]bool{}}
	service.gather(t.words)
	for _, described := range entityTypes {
		for _, name := range described.Properties() {
			t.words[strings.ToLower(name)] = true
		}
	}
	return t
}

// belowClient cuts the path of what is below an application or service principal, which can be
// named by its appId, too.
func belowClient(path string) (set, rest string, ok bool) {
	for _, key := range []string{"/applications/{application}", "/servicePrincipals/{servicePrincipal}"} {
		if rest, ok := strings.CutPrefix(path, key); ok && rest != "" {
			return key[:strings.LastIndex(key, "/")], rest, true
		}
	}
	return "", "", false
}

func (n *node) add(path string, op *operation) { n.at(path).serve(op) }

// at is the node that the template of a path leads to, made when it is not there.
func (n *node) at(path string) *node {
	if path == "/" {
		return n
	}
	for _, segment := range strings.Split(path[1:], "/") {
		n = n.child(segment)
		n.graph = !strings.HasPrefix(path, ownRoot)
	}
	return n
}

func (n *node) serve(op *operation) {
	if n.operations == nil {
		n.operations = map[string]*operation{}
	}
	n.operations[op.method] = op
}

// castTemplate stands for the name of a type of directory objects.
const castTemplate = edm.Namespace + "{type}"

// child is the node that a segment of a template leads to, made when it is not there.
func (n *node) child(segment string) *node {
	if segment[0] == '{' {
		if n.key == nil {
			n.key = new(node)
		}
		return n.key
	}
	if segment == castTemplate {
		if n.cast == nil {
			n.cast = new(node)
		}
		return n.cast
	}
	if set, inner, ok := parentheses(segment); ok && inner != "" {
		alias, _, _ := strings.Cut(strings.ToLower(inner), "=")
		return n.child(set).alternate(alias)
	}
	name, bound := strings.CutSuffix(strings.ToLower(segment), "()")
	next := childIn(&n.names, name)
	next.bound = next.bound || bound
	return next
}

// childIn is the node for a name, made when it is not there.
func childIn(children *map[string]*node, name string) *node {
	if *children == nil {
		*children = map[string]*node{}
	}
	next := (*children)[name]
	if next == nil {
		next = new(node)
		(*children)[name] = next
	}
	return next
}

func (n *node) alternate(alias string) *node {
	return childIn(&n.alternates, alias)
}

// match is where a path leads.
type match struct {
	node     *node
	keys     []string
	me       bool
	unserved bool // Graph has the place, but nothing is served there
	// property is what of the object is wanted, and within that; raw says that it is wanted as text.
	property []string
	raw      bool
}

// find walks along the segments; when one leads nowhere, it returns that segment.
func (t *routes) find(path []string) (m match, lost string, ok bool) {
	m.node = t.root
	for i, segment := range path {
		next, key, found := m.node.step(segment)
		if !found {
			m.unserved = t.mayHave(m.node, segment)
			return m, segment, false
		}
		if key != nil {
			m.keys = append(m.keys, *key)
		}
		m.me = m.me || i == 1 && strings.EqualFold(segment, "me")
		m.node = next
		if next.property != "" {
			m.property = append(m.property, next.property)
		}
		m.raw = next.raw
	}
	if len(m.node.operations) == 0 {
		m.unserved = m.node.graph
		return m, path[len(path)-1], false
	}
	return m, "", true
}

// step returns what follows a segment, and the key in it when it has one.
func (n *node) step(segment string) (next *node, key *string, ok bool) {
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
	name, inner, called := parentheses(segment)
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

// keyed returns what follows a key in parentheses: 'x', or alias='x' for a property that can be a
// key, too.
func (n *node) keyed(inner string) (next *node, key *string, ok bool) {
	alias, value, _ := strings.Cut(inner, "=")
	if next = n.alternates[strings.ToLower(strings.TrimSpace(alias))]; next == nil {
		next, value = n.key, inner
	}
	value = strings.TrimSpace(value)
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
