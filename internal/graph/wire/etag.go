package wire

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"licensor/internal/graph/problem"
	"licensor/internal/jsontext"
)

// Annotated puts before the fields what odata.metadata=full adds to each object (P5, P7).
func (s *FieldSet[T]) Annotated(r *Request, fields []*Field[T]) []*Field[T] {
	if r.Metadata != "full" {
		return fields
	}
	return append(s.Annotations(r), fields...)
}

// Annotations are the control information of an object as fields, its type first.
func (s *FieldSet[T]) Annotations(r *Request) []*Field[T] {
	address := func(b []byte, object *T) []byte {
		b = append(append(append(append(b, '"'), r.Root...), '/'), s.place(object)...)
		start := len(b)
		b = s.ByName["id"].Write(b, object)
		b[start] = '/' // in place of the quotation mark
		return b
	}
	return []*Field[T]{
		{Name: "@odata.type", Write: func(b []byte, _ *T) []byte { return jsontext.AppendText(b, "#"+s.TypeName) }},
		{Name: "@odata.id", Write: address},
		{Name: "@odata.etag", Documented: true, Write: func(b []byte, object *T) []byte {
			return jsontext.AppendText(b, s.Etag(object))
		}},
		{Name: "@odata.editLink", Write: address},
	}
}

// Etag identifies the state of an object (P7): it is made of all that the object can show, so it
// changes with the licenses, too, which other objects' changes bring about, and it is the same
// after a restart. Making it costs as much as showing the object; that is why it is only made for
// those who ask.
func (s *FieldSet[T]) Etag(object *T) string {
	buffer := buffers.Get().(*[]byte)
	h, b := sha256.New(), append((*buffer)[:0], '{')
	for i := range s.All {
		if b = s.All[i].Write(append(b, ','), object); len(b) > StreamFrom {
			h.Write(b)
			b = b[:0]
		}
	}
	h.Write(b)
	if cap(b) <= maxKept {
		*buffer = b
		buffers.Put(buffer)
	}
	return `W/"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12]) + `"`
}

// SendEntity answers with one object under the context of its set, or with 304 to who has it as it
// is (P7).
func SendEntity[T any](r *Request, s *FieldSet[T], status int, set string, fields []*Field[T], object *T) error {
	if known := r.Header.Get("If-None-Match"); known != "" && r.Method == http.MethodGet && len(r.Options.Expand) == 0 {
		etag := s.Etag(object)
		r.W.Header().Set("ETag", etag)
		if Lists(known, etag) {
			r.headers()
			r.W.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	if r.Property != nil {
		return sendProperty(r, s, set, fields[len(fields)-1], object)
	}
	b := r.AppendHead(r.Begin(), r.Selected(set)+"/$entity")
	return r.SendChanged(status, append(AppendFields(b, fields, object), '}'))
}

// Lists says whether a list of ETags has one. Weak ones are compared by what they say, as OData
// does.
func Lists(list, etag string) bool {
	for known := range strings.SplitSeq(list, ",") {
		known = strings.TrimSpace(known)
		if known == "*" || strings.TrimPrefix(known, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

// ChangedMeanwhile refuses a change of an object that is not in the state that If-Match names.
func ChangedMeanwhile(known string) error {
	return &problem.Error{
		Status: http.StatusPreconditionFailed, Code: "PreconditionFailed",
		Message: fmt.Sprintf("The object is not, or no longer, in the state that If-Match names (%s). Read it again with Accept: application/json;odata.metadata=full and retry.", problem.Clip(known)),
	}
}
