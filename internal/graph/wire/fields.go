package wire

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

// Field is a property in a response. T is the object with all data of its properties.
type Field[T any] struct {
	Name string
	// Write appends the value. It is nil for a stream, for which JSON has only links to its content
	// (OData JSON Format 4.01, section 9), and there is none.
	Write func(b []byte, object *T) []byte
	When  directory.Returned
	// row returns the object's row in columns, of which one, at a place, has the property; nil if
	// its document was read. row is nil if no column has the property.
	row   func(object *T) *column.Row
	place int
	// Documented means that the object's document is needed: columns and the image do not have all
	// of its data.
	Documented bool
	Beta       bool // v1.0 does not have it
}

// Default is a field that is shown by default: write appends the result of of.
func Default[T, V any](name string, write func([]byte, V) []byte, of func(*T) V) Field[T] {
	return Field[T]{Name: name, When: directory.ReturnedByDefault, Write: func(b []byte, object *T) []byte {
		return write(b, of(object))
	}}
}

// FieldSet is the properties of a type: all by name, and the default ones without $select.
type FieldSet[T any] struct {
	TypeName string // microsoft.graph.user
	ByName   fold.Names[*Field[T]]
	Links    fold.Names[string] // the spelling of its navigation properties
	InV1     Shown[T]
	inBeta   Shown[T]
	Basic    []string   // all that the permission for basic properties shows
	All      []Field[T] // in alphabetical order
	place    func(*T) string
}

// Name returns the name of the type without its namespace.
func (s *FieldSet[T]) Name() string { return strings.TrimPrefix(s.TypeName, edm.Namespace) }

// Properties returns the names of those that v1.0 has.
func (s *FieldSet[T]) Properties() []string {
	names := make([]string, 0, len(s.All))
	for i := range s.All {
		if !s.All[i].Beta {
			names = append(names, s.All[i].Name)
		}
	}
	return names
}

// At sets the URLs of the objects: the part between the root and their id.
func (s *FieldSet[T]) At(place func(*T) string) *FieldSet[T] {
	s.place = place
	return s
}

// In is At for objects that are all in one set.
func (s *FieldSet[T]) In(set string) *FieldSet[T] { return s.At(func(*T) string { return set }) }

// NewFieldSet returns the set of the fields of a type, whose name includes its namespace. basic are
// the fields that the permission for basic properties shows.
func NewFieldSet[T any](typeName string, fields []Field[T], basic ...string) *FieldSet[T] {
	fields = append(fields, betaFields(strings.TrimPrefix(typeName, edm.Namespace), fields)...)
	s := &FieldSet[T]{TypeName: typeName, ByName: make(fold.Names[*Field[T]], len(fields)), Basic: basic, All: fields}
	s.Links = fold.Names[string]{}
	for _, name := range edm.Navigation[s.Name()] {
		s.Links.Add(name, name)
	}
	slices.SortFunc(fields, func(a, b Field[T]) int { return strings.Compare(a.Name, b.Name) })
	for i := range fields {
		f := &fields[i]
		s.ByName.Add(f.Name, f)
		s.inBeta.add(f)
		if !f.Beta {
			s.InV1.add(f)
		}
	}
	return s
}

