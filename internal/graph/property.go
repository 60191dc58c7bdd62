package graph

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"licensor/internal/graph/edm"
	"licensor/internal/jsontext"
)

// typed is a type whose properties have addresses.
type typed interface {
	edm.Type
	everyName() []string
}

func (s *fieldSet[T]) everyName() []string {
	names := make([]string, len(s.all))
	for i := range s.all {
		names[i] = s.all[i].name
	}
	return names
}

// sendProperty answers with a property of an object, or one within it, as the path says (P27). Null
// is 204.
func sendProperty[T any](r *request, s *fieldSet[T], set string, f *field[T], object *T) error {
	value := f.write(nil, object)
	for _, name := range r.property[1:] {
		value = valueOf(value, name)
	}
	if string(value) == "null" {
		return r.sendNothing()
	}
	if r.raw {
		return r.sendText(plainText(value))
	}
	id := string(bytes.Trim(s.byName["id"].write(nil, object), `"`))
	b := r.appendHead(r.begin(), set+"('"+id+"')/"+strings.Join(r.property, "/"))
	if value[0] != '{' {
		return r.send(http.StatusOK, append(append(jsontext.AppendName(b, "value"), value...), '}'))
	}
	if inner := value[1 : len(value)-1]; len(inner) > 0 {
		b = append(jsontext.AppendComma(b), inner...)
	}
	return r.send(http.StatusOK, append(b, '}'))
}

// valueOf is the value of a member of an object of JSON, null where the object is.
func valueOf(object []byte, name string) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(object, &members) != nil || members[name] == nil {
		return []byte("null")
	}
	return members[name]
}

// plainText is a value of JSON without quotation marks.
func plainText(value []byte) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}
