package directory

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory/column"
	"licensor/internal/guid"
	"licensor/internal/jsontext"
)

// Kind is the kind of a property's value.
type Kind uint8

// The kinds; a collection is never null (docs/spec/protocol.md P23).
const (
	KindString Kind = iota + 1
	KindBool
	KindDateTime
	KindInt32
	KindComplex
	KindStringCollection
	KindComplexCollection
)

// Collection reports whether values are arrays.
func (k Kind) Collection() bool { return k >= KindStringCollection }

// Returned is when a response includes a property (docs/spec/protocol.md P22).
type Returned uint8

// ReturnedOnSelect: if selected, and in responses with the whole object. ReturnedByDefault: always,
// unless others are selected. ReturnedByName: only if selected by name; in the real service another
// service stores it.
const (
	ReturnedOnSelect Returned = iota
	ReturnedByDefault
	ReturnedByName
)

// Property is a property of the objects of type T.
type Property[T any] struct {
	Name     string
	Kind     Kind
	ReadOnly bool // clients cannot set it (docs/spec/protocol.md P53)
	Returned Returned

	render   func(dst []byte, object *T) []byte
	read     func(object *T, raw []byte, from origin) error // nil: computed
	text     func(*T) *string                               // where its text is; nil: it has another kind
	texts    func(*T) *[]string                             // of StringCollection
	rule     rule
	required bool // cannot be cleared
	secret   bool // messages do not repeat it
	same     bool // for all objects

	asked   Asked
	sources []source[T] // the columns that are filled from it
}

// Same reports whether the property is the same for all objects, so that Append accepts a nil
// object.
func (p *Property[T]) Same() bool { return p.same }

// Append writes the property of object as JSON: null if it has none, [] for an empty collection.
func (p *Property[T]) Append(dst []byte, object *T) []byte { return p.render(dst, object) }

// Stored reports whether documents have the property, under its name, so that rows can be selected
// by it.
func (p *Property[T]) Stored() bool { return p.read != nil }

var errType = errors.New("wrong type")

// origin is where a value comes from.
type origin uint8

const (
	fromStore  origin = iota // a document, whose values were allowed when they were written
	fromClient               // a request
	fromImport               // a row of another directory, which has read-only properties, too
	fromExport               // a row of an export, with what earlier versions may have stored
)

// set parses a client's value. Its errors are *InvalidError without Resource.
func (p *Property[T]) set(object *T, raw []byte, from origin) error {
	if p.required && isNull(raw) {
		return &InvalidError{Kind: InvalidValue, Property: p.Name, Value: "null", Want: "a value; it cannot be cleared"}
	}
	if err := p.read(object, raw, from); err != nil || isNull(raw) {
		return p.mistyped(raw, err)
	}
	want, value := "", ""
	switch {
	case p.text != nil:
		at := p.text(object)
		*at, want = p.rule.check(*at)
		value = *at
	case p.texts != nil:
		value, want = p.rule.checkAll(*p.texts(object))
	}
	if want != "" {
		return &InvalidError{Kind: InvalidValue, Property: p.Name, Value: value, Want: want}
	}
	return nil
}

// mistyped describes a value of another type. It returns other errors unchanged.
func (p *Property[T]) mistyped(raw []byte, err error) error {
	inner, ok := errors.AsType[*InvalidError](err)
	if ok && (inner.Kind != InvalidType || inner.Property != "") || !ok && !errors.Is(err, errType) {
		return err
	}
	e := &InvalidError{Kind: InvalidType, Property: p.Name, Want: wantOf[p.Kind]}
	if !p.required && !p.Kind.Collection() {
		e.Want += ", or null"
	}
	if !p.secret {
		e.Value = string(raw)
	}
	return e
}

// wantOf describes the values of each kind.
var wantOf = map[Kind]string{
	KindString: "a text", KindBool: "true or false", KindDateTime: "a time such as 2026-01-31T12:00:00Z",
	KindInt32: "a whole number", KindComplex: "an object", KindStringCollection: "a list of texts",
	KindComplexCollection: "a list of objects",
}

// text is a text property; the empty text means null. Clients cannot set an empty text, as in the
// real service.
func text[T any](name string, at func(*T) *string) *Property[T] {
	return &Property[T]{
		Name: name, Kind: KindString, text: at,
		sources: []source[T]{{
			column.Column{Name: name, Kind: column.KindText},
			func(object *T) column.Value { return column.Value{Text: *at(object)} },
		}},
		render: func(dst []byte, object *T) []byte { return jsontext.AppendTextOrNull(dst, *at(object)) },
		read: func(object *T, raw []byte, _ origin) error {
			value, ok := readString(raw)
			if !ok && !isNull(raw) {
				return errType
			}
			*at(object) = value
			return nil
		},
	}
}

func texts[T any](name string, at func(*T) *[]string) *Property[T] {
	return &Property[T]{
		Name: name, Kind: KindStringCollection, texts: at,
		sources: []source[T]{{
			column.Column{Name: name, Kind: column.KindTexts},
			func(object *T) column.Value { return column.Value{Texts: *at(object)} },
		}},
		render: func(dst []byte, object *T) []byte {
			return jsontext.AppendList(dst, *at(object), jsontext.AppendText)
		},
		read: func(object *T, raw []byte, _ origin) (err error) {
			*at(object), err = readTexts(raw)
			return err
		},
	}
}

func readTexts(raw []byte) ([]string, error) {
	all, ok := elements(raw)
	if !ok || len(all) == 0 {
		return nil, typeUnless(ok)
	}
	values := make([]string, len(all))
	for i, element := range all {
		if values[i], ok = readString(element); !ok {
			return nil, errType
		}
	}
	return values, nil
}

