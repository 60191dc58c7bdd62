package graph

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/fold"
	"licensor/internal/graph/edm"
	"licensor/internal/graph/problem"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
)

// field is a property as an answer shows it. T is the object with all that its properties are made
// of.
type field[T any] struct {
	name  string
	write func(b []byte, object *T) []byte
	when  directory.Returned
	// row is where the object is in columns, of which one, at a place, has the property; nil when its
	// document was read. It is no function when no column has the property.
	row   func(object *T) *column.Row
	place int
	// documented says that the object's document is needed: neither columns nor the image have all
	// that is shown.
	documented bool
	beta       bool // v1.0 does not have it
}

// fieldSet is the properties of a type: all of them by name, and those that are shown without
// $select.
type fieldSet[T any] struct {
	typeName string // microsoft.graph.user
	byName   fold.Names[*field[T]]
	links    fold.Names[string] // the spelling of its navigation properties
	inV1     shown[T]
	inBeta   shown[T]
	basic    []string   // all that may be seen with the permission for basic properties only
	all      []field[T] // in alphabetical order
	place    func(*T) string
}

// Name is the name of the type without its namespace.
func (s *fieldSet[T]) Name() string { return strings.TrimPrefix(s.typeName, edm.Namespace) }

// Properties are the names of those that v1.0 has.
func (s *fieldSet[T]) Properties() []string {
	names := make([]string, 0, len(s.all))
	for i := range s.all {
		if !s.all[i].beta {
			names = append(names, s.all[i].name)
		}
	}
	return names
}

// at says where the objects are below the root: what stands before their id in an address.
func (s *fieldSet[T]) at(place func(*T) string) *fieldSet[T] {
	s.place = place
	return s
}

// in is at for objects that are all in one set.
func (s *fieldSet[T]) in(set string) *fieldSet[T] { return s.at(func(*T) string { return set }) }

func newFieldSet[T any](typeName string, fields []field[T], basic ...string) *fieldSet[T] {
	fields = append(fields, betaFields(strings.TrimPrefix(typeName, edm.Namespace), fields)...)
	s := &fieldSet[T]{typeName: typeName, byName: make(fold.Names[*field[T]], len(fields)), basic: basic, all: fields}
	s.links = fold.Names[string]{}
	for _, name := range edm.Navigation[s.Name()] {
		s.links.Add(name, name)
	}
	slices.SortFunc(fields, func(a, b field[T]) int { return strings.Compare(a.name, b.name) })
	for i := range fields {
		f := &fields[i]
		s.byName.Add(f.name, f)
		s.inBeta.add(f)
		if !f.beta {
			s.inV1.add(f)
		}
	}
	return s
}

// propertyFields makes fields of a document's properties. of returns the document of an object, nil
// where it was not read, and row where the object is in columns: those of properties that have one
// need no document.
func propertyFields[D, T any](properties []*directory.Property[D], of func(*T) *D, row func(*T) *column.Row) []field[T] {
	fields := make([]field[T], 0, len(properties))
	for _, p := range properties {
		place, ok := p.Column()
		f := field[T]{name: p.Name, when: p.Returned, documented: !ok && !p.Same(), write: func(b []byte, object *T) []byte { return p.Append(b, of(object)) }}
		if ok {
			f.place = place
			f.row = func(object *T) *column.Row {
				if of(object) != nil {
					return nil
				}
				return row(object)
			}
			f.write = func(b []byte, object *T) []byte {
				if document := of(object); document != nil {
					return p.Append(b, document)
				}
				w := directory.NewColumnWriter(place)
				return w.Append(b, row(object))
			}
		}
		fields = append(fields, f)
	}
	return fields
}

// documented says whether some of the fields need the object's document.
func documented[T any](fields []*field[T]) bool {
	return slices.ContainsFunc(fields, func(f *field[T]) bool { return f.documented })
}

// selection returns the fields that $select names, the default ones without it. The names get the
// spelling of the metadata, which they have in the answer (P1). Navigation properties among them
// show nothing (P22).
func (s *fieldSet[T]) selection(r *request, names []string) ([]*field[T], error) {
	if len(names) == 0 {
		return s.shown(r).defaults, nil
	}
	s.spell(names)
	selected := make([]*field[T], 0, len(names))
	for _, name := range names {
		if name == "*" {
			return s.shown(r).whole, nil
		}
		if f, ok := s.byName.Find(name); ok {
			selected = append(selected, f)
		} else if _, ok := s.links.Find(name); !ok {
			return nil, s.unknown(name)
		}
	}
	return selected, nil
}

// has reports whether there is a property with the name.
func (s *fieldSet[T]) has(name string) bool {
	_, ok := s.byName.Find(name)
	return ok
}

