package graph

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"licensor/internal/graph/problem"
	"licensor/internal/jsontext"
)

// annotated puts before the fields what odata.metadata=full adds to each object (P5, P7).
func (s *fieldSet[T]) annotated(r *request, fields []*field[T]) []*field[T] {
	if r.metadata != "full" {
		return fields
	}
	return append(s.annotations(r), fields...)
}

// annotations are the control information of an object as fields, its type first.
func (s *fieldSet[T]) annotations(r *request) []*field[T] {
	address := func(b []byte, object *T) []byte {
		b = append(append(append(append(b, '"'), r.root...), '/'), s.place(object)...)
		start := len(b)
		b = s.byName["id"].write(b, object)
		b[start] = '/' // in place of the quotation mark
		return b
	}
	return []*field[T]{
		{name: "@odata.type", write: func(b []byte, _ *T) []byte { return jsontext.AppendText(b, "#"+s.typeName) }},
		{name: "@odata.id", write: address},
		{name: "@odata.etag", write: func(b []byte, object *T) []byte { return jsontext.AppendText(b, s.etag(object)) }, documented: true},
		{name: "@odata.editLink", write: address},
	}
}

// etag identifies the state of an object (P7): it is made of all that the object can show, so it
// changes with the licenses, too, which other objects' changes bring about, and it is the same
// after a restart. Making it costs as much as showing the object; that is why it is only made for
// those who ask.
func (s *fieldSet[T]) etag(object *T) string {
	buffer := buffers.Get().(*[]byte)
	h, b := sha256.New(), append((*buffer)[:0], '{')
	for i := range s.all {
		if b = s.all[i].write(append(b, ','), object); len(b) > streamFrom {
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

// sendEntity answers with one object under the context of its set, or with 304 to who has it as it
// is (P7).
func sendEntity[T any](r *request, s *fieldSet[T], status int, set string, fields []*field[T], object *T) error {
	if known := r.Header.Get("If-None-Match"); known != "" && r.Method == http.MethodGet && len(r.options.Expand) == 0 {
		etag := s.etag(object)
		r.w.Header().Set("ETag", etag)
		if lists(known, etag) {
			r.headers()
			r.w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	if r.property != nil {
		return sendProperty(r, s, set, fields[len(fields)-1], object)
	}
	b := r.appendHead(r.begin(), r.selected(set)+"/$entity")
	return r.sendChanged(status, append(appendFields(b, fields, object), '}'))
}

// lists says whether a list of ETags has one. Weak ones are compared by what they say, as OData
// does.
func lists(list, etag string) bool {
	for known := range strings.SplitSeq(list, ",") {
		if known = strings.TrimSpace(known); known == "*" || strings.TrimPrefix(known, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

func changedMeanwhile(known string) error {
	return &problem.Problem{
		Status: http.StatusPreconditionFailed, Code: "PreconditionFailed",
		Message: fmt.Sprintf("The object is not, or no longer, in the state that If-Match names (%s). Read it again with Accept: application/json;odata.metadata=full and decide anew.", problem.Clip(known)),
	}
}