func typeUnless(ok bool) error {
	if ok {
		return nil
	}
	return errType
}

// flag is a boolean property that every object has.
func flag[T any](name string, at func(*T) *bool) *Property[T] {
	return &Property[T]{
		Name: name, Kind: KindBool, required: true,
		sources: []source[T]{{
			column.Column{Name: name, Kind: column.KindBool},
			func(object *T) column.Value { return truthOf(at(object)) },
		}},
		render: func(dst []byte, object *T) []byte { return jsontext.AppendBoolOrNull(dst, at(object)) },
		read: func(object *T, raw []byte, _ origin) error {
			value, ok := readBool(raw)
			*at(object) = value
			return typeUnless(ok)
		},
	}
}

// option is a boolean property that may be null.
func option[T any](name string, at func(*T) **bool) *Property[T] {
	return &Property[T]{
		Name: name, Kind: KindBool,
		sources: []source[T]{{
			column.Column{Name: name, Kind: column.KindBool},
			func(object *T) column.Value { return truthOf(*at(object)) },
		}},
		render: func(dst []byte, object *T) []byte { return jsontext.AppendBoolOrNull(dst, *at(object)) },
		read: func(object *T, raw []byte, _ origin) error {
			if isNull(raw) {
				*at(object) = nil
				return nil
			}
			value, ok := readBool(raw)
			*at(object) = &value
			return typeUnless(ok)
		},
	}
}

func truthOf(value *bool) column.Value {
	if value == nil {
		return column.Value{}
	}
	return column.Value{Truth: column.TruthOf(*value)}
}

func moment[T any](name string, at func(*T) *time.Time) *Property[T] {
	return &Property[T]{
		Name: name, Kind: KindDateTime,
		sources: []source[T]{{
			column.Column{Name: name, Kind: column.KindTime},
			func(object *T) column.Value { return column.Value{Time: column.TimeOf(*at(object))} },
		}},
		render: func(dst []byte, object *T) []byte { return jsontext.AppendTime(dst, *at(object)) },
		read: func(object *T, raw []byte, _ origin) error {
			value, ok := readTime(raw)
			*at(object) = value
			return typeUnless(ok || isNull(raw))
		},
	}
}

func identity[T any](name string, at func(*T) *uuid.UUID) *Property[T] {
	return &Property[T]{
		Name: name, Kind: KindString, ReadOnly: true,
		render: func(dst []byte, object *T) []byte { return jsontext.AppendID(dst, *at(object)) },
		read: func(object *T, raw []byte, _ origin) error {
			value, _ := readString(raw)
			id, ok := guid.Parse(value)
			*at(object) = id
			return typeUnless(ok)
		},
	}
}

// computed is a property that follows from the others.
func computed[T any](name string, kind Kind, render func(dst []byte, object *T) []byte) *Property[T] {
	return &Property[T]{Name: name, Kind: kind, ReadOnly: true, render: render}
}

// fixed is a property of the contract with the same value in all objects, because its feature is
// not supported here.
func fixed[T any](name string, kind Kind, value string) *Property[T] {
	p := computed(name, kind, func(dst []byte, _ *T) []byte { return append(dst, value...) })
	p.same = true
	return p
}

// nested is a property that is an object with inner properties. Setting it does not change inner
// properties that are not named.
func nested[T, C any](name string, inner *table[C], at func(*T) **C) *Property[T] {
	return &Property[T]{
		Name: name, Kind: KindComplex, sources: innerSources(name, inner, at),
		render: func(dst []byte, object *T) []byte {
			if value := *at(object); value != nil {
				return inner.appendAll(dst, value)
			}
			return append(dst, "null"...)
		},
		read: func(object *T, raw []byte, from origin) error {
			slot := at(object)
			if isNull(raw) {
				*slot = nil
				return nil
			}
			next := new(C)
			if *slot != nil {
				*next = **slot
			}
			*slot = next
			return inner.merge(next, raw, from)
		},
	}
}

func nestedAll[T, C any](name string, inner *table[C], at func(*T) *[]C) *Property[T] {
	return &Property[T]{
		Name: name, Kind: KindComplexCollection, sources: []source[T]{elementSource(name, inner, at)},
		render: func(dst []byte, object *T) []byte {
			dst = append(dst, '[')
			for i := range *at(object) {
				if i > 0 {
					dst = append(dst, ',')
				}
				dst = inner.appendAll(dst, &(*at(object))[i])
			}
			return append(dst, ']')
		},
		read: func(object *T, raw []byte, from origin) error {
			all, ok := elements(raw)
			values := make([]C, len(all))
			for i, element := range all {
				if err := inner.element(&values[i], element, from); err != nil {
					return err
				}
			}
			*at(object) = slices.Clip(values)
			return typeUnless(ok)
		},
	}
}

func (p *Property[T]) readOnly() *Property[T]  { p.ReadOnly = true; return p }
func (p *Property[T]) byDefault() *Property[T] { p.Returned = ReturnedByDefault; return p }
func (p *Property[T]) byName() *Property[T]    { p.Returned = ReturnedByName; return p }
func (p *Property[T]) needed() *Property[T]    { p.required = true; return p }

func (p *Property[T]) concealed() *Property[T] { p.secret = true; return p }

// neverNull replaces a missing time by the earliest time, for properties that the contract declares
// not nullable.
func (p *Property[T]) neverNull() *Property[T] {
	render := p.render
	p.render = func(dst []byte, object *T) []byte {
		start := len(dst)
		if dst = render(dst, object); bytes.Equal(dst[start:], []byte("null")) {
			dst = append(dst[:start], jsontext.ZeroTime...)
		}
		return dst
	}
	return p
}