// isBasic reports whether a property may be seen with the permission for basic properties only.
func (s *fieldSet[T]) isBasic(name string) bool {
	_, ok := fold.Among(s.basic, name)
	return ok
}

// knows reports whether there is a property or navigation property with the name.
func (s *fieldSet[T]) knows(name string) bool {
	_, links := s.links.Find(name)
	return links || s.has(name)
}

// spell gives names of properties the spelling of the metadata (P1); others stay as they are.
func (s *fieldSet[T]) spell(names []string) {
	for i, name := range names {
		if f, ok := s.byName.Find(name); ok {
			names[i] = f.name
		} else if link, ok := s.links.Find(name); ok {
			names[i] = link
		}
	}
}

// unknown refuses a name of $select that is no property's (P13), or a path, which Graph does not
// take either.
func (s *fieldSet[T]) unknown(name string) *problem.Problem {
	reason := fmt.Sprintf("Could not find a property named '%s' on type '%s'.", name, s.typeName)
	if strings.Contains(name, "/") {
		reason = fmt.Sprintf("Found a path with multiple navigation properties or a bad complex property path in a select clause: '%s'. "+
			"Select whole properties; those of related objects are selected within $expand, as in $expand=manager($select=id).", name)
	}
	return &problem.Problem{Status: http.StatusBadRequest, Code: problem.CodeBroken, Message: "Parsing OData Select and Expand failed: " + reason}
}

// visible returns what of the selection a caller may see that has a degree of access. Without
// $select what may not be seen is left out; asked for by name it is refused.
func (s *fieldSet[T]) visible(r *request, access identity.Access) ([]*field[T], error) {
	fields, err := s.selection(r, r.options.Select)
	if err != nil || access == identity.AccessFull {
		return s.annotated(r, fields), err
	}
	isHidden := func(f *field[T]) bool { return !slices.Contains(s.basic, f.name) }
	if len(r.options.Select) > 0 && slices.ContainsFunc(fields, isHidden) {
		return nil, &identity.Forbidden{Operation: r.op.need}
	}
	return s.annotated(r, slices.DeleteFunc(slices.Clone(fields), isHidden)), nil
}

// selected returns the fields of $select for a caller who may see all of them.
func (s *fieldSet[T]) selected(r *request) ([]*field[T], error) {
	return s.visible(r, identity.AccessFull)
}

// withExpanded returns the fields of $select and $expand for a caller that may see all of them.
func (s *fieldSet[T]) withExpanded(r *request, expansions map[string]expansion[T]) ([]*field[T], error) {
	fields, err := s.selected(r)
	if err != nil {
		return nil, err
	}
	return expanded(r, s, expansions, fields)
}

// appendFields writes the fields of an object after what b has of it already.
func appendFields[T any](b []byte, fields []*field[T], object *T) []byte {
	for _, f := range fields {
		b = f.write(jsontext.AppendName(b, f.name), object)
	}
	return b
}

// objects makes the writer of a list's objects: their fields in braces.
func objects[T any](fields []*field[T]) func([]byte, T) []byte {
	var shown T // one place for all of them: each by itself would be an allocation
	writers := make([]directory.ColumnWriter, len(fields))
	for i, f := range fields {
		writers[i] = directory.NewColumnWriter(f.place)
	}
	return func(b []byte, object T) []byte {
		shown = object
		b = append(b, '{')
		for i, f := range fields {
			b = jsontext.AppendName(b, f.name)
			if f.row != nil {
				if row := f.row(&shown); row != nil {
					b = writers[i].Append(b, row)
					continue
				}
			}
			b = f.write(b, &shown)
		}
		return append(b, '}')
	}
}

// notKept makes the fields of properties that are always null, and of those that are always empty
// lists.
func notKept[T any](nulls, lists []string) []field[T] {
	fields := make([]field[T], 0, len(nulls)+len(lists))
	for _, name := range nulls {
		fields = append(fields, field[T]{name: name, write: appendNull[T], when: directory.ByDefault})
	}
	for _, name := range lists {
		fields = append(fields, field[T]{name: name, write: func(b []byte, _ *T) []byte { return append(b, "[]"...) }, when: directory.ByDefault})
	}
	return fields
}

// inBeta makes fields those of properties that v1.0 does not have.
func inBeta[T any](fields []field[T]) []field[T] {
	for i := range fields {
		fields[i].beta = true
	}
	return fields
}

func appendNull[T any](b []byte, _ *T) []byte { return append(b, "null"...) }

func appendTrue[T any](b []byte, _ *T) []byte { return append(b, "true"...) }
