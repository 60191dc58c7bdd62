package graph

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/directory"
)

// maxBody bounds a request's body, as it is sent and as it is after decompression (P3).
const maxBody = 4 << 20

// body reads the whole body of a request, which is of the type mediaType when there is one.
func (r *request) body(mediaType string, limit int64) ([]byte, error) {
	if r.ContentLength == 0 || r.Body == nil {
		return nil, nil
	}
	source, err := plain(http.MaxBytesReader(r.w, r.Body, limit), r.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, bodyProblem(err, limit)
	}
	body, err := io.ReadAll(io.LimitReader(source, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = &http.MaxBytesError{Limit: limit}
	}
	if err != nil {
		return nil, bodyProblem(err, limit)
	}
	if body = bytes.TrimSpace(body); len(body) == 0 {
		return nil, nil
	}
	if got, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); got != mediaType {
		return nil, &Problem{
			Status: http.StatusUnsupportedMediaType, Code: brokenRequest,
			Message: fmt.Sprintf("A Content-Type of '%s' is expected for the body, not '%s'.", mediaType, r.Header.Get("Content-Type")),
		}
	}
	return body, nil
}

// plain undoes a Content-Encoding. The SDK for Go compresses its bodies unless told not to.
func plain(body io.Reader, encoding string) (io.Reader, error) {
	switch encoding {
	case "", "identity":
		return body, nil
	case "gzip":
		return gzip.NewReader(body)
	}
	return nil, &Problem{
		Status: http.StatusUnsupportedMediaType, Code: brokenRequest,
		Message: fmt.Sprintf("The Content-Encoding '%s' is not supported. Send the body as it is, or with gzip.", encoding),
	}
}

// bodyProblem tells why a body could not be read: too large, not what its headers say, or cut off.
func bodyProblem(err error, limit int64) error {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &Problem{
			Status: http.StatusRequestEntityTooLarge, Code: badRequest,
			Message: fmt.Sprintf("The body of the request is larger than the %d MB allowed.", limit>>20),
		}
	}
	return &Problem{Status: http.StatusBadRequest, Code: brokenRequest, Message: "The body of the request could not be read: it is cut off, or not compressed as Content-Encoding says."}
}

const jsonType = "application/json"

// members reads the body of a request that must be a JSON object.
func (r *request) members() ([]directory.Member, error) {
	body, err := r.body(jsonType, maxBody)
	if err != nil {
		return nil, err
	}
	return directory.Members(body)
}

// noBody refuses a body but the empty object, which clients send where none is expected (P3).
func (r *request) noBody() error {
	body, err := r.body(jsonType, maxBody)
	if err != nil || body == nil {
		return err
	}
	members, err := directory.Members(body)
	if err != nil {
		return err
	}
	if len(members) > 0 {
		return refuse("The operation takes no body, but the request has one with the property '%s'.", members[0].Name)
	}
	return nil
}

// read reads the properties of an object into what the map has for each name: a pointer that JSON can be decoded into. Names that the
// map does not have are refused by name (P13), but for annotations, which are passed over (P53).
func read(resource string, members []directory.Member, into map[string]any, required ...string) error {
	for _, m := range members {
		to, ok := into[m.Name]
		switch {
		case strings.Contains(m.Name, "@odata."):
			continue
		case !ok:
			return &directory.Invalid{Kind: directory.Unknown, Resource: resource, Property: m.Name}
		}
		if err := readValue(resource, m, to); err != nil {
			return err
		}
	}
	for _, name := range required {
		if !slices.ContainsFunc(members, func(m directory.Member) bool { return m.Name == name }) {
			return &directory.Invalid{Kind: directory.Missing, Resource: resource, Property: name}
		}
	}
	return nil
}

func readValue(resource string, m directory.Member, to any) error {
	var err error
	switch to := to.(type) {
	case *uuid.UUID:
		*to, err = readGUID(m.Value)
	case *[]uuid.UUID:
		*to, err = readGUIDs(m.Value)
	default:
		if string(m.Value) == "null" || json.Unmarshal(m.Value, to) != nil {
			err = &directory.Invalid{Kind: directory.BadValue, Resource: resource, Property: m.Name, Value: string(m.Value)}
		}
	}
	return err
}

// readGUID reads a GUID in quotation marks.
func readGUID(raw json.RawMessage) (uuid.UUID, error) {
	var text string
	if json.Unmarshal(raw, &text) != nil || string(raw) == "null" {
		text = string(raw)
	}
	id, ok := parseGUID(text)
	if !ok {
		return uuid.Nil, refuse("Cannot convert the literal '%s' to the expected type 'Edm.Guid'.", clip(text))
	}
	return id, nil
}

// readGUIDs reads a list of GUIDs.
func readGUIDs(raw json.RawMessage) ([]uuid.UUID, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil || list == nil {
		return nil, refuse("Cannot convert the literal '%s' to the expected type 'Collection(Edm.Guid)'.", clip(string(raw)))
	}
	ids := make([]uuid.UUID, len(list))
	for i, element := range list {
		var err error
		if ids[i], err = readGUID(element); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// clip shortens what a message repeats of a request.
func clip(text string) string {
	const most = 100
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
