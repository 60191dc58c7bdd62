package directory

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"licensor/internal/directory/column"
	"licensor/internal/fold"
	"licensor/internal/jsontext"
)

// table has all properties of a type of objects.
type table[T any] struct {
	resource string // as in errors
	all      []*Property[T]
	defaults []*Property[T]
	byName   fold.Names[*Property[T]]
	derived  []string // read-only properties that other packages provide, such as licenses

	schema  *column.Schema
	sources []source[T]        // by column
	asked   fold.Names[*Asked] // by path
}

func newTable[T any](resource string, derived []string, all ...*Property[T]) *table[T] {
	t := &table[T]{resource: resource, all: all, byName: fold.Names[*Property[T]]{}, derived: derived}
	for _, p := range all {
		t.byName.Add(p.Name, p)
		propertyNames[p.Name] = p.Name
		if p.Returned == ReturnedByDefault {
			t.defaults = append(t.defaults, p)
		}
	}
	t.arrange()
	return t
}

func (t *table[T]) property(name string) (*Property[T], bool) { return t.byName.Find(name) }

// document returns the stored form of an object. Most documents are kept, in memory of their size.
func (t *table[T]) document(object *T) []byte {
	b := spare.Get().(*[]byte)
	defer spare.Put(b)
	*b = t.appendDocument((*b)[:0], object)
	return bytes.Clone(*b)
}

var spare = sync.Pool{New: func() any { return new([]byte) }}

// appendDocument appends the stored form of an object: its properties in the order of the table,
// without those that have no value, so that equal objects have equal documents.
func (t *table[T]) appendDocument(dst []byte, object *T) []byte {
	dst = append(dst, '{')
	for _, p := range t.all {
		if p.read == nil || p.text != nil && *p.text(object) == "" {
			continue
		}
		mark := len(dst)
		dst = jsontext.AppendName(dst, p.Name)
		value := len(dst)
		if dst = p.render(dst, object); absent(dst[value:]) {
			dst = dst[:mark]
		}
	}
	return append(dst, '}')
}

func absent(value []byte) bool {
	return string(value) == "null" || string(value) == "[]" || string(value) == jsontext.ZeroTime
}

// appendAll appends an object with all its properties, as clients see it.
func (t *table[T]) appendAll(dst []byte, object *T) []byte {
	dst = append(dst, '{')
	for _, p := range t.all {
		dst = p.render(jsontext.AppendName(dst, p.Name), object)
	}
	return append(dst, '}')
}

// parse parses a document. It does not check whether values are allowed: they were when they were
// written. An unknown property is an error, since the next write would lose it.
func (t *table[T]) parse(document []byte) (*T, error) {
	object := new(T)
	var failed error
	ok := EachStored(document, func(name, value []byte) {
		if failed == nil {
			failed = t.parseProperty(object, readName(name), value)
		}
	})
	switch {
	case !ok:
		return nil, fmt.Errorf("document of a %s is not a JSON object", t.resource)
	case failed != nil:
		return nil, failed
	}
	return object, nil
}

func (t *table[T]) parseProperty(object *T, name string, value []byte) error {
	p, _ := t.property(name)
	if p == nil || p.Name != name || p.read == nil {
		return fmt.Errorf("document of a %s has the property %q, which this version does not know", t.resource, name)
	}
	if err := p.read(object, value, fromStore); err != nil {
		return fmt.Errorf("document of a %s: property %q: %w", t.resource, name, err)
	}
	return nil
}

// merge reads the object raw into an inner object. table.refuse adds the path of a refused
// property.
func (t *table[T]) merge(object *T, raw []byte, from origin) error {
	members, err := Members(raw)
	if err != nil {
		return err
	}
	strict := from != fromStore
	for _, m := range members {
		p, _ := t.property(m.Name)
		switch {
		case strict && isAnnotation(m.Name):
			continue
		case p == nil || !strict && p.Name != m.Name:
			return &InvalidError{Kind: InvalidUnknown, Property: m.Name, Want: "a property of " + t.resource}
		case from == fromExport && p.required && isNull(m.Value):
			continue // earlier versions stored objects without it
		case strict:
			err = p.set(object, m.Value, from)
		default:
			err = p.read(object, m.Value, fromStore)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// element is merge for a new object in a collection, which must have the properties that are
// needed.
func (t *table[T]) element(object *T, raw []byte, from origin) error {
	if err := t.merge(object, raw, from); err != nil || from != fromClient && from != fromImport {
		return err
	}
	for _, p := range t.all {
		if p.required && p.text != nil && *p.text(object) == "" {
			return &InvalidError{Kind: InvalidMissing, Property: p.Name, Want: "a value"}
		}
	}
	return nil
}

// patch parses a client's changes. An import also accepts read-only properties, if they are stored.
func (t *table[T]) patch(members []Member, from origin) (Patch[T], error) {
	patch := Patch[T]{changes: make([]change[T], 0, len(members)), object: new(T), from: from}
	importing := from != fromClient
	for _, m := range members {
		p, known := t.property(m.Name)
		derived, isDerived := "", false
		if !known {
			derived, isDerived = fold.Among(t.derived, m.Name)
		}
		switch {
		case m.Is("id") || isAnnotation(m.Name):
			continue
		case p == nil && !isDerived:
			return patch, &InvalidError{
				Kind: InvalidUnknown, Resource: t.resource, Property: m.Name, Want: "a property of " + t.resource,
			}
		case (p == nil || p.read == nil) && importing:
			continue
		case p == nil:
			return patch, &InvalidError{
				Kind: InvalidReadOnly, Resource: t.resource, Property: derived, Want: "a body without it",
			}
		case p.read == nil || p.ReadOnly && !importing:
			return patch, &InvalidError{
				Kind: InvalidReadOnly, Resource: t.resource, Property: p.Name, Want: "a body without it",
			}
		}
		if err := p.set(patch.object, m.Value, from); err != nil {
			return patch, t.refuse(p, err)
		}
		patch.changes = append(patch.changes, change[T]{p, m.Value})
	}
	return patch, nil
}

// refuse completes an error of Property.set with the resource and the path of the property.
func (t *table[T]) refuse(p *Property[T], err error) *InvalidError {
	invalid, ok := errors.AsType[*InvalidError](err)
	if !ok {
		panic(err) // a bug: Property.set has no other errors
	}
	refused := *invalid
	refused.Resource = t.resource
	if refused.Property != p.Name && refused.Kind != InvalidUnknown {
		refused.Property = p.Name + "." + refused.Property
	}
	return &refused
}
