// Package route finds the operation for the path of a request. The tree of paths has the supported
// operations, and all others of Graph (surface.txt), so that unsupported paths can be distinguished
// from wrong ones (docs/spec/protocol.md P1, P2, P27, P29).
//
// The caller defines the operations: the tree has a pointer for each path and method.
//
//	tree := route.New(served, objects, words).With(own)
//	path, ok := route.Segments(address)
//	match, lost, ok := tree.Find(path)
package route

import (
	"maps"
	"strings"
)

// Route is a path and a method with their operation. In the path {names} are keys, a name with ()
// is a bound operation of OData (P2), and Cast any type of directory objects. It is below Own, or
// below the roots of Graph.
type Route[Op any] struct {
	Method, Path string
	Op           *Op
}

// Object is a route that reads one object whose properties have their own URLs (P27).
type Object[Op any] struct {
	Route[Op]
	Type       string // without its namespace
	Properties []string
}

// Tree is the tree of paths.
type Tree[Op any] struct {
	Root  *Place[Op]
	words map[string]bool // every name of places and properties in Graph, in lower case
}

// New builds the tree of routes of Graph, under both of its roots (P1). words are further names of
// properties in Graph, in addition to those of the objects.
func New[Op any](served []Route[Op], objects []Object[Op], words []string) *Tree[Op] {
	root, service := new(Place[Op]), new(Place[Op])
	root.names = map[string]*Place[Op]{"v1.0": service, "beta": service}
	for _, r := range served {
		service.at(r.Path).serve(r.Method, r.Op)
	}
	service.addSurface(surfaceText)
	service.addNavigation()
	for _, o := range objects {
		service.at(o.Path).addProperties(o)
	}
	t := &Tree[Op]{root, map[string]bool{}}
	service.gather(t.words)
	for _, name := range words {
		t.words[strings.ToLower(name)] = true
	}
	return t
}

// With returns a tree that also has these routes, which are below Own. It shares the part of Graph.
func (t *Tree[Op]) With(own []Route[Op]) *Tree[Op] {
	root := &Place[Op]{names: maps.Clone(t.Root.names)}
	for _, r := range own {
		root.at(r.Path).serve(r.Method, r.Op)
	}
	return &Tree[Op]{root, t.words}
}

// Match is the result of a search for a path.
type Match[Op any] struct {
	Place    *Place[Op]
	Keys     []string
	Me       bool // under /me
	Unserved bool // Graph has the place, but no operation is supported there
	// Property is the path of the requested property in the object; Raw means that it is requested
	// as text.
	Property []string
	Raw      bool
}

// Find follows the segments; if one does not exist, it returns that segment.
func (t *Tree[Op]) Find(path []string) (m Match[Op], lost string, ok bool) {
	m.Place = t.Root
	for i, segment := range path {
		next, key, found := m.Place.Step(segment)
		if !found {
			m.Unserved = t.mayHave(m.Place, segment)
			return m, segment, false
		}
		if key != nil {
			m.Keys = append(m.Keys, *key)
		}
		m.Me = m.Me || i == 1 && strings.EqualFold(segment, "me")
		m.Place = next
		if next.Property != "" {
			m.Property = append(m.Property, next.Property)
		}
		m.Raw = next.raw
	}
	if len(m.Place.Operations) == 0 {
		m.Unserved = m.Place.Graph
		return m, path[len(path)-1], false
	}
	return m, "", true
}
