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

// Annotated adds the annotations of odata.metadata=full before the fields (P5, P7).
func (s *FieldSet[T]) Annotated(r *Request, fields []*Field[T]) []*Field[T] {
	if r.Metadata != "full" {
		return fields
	}
	return append(s.Annotations(r), fields...)
}

// Annotations returns the control information of an object as fields, its type first.
func (s *FieldSet[T]) Annotations(r *Request) []*Field[T] {
	address := func(b []byte, object *T) []byte {
		b = append(append(append(append(b, '"'), r.Root...), '/'), s.place(object)...)
		start := len(b)
		b = s.ByName["id"].Write(b, object)
		b[start] = '/' // instead of the quotation mark
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

// Etag identifies the state of an object (P7). It is a hash of all properties of the object, so it
// also changes with licenses that follow from changes of other objects, and it is the same after a
// restart. Computing it costs as much as showing the object, so it is only computed on request.
func (s *FieldSet[T]) Etag(object *T) string {
	buffer := buffers.Get().(*[]byte)
	h, b := sha256.New(), append((*buffer)[:0], '{')
	for i := range s.All {
		if s.All[i].Write == nil {
			continue
		}
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

// SendEntity answers with one object under the context of its set, or with 304 if the caller has
// the current state (P7).
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

// Lists reports whether a list of ETags has one. Weak ETags are compared by their value, as in
// OData.
func Lists(list, etag string) bool {
	for known := range strings.SplitSeq(list, ",") {
		known = strings.TrimSpace(known)
		if known == "*" || strings.TrimPrefix(known, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

// ChangedMeanwhile returns the error for an object that is not in the state of If-Match.
func ChangedMeanwhile(known string) error {
	return &problem.ResponseError{
		Status: http.StatusPreconditionFailed, Code: "PreconditionFailed",
		Message: fmt.Sprintf("The ETag does not match If-Match (%s). Read the object "+
			"again with Accept: application/json;odata.metadata=full and retry.", problem.Clip(known)),
	}
}
