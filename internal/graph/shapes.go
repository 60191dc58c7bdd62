package graph

import (
	"encoding/json"
	"slices"
	"strconv"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/graph/problem"
	"licensor/internal/jsontext"
)

// shape reads a value that is only kept and shown: it appends the value as Graph writes it,
// complete and in one form, or an error that names where something is wrong. A raw value of nil
// stands for one that was not sent.
type shape func(b []byte, at placeIn, raw json.RawMessage) ([]byte, error)

// placeIn is a place in a body: the resource, and the path of the property in it.
type placeIn struct{ resource, path string }

func (s placeIn) inner(name string) placeIn { return placeIn{s.resource, s.path + "." + name} }

func (s placeIn) invalid(raw json.RawMessage, want string) error {
	return &directory.Invalid{Kind: directory.BadValue, Resource: s.resource, Property: s.path, Value: problem.Clip(string(raw)), Want: want}
}

func absentOrNull(raw json.RawMessage) bool { return raw == nil || string(raw) == "null" }

// shapeText is a text of at most so many characters, or null.
func shapeText(most int) shape {
	return func(b []byte, at placeIn, raw json.RawMessage) ([]byte, error) {
		var text string
		switch {
		case absentOrNull(raw):
			return append(b, "null"...), nil
		case json.Unmarshal(raw, &text) != nil:
			return nil, at.invalid(raw, "a text")
		case len([]rune(text)) > most:
			return nil, at.invalid(raw, "at most "+strconv.Itoa(most)+" characters")
		}
		return jsontext.AppendText(b, text), nil
	}
}

// oneOf is a text out of some, or null.
func oneOf(texts ...string) shape {
	return func(b []byte, at placeIn, raw json.RawMessage) ([]byte, error) {
		var text string
		if absentOrNull(raw) {
			return append(b, "null"...), nil
		}
		err := json.Unmarshal(raw, &text)
		text, known := fold.Among(texts, text)
		if err != nil || !known {
			return nil, at.invalid(raw, "one of "+problem.Quoted(texts))
		}
		return jsontext.AppendText(b, text), nil
	}
}

// shapeFlag is a boolean, or null.
func shapeFlag(b []byte, at placeIn, raw json.RawMessage) ([]byte, error) {
	switch {
	case absentOrNull(raw):
		return append(b, "null"...), nil
	case string(raw) != "true" && string(raw) != "false":
		return nil, at.invalid(raw, "true or false")
	}
	return append(b, raw...), nil
}

// shapeNumber is a whole number, or null.
func shapeNumber(b []byte, at placeIn, raw json.RawMessage) ([]byte, error) {
	var n int32
	switch {
	case absentOrNull(raw):
		return append(b, "null"...), nil
	case json.Unmarshal(raw, &n) != nil:
		return nil, at.invalid(raw, "a whole number")
	}
	return jsontext.AppendInt(b, int(n)), nil
}

// shapeGUID is a GUID, or null.
func shapeGUID(b []byte, at placeIn, raw json.RawMessage) ([]byte, error) {
	if absentOrNull(raw) {
		return append(b, "null"...), nil
	}
	id, err := readGUID(raw)
	if err != nil {
		return nil, at.invalid(raw, "a GUID")
	}
	return jsontext.AppendID(b, id), nil
}

// must is a value that cannot be left out or null.
func must(inner shape) shape {
	return func(b []byte, at placeIn, raw json.RawMessage) ([]byte, error) {
		switch {
		case raw == nil:
			return nil, &directory.Invalid{Kind: directory.Missing, Resource: at.resource, Property: at.path, Want: "a value"}
		case string(raw) == "null":
			return nil, at.invalid(raw, "a value; it cannot be null")
		}
		return inner(b, at, raw)
	}
}

// usually is a value that stands as some other when it is left out.
func usually(otherwise string, inner shape) shape {
	return func(b []byte, at placeIn, raw json.RawMessage) ([]byte, error) {
		if raw == nil {
			raw = json.RawMessage(otherwise)
		}
		return must(inner)(b, at, raw)
	}
}

// maxKeptList bounds a list that is only kept.
const maxKeptList = 1200

// listOf is a list, never null.
func listOf(inner shape) shape {
	return func(b []byte, at placeIn, raw json.RawMessage) ([]byte, error) {
		var elements []json.RawMessage
		switch {
		case raw == nil:
			return append(b, "[]"...), nil
		case json.Unmarshal(raw, &elements) != nil || elements == nil:
			return nil, at.invalid(raw, "a list")
		case len(elements) > maxKeptList:
			return nil, at.invalid(nil, "at most "+strconv.Itoa(maxKeptList)+" elements")
		}
		b = append(b, '[')
		for i, element := range elements {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = must(inner)(b, at, element); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	}
}

// distinctIn is a list of objects, no two of which have the same text in one of some properties.
// Null and the empty text are none.
func distinctIn(list shape, names ...string) shape {
	return func(b []byte, at placeIn, raw json.RawMessage) ([]byte, error) {
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
					return nil, at.inner(name).invalid(json.RawMessage(text), "each "+name+" once")
				}
				seen[text] = true
			}
		}
		return b, nil
	}
}

// distinctTexts is a list of texts, no two of which are the same without regard to letter case.
func distinctTexts(list shape) shape {
	return func(b []byte, at placeIn, raw json.RawMessage) ([]byte, error) {
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
				return nil, at.invalid(json.RawMessage(text), "each value once, whatever its letter case")
			}
			seen[fold.Text(text)] = true
		}
		return b, nil
	}
}

// part is a property of an object.
type part struct {
	name  string
	shape shape
}

// objectOf is an object with properties of its own. One that is left out has them all, each as it
// is when left out; null stays null.
func objectOf(parts ...part) shape {
	return func(b []byte, at placeIn, raw json.RawMessage) ([]byte, error) {
		if string(raw) == "null" {
			return append(b, raw...), nil
		}
		members, err := membersAt(at, raw)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if !isAnnotation(m.Name) && !slices.ContainsFunc(parts, func(p part) bool { return m.Is(p.name) }) {
				return nil, &directory.Invalid{Kind: directory.Unknown, Resource: at.resource, Property: at.path + "." + m.Name}
			}
		}
		b = append(b, '{')
		for _, p := range parts {
			if b, err = p.shape(jsontext.AppendName(b, p.name), at.inner(p.name), valueIn(members, p.name)); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	}
}

// membersAt takes an object apart that may be left out.
func membersAt(at placeIn, raw json.RawMessage) ([]directory.Member, error) {
	if raw == nil {
		return nil, nil
	}
	if raw[0] != '{' {
		return nil, at.invalid(raw, "an object")
	}
	return directory.Members(raw)
}

func valueIn(members []directory.Member, name string) json.RawMessage {
	for _, m := range members {
		if m.Is(name) {
			return m.Value
		}
	}
	return nil
}

// merged is an object with the members of another in the place of its own: what PATCH makes of an
// object within an object.
func merged(was, now json.RawMessage) json.RawMessage {
	before, err := directory.Members(was)
	if err != nil { // there was none
		return now
	}
	after, err := directory.Members(now)
	if err != nil { // null, or what will be refused
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