// PropertyFields returns fields for a document's properties. of returns the document of an object,
// nil if it was not read, and row the object's row: fields with a column need no document.
func PropertyFields[D, T any](
	properties []*directory.Property[D], of func(*T) *D, row func(*T) *column.Row,
) []Field[T] {
	fields := make([]Field[T], 0, len(properties))
	for _, p := range properties {
		place, ok := p.Column()
		f := Field[T]{
			Name: p.Name, When: p.Returned, Documented: !ok && !p.Same(),
			Write: func(b []byte, object *T) []byte { return p.Append(b, of(object)) },
		}
		if ok {
			f.place = place
			f.row = func(object *T) *column.Row {
				if of(object) != nil {
					return nil
				}
				return row(object)
			}
			f.Write = func(b []byte, object *T) []byte {
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

// Documented reports whether some of the fields need the object's document.
func Documented[T any](fields []*Field[T]) bool {
	return slices.ContainsFunc(fields, func(f *Field[T]) bool { return f.Documented })
}

// Selection returns the fields that $select names, the default ones without it. The names get the
// spelling of the metadata, which the response uses (P1). Navigation properties and streams among
// them have no effect (P22).
func (s *FieldSet[T]) Selection(r *Request, names []string) ([]*Field[T], error) {
	if len(names) == 0 {
		return s.Shown(r).Defaults, nil
	}
	s.Spell(names)
	selected := make([]*Field[T], 0, len(names))
	for _, name := range names {
		if name == "*" {
			return s.Shown(r).Whole, nil
		}
		if f, ok := s.ByName.Find(name); ok {
			if f.Write != nil {
				selected = append(selected, f)
			}
		} else if _, ok := s.Links.Find(name); !ok {
			return nil, s.unknown(name)
		}
	}
	return selected, nil
}

// Has reports whether the type has a property with the name.
func (s *FieldSet[T]) Has(name string) bool {
	_, ok := s.ByName.Find(name)
	return ok
}

// isBasic reports whether a property is visible with the permission for basic properties.
func (s *FieldSet[T]) isBasic(name string) bool {
	_, ok := fold.Among(s.Basic, name)
	return ok
}

// Knows reports whether the type has a property or navigation property with the name.
func (s *FieldSet[T]) Knows(name string) bool {
	_, links := s.Links.Find(name)
	return links || s.Has(name)
}

// Spell changes names of properties to the spelling of the metadata (P1); other names are not
// changed.
func (s *FieldSet[T]) Spell(names []string) {
	for i, name := range names {
		if f, ok := s.ByName.Find(name); ok {
			names[i] = f.Name
		} else if link, ok := s.Links.Find(name); ok {
			names[i] = link
		}
	}
}

// noPropertyText is the message of Graph for an unknown name, with the name and the type.
const noPropertyText = "Could not find a property named '%s' on type '%s'."

// unknown refuses a name of $select that is not a property (P13), or a path, which Graph does not
// accept either.
func (s *FieldSet[T]) unknown(name string) *problem.ResponseError {
	reason := fmt.Sprintf(noPropertyText, name, s.TypeName)
	if strings.Contains(name, "/") {
		reason = fmt.Sprintf("Found a path with multiple navigation properties or a bad complex property path in a "+
			"select clause: '%s'. "+
			"Select whole properties; those of related objects are selected within $expand, as in "+
			"$expand=manager($select=id).", name)
	}
	return &problem.ResponseError{
		Status:  http.StatusBadRequest,
		Code:    problem.CodeBroken,
		Message: "Parsing OData Select and Expand failed: " + reason,
	}
}

// Visible returns the part of the selection that a caller with a degree of access may see. Other
// fields are omitted without $select, and refused if selected by name.
func (s *FieldSet[T]) Visible(r *Request, access identity.Access) ([]*Field[T], error) {
	fields, err := s.Selection(r, r.Options.Select)
	if err != nil || access == identity.AccessFull {
		return s.Annotated(r, fields), err
	}
	isHidden := func(f *Field[T]) bool { return !slices.Contains(s.Basic, f.Name) }
	if len(r.Options.Select) > 0 && slices.ContainsFunc(fields, isHidden) {
		return nil, &identity.ForbiddenError{Operation: r.Op.Need}
	}
	return s.Annotated(r, slices.DeleteFunc(slices.Clone(fields), isHidden)), nil
}

// Selected returns the fields of $select for a caller who may see all of them.
func (s *FieldSet[T]) Selected(r *Request) ([]*Field[T], error) {
	return s.Visible(r, identity.AccessFull)
}

// WithExpanded returns the fields of $select and $expand for a caller that may see all of them.
func (s *FieldSet[T]) WithExpanded(r *Request, expansions map[string]Expansion[T]) ([]*Field[T], error) {
	fields, err := s.Selected(r)
	if err != nil {
		return nil, err
	}
	return Expanded(r, s, expansions, fields)
}

// AppendFields appends the fields of an object after those that b has already.
func AppendFields[T any](b []byte, fields []*Field[T], object *T) []byte {
	for _, f := range fields {
		b = f.Write(jsontext.AppendName(b, f.Name), object)
	}
	return b
}

// ObjectWriter returns the writer of a list's objects: their fields in braces.
func ObjectWriter[T any](fields []*Field[T]) func([]byte, T) []byte {
	var shown T // shared, to avoid an allocation for each
	writers := make([]directory.ColumnWriter, len(fields))
	for i, f := range fields {
		writers[i] = directory.NewColumnWriter(f.place)
	}
	return func(b []byte, object T) []byte {
		shown = object
		b = append(b, '{')
		for i, f := range fields {
			b = jsontext.AppendName(b, f.Name)
			if f.row != nil {
				if row := f.row(&shown); row != nil {
					b = writers[i].Append(b, row)
					continue
				}
			}
			b = f.Write(b, &shown)
		}
		return append(b, '}')
	}
}

// NotKept returns the fields of properties that are always null, and of those that are always empty
// lists.
func NotKept[T any](nulls, lists []string) []Field[T] {
	fields := make([]Field[T], 0, len(nulls)+len(lists))
	for _, name := range nulls {
		fields = append(fields, Field[T]{Name: name, Write: AppendNull[T], When: directory.ReturnedByDefault})
	}
	for _, name := range lists {
		empty := func(b []byte, _ *T) []byte { return append(b, "[]"...) }
		fields = append(fields, Field[T]{Name: name, Write: empty, When: directory.ReturnedByDefault})
	}
	return fields
}

// InBeta restricts fields to the beta version.
func InBeta[T any](fields []Field[T]) []Field[T] {
	for i := range fields {
		fields[i].Beta = true
	}
	return fields
}

// AppendNull appends a property that is always null.
func AppendNull[T any](b []byte, _ *T) []byte { return append(b, "null"...) }

// AppendTrue appends a property that is always true.
func AppendTrue[T any](b []byte, _ *T) []byte { return append(b, "true"...) }
