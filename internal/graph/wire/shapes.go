package wire

import (
	"encoding/json"
	"slices"
	"strconv"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/graph/problem"
	"licensor/internal/jsontext"
)

// Shape parses a value that is only stored and shown: it appends the value in Graph's canonical
// form, or returns an error with the position. A raw value of nil means that it was not sent.
type Shape func(b []byte, at Place, raw json.RawMessage) ([]byte, error)

// Place is a position in a body: the resource, and the path of the property in it.
type Place struct{ Resource, Path string }

// Inner returns the place of a property within the value at this place.
func (s Place) Inner(name string) Place { return Place{s.Resource, s.Path + "." + name} }

// Invalid refuses the value at the place, and describes valid ones.
func (s Place) Invalid(raw json.RawMessage, want string) error {
	return &directory.InvalidError{
		Kind: directory.InvalidValue, Resource: s.Resource, Property: s.Path,
		Value: problem.Clip(string(raw)), Want: want,
	}
}

func absentOrNull(raw json.RawMessage) bool { return raw == nil || string(raw) == "null" }

// ShapeText is a text of at most so many characters, or null.
func ShapeText(most int) Shape {
	return func(b []byte, at Place, raw json.RawMessage) ([]byte, error) {
		var text string
		switch {
		case absentOrNull(raw):
			return append(b, "null"...), nil
		case json.Unmarshal(raw, &text) != nil:
			return nil, at.Invalid(raw, "a text")
		case len([]rune(text)) > most:
			return nil, at.Invalid(raw, "at most "+strconv.Itoa(most)+" characters")
		}
		return jsontext.AppendText(b, text), nil
	}
}

// OneOf is one of some texts, or null.
func OneOf(texts ...string) Shape {
	return func(b []byte, at Place, raw json.RawMessage) ([]byte, error) {
		var text string
		if absentOrNull(raw) {
			return append(b, "null"...), nil
		}
		err := json.Unmarshal(raw, &text)
		text, known := fold.Among(texts, text)
		if err != nil || !known {
			return nil, at.Invalid(raw, "one of "+problem.Quoted(texts))
		}
		return jsontext.AppendText(b, text), nil
	}
}

// ShapeFlag is a boolean, or null.
func ShapeFlag(b []byte, at Place, raw json.RawMessage) ([]byte, error) {
	switch {
	case absentOrNull(raw):
		return append(b, "null"...), nil
	case string(raw) != "true" && string(raw) != "false":
		return nil, at.Invalid(raw, "true or false")
	}
	return append(b, raw...), nil
}

// ShapeNumber is a whole number, or null.
func ShapeNumber(b []byte, at Place, raw json.RawMessage) ([]byte, error) {
	var n int32
	switch {
	case absentOrNull(raw):
		return append(b, "null"...), nil
	case json.Unmarshal(raw, &n) != nil:
		return nil, at.Invalid(raw, "a whole number")
	}
	return jsontext.AppendInt(b, int(n)), nil
}

// ShapeID is an id.
func ShapeID(b []byte, at Place, raw json.RawMessage) ([]byte, error) {
	b, err := ShapeGUID(b, at, raw)
	if err == nil && !absentOrNull(raw) {
		_, err = ReadID(at.Path, raw)
	}
	return b, err
}

// ShapeGUID is a GUID, or null.
func ShapeGUID(b []byte, at Place, raw json.RawMessage) ([]byte, error) {
	if absentOrNull(raw) {
		return append(b, "null"...), nil
	}
	id, err := ReadGUID(raw)
	if err != nil {
		return nil, at.Invalid(raw, "a GUID")
	}
	return jsontext.AppendID(b, id), nil
}

// Must is a required value that is not null.
func Must(inner Shape) Shape {
	return func(b []byte, at Place, raw json.RawMessage) ([]byte, error) {
		switch {
		case raw == nil:
			return nil, &directory.InvalidError{
				Kind: directory.InvalidMissing, Resource: at.Resource, Property: at.Path, Want: "a value",
			}
		case string(raw) == "null":
			return nil, at.Invalid(raw, "a value; it cannot be null")
		}
		return inner(b, at, raw)
	}
}

// Usually is a value with a default.
func Usually(otherwise string, inner Shape) Shape {
	return func(b []byte, at Place, raw json.RawMessage) ([]byte, error) {
		if raw == nil {
			raw = json.RawMessage(otherwise)
		}
		return Must(inner)(b, at, raw)
	}
}

