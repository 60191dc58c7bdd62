package wire

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"licensor/internal/graph/edm"
	"licensor/internal/jsontext"
)

// Typed is a type whose properties have URLs.
type Typed interface {
	edm.Type
	EveryName() []string
}

// EveryName returns the names of all properties.
func (s *FieldSet[T]) EveryName() []string {
	names := make([]string, len(s.All))
	for i := range s.All {
		names[i] = s.All[i].Name
	}
	return names
}

// sendProperty answers with a property of an object, or one within it, as in the path (P27). Null
// is a 204.
func sendProperty[T any](r *Request, s *FieldSet[T], set string, f *Field[T], object *T) error {
	value := f.Write(nil, object)
	for _, name := range r.Property[1:] {
		value = valueOf(value, name)
	}
	if string(value) == "null" {
		return r.SendNothing()
	}
	if r.Raw {
		return r.SendText(PlainText(value))
	}
	id := string(bytes.Trim(s.ByName["id"].Write(nil, object), `"`))
	b := r.AppendHead(r.Begin(), set+"('"+id+"')/"+strings.Join(r.Property, "/"))
	if value[0] != '{' {
		return r.Send(http.StatusOK, append(append(jsontext.AppendName(b, "value"), value...), '}'))
	}
	if inner := value[1 : len(value)-1]; len(inner) > 0 {
		b = append(jsontext.AppendComma(b), inner...)
	}
	return r.Send(http.StatusOK, append(b, '}'))
}

// valueOf returns the value of a member of a JSON object, null if the object is null.
func valueOf(object []byte, name string) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(object, &members) != nil || members[name] == nil {
		return []byte("null")
	}
	return members[name]
}

// PlainText returns a JSON value without quotation marks.
func PlainText(value []byte) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}