// maxKeptList limits the length of a list that is only stored.
const maxKeptList = 1200

// ListOf is a list, never null.
func ListOf(inner Shape) Shape {
	return func(b []byte, at Place, raw json.RawMessage) ([]byte, error) {
		var elements []json.RawMessage
		switch {
		case raw == nil:
			return append(b, "[]"...), nil
		case json.Unmarshal(raw, &elements) != nil || elements == nil:
			return nil, at.Invalid(raw, "a list")
		case len(elements) > maxKeptList:
			return nil, at.Invalid(nil, "at most "+strconv.Itoa(maxKeptList)+" elements")
		}
		b = append(b, '[')
		for i, element := range elements {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = Must(inner)(b, at, element); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	}
}

// DistinctIn is a list of objects with unique texts in some properties. Null and the empty text are
// not compared.
func DistinctIn(list Shape, names ...string) Shape {
	return func(b []byte, at Place, raw json.RawMessage) ([]byte, error) {
		start := len(b)
		b, err := list(b, at, raw)
		if err != nil {
			return nil, err
		}
		var elements []map[string]any
		if err := json.Unmarshal(b[start:], &elements); err != nil {
			return nil, err
		}
		for _, name := range names {
			seen := map[string]bool{}
			for _, element := range elements {
				text, _ := element[name].(string)
				if text != "" && seen[text] {
					return nil, at.Inner(name).Invalid(json.RawMessage(text), "each "+name+" once")
				}
				seen[text] = true
			}
		}
		return b, nil
	}
}

// DistinctTexts is a list of texts that are unique in any letter case.
func DistinctTexts(list Shape) Shape {
	return func(b []byte, at Place, raw json.RawMessage) ([]byte, error) {
		start := len(b)
		b, err := list(b, at, raw)
		if err != nil {
			return nil, err
		}
		var texts []string
		if err := json.Unmarshal(b[start:], &texts); err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		for _, text := range texts {
			if seen[fold.Text(text)] {
				return nil, at.Invalid(json.RawMessage(text), "each value once, whatever its letter case")
			}
			seen[fold.Text(text)] = true
		}
		return b, nil
	}
}

// Part is a property of an object.
type Part struct {
	Name  string
	Shape Shape
}

// ObjectOf is an object with inner properties. An absent object has all of them with their
// defaults; null stays null.
func ObjectOf(parts ...Part) Shape {
	return func(b []byte, at Place, raw json.RawMessage) ([]byte, error) {
		if string(raw) == "null" {
			return append(b, raw...), nil
		}
		members, err := MembersAt(at, raw)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if !slices.ContainsFunc(parts, func(p Part) bool { return m.Is(p.Name) }) {
				return nil, &directory.InvalidError{
					Kind: directory.InvalidUnknown, Resource: at.Resource, Property: at.Path + "." + m.Name,
				}
			}
		}
		b = append(b, '{')
		for _, p := range parts {
			b, err = p.Shape(jsontext.AppendName(b, p.Name), at.Inner(p.Name), valueIn(members, p.Name))
			if err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	}
}

// MembersAt splits an optional object into its members, without annotations, which are ignored
// (P3).
func MembersAt(at Place, raw json.RawMessage) ([]directory.Member, error) {
	if raw == nil {
		return nil, nil
	}
	if raw[0] != '{' {
		return nil, at.Invalid(raw, "an object")
	}
	members, err := directory.Members(raw)
	return slices.DeleteFunc(members, func(m directory.Member) bool { return IsAnnotation(m.Name) }), err
}

func valueIn(members []directory.Member, name string) json.RawMessage {
	for _, m := range members {
		if m.Is(name) {
			return m.Value
		}
	}
	return nil
}

// Merged returns an object with members replaced by those of another, as PATCH does with an object
// within an object.
func Merged(was, now json.RawMessage) json.RawMessage {
	before, err := directory.Members(was)
	if err != nil { // there was none
		return now
	}
	after, err := directory.Members(now)
	if err != nil { // null, or an invalid value that will be refused
		return now
	}
	b := []byte{'{'}
	for _, m := range before {
		if valueIn(after, m.Name) == nil {
			b = append(jsontext.AppendName(b, m.Name), m.Value...)
		}
	}
	for _, m := range after {
		b = append(jsontext.AppendText(jsontext.AppendComma(b), m.Name), ':')
		b = append(b, m.Value...)
	}
	return append(b, '}')
}
