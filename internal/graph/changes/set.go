package changes

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
)

const (
	// MaxRequests is the maximum number of requests of a change set.
	MaxRequests = 10_000
	// MaxSet limits a change set in bytes, both before and after decompression.
	MaxSet = 32 << 20
	// setMemory is the memory of a change set relative to its length: as text, and while one request
	// is decoded.
	setMemory = 2
)

// request is a request of a change set.
type request struct {
	id     string
	sent   json.RawMessage // the id as it is returned
	method string
	url    *url.URL // as if it were a separate request
	header http.Header
	body   []byte
}

// set is a change set (C1).
type set struct {
	requests []request
	bytes    int64
}

// readSet reads the body of a request: the requests of a change set, and values of the other
// members. Requests are decoded one by one.
func readSet(r *wire.Request, others map[string]any) (*set, error) {
	if err := wire.HasType(r.Header.Get("Content-Type"), wire.JSONType); err != nil {
		return nil, err
	}
	size := int64(MaxSet)
	if r.HasLength() {
		size = min(size, r.ContentLength)
	}
	if err := r.Share.More(r.Context(), setMemory*size); err != nil {
		return nil, err
	}
	body, err := r.PlainBody(MaxSet)
	if err != nil {
		return nil, err
	}
	s := &set{}
	if err := s.read(r, json.NewDecoder(body), others); err != nil {
		return nil, err
	}
	if len(s.requests) == 0 {
		return nil, problem.Broken("'requests' must be a list of 1 to %d requests.", MaxRequests)
	}
	return s, nil
}

func (s *set) read(r *wire.Request, d *json.Decoder, others map[string]any) error {
	if err := expect(d, json.Delim('{')); err != nil {
		return err
	}
	var seen []string
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return bodyProblem(err)
		}
		name, _ := token.(string)
		if slices.ContainsFunc(seen, func(one string) bool { return strings.EqualFold(one, name) }) {
			return problem.Broken("The body has '%s' twice.", problem.Clip(name))
		}
		seen = append(seen, name)
		if strings.EqualFold(name, "requests") {
			err = s.readRequests(r, d)
		} else {
			err = readOther(d, name, others)
		}
		if err != nil {
			return err
		}
	}
	if err := expect(d, json.Delim('}')); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return problem.Broken("The body has more after its end.")
	}
	return nil
}

// expect reads a token.
func expect(d *json.Decoder, want json.Delim) error {
	token, err := d.Token()
	if err != nil {
		return bodyProblem(err)
	}
	if token != want {
		return problem.Broken(`The body of a change set must be {"requests":[{"id":…,"method":…,"url":…,"body":…},…]}.`)
	}
	return nil
}

// bodyProblem returns the response to a body that cannot be read or decoded.
func bodyProblem(err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return problem.Broken("The body is not valid JSON at byte %d: %s.", syntax.Offset, syntax.Error())
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return problem.Broken("The body of the change set is incomplete.")
	}
	return wire.BodyProblem(err, MaxSet)
}

func readOther(d *json.Decoder, name string, others map[string]any) error {
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return bodyProblem(err)
	}
	return wire.Read("changeSet", []directory.Member{{Name: name, Value: raw}}, others)
}

func (s *set) readRequests(r *wire.Request, d *json.Decoder) error {
	if err := expect(d, json.Delim('[')); err != nil {
		return err
	}
	ids, bodies := map[string]bool{}, 0
	for d.More() {
		if err := r.Work.Yield(); err != nil {
			return err
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return bodyProblem(err)
		}
		if len(s.requests) == MaxRequests {
			return problem.Broken("A change set has at most %d requests.", MaxRequests)
		}
		one, err := readRequest(raw)
		if err != nil {
			return err
		}
		folded := strings.ToLower(one.id)
		if ids[folded] {
			return problem.Broken("Request Id %s has to be unique in a change set.", problem.Clip(one.id))
		}
		ids[folded] = true
		if bodies += len(one.body); bodies > MaxCommit { // what they write is at least as large
			return tooMuch()
		}
		s.requests = append(s.requests, one)
		s.bytes += int64(len(raw)) + requestBytes
	}
	return expect(d, json.Delim(']'))
}

// requestBytes is about the memory of a request besides its text.
const requestBytes = 500

func readRequest(raw json.RawMessage) (one request, err error) {
	members, err := directory.Members(raw)
	if err != nil {
		return one, err
	}
	var id json.RawMessage
	var address string
	var headers map[string]string
	for _, m := range members {
		switch {
		case m.Is("body"):
			one.body = slices.Clone(m.Value)
		case m.Is("id"):
			id = slices.Clone(m.Value)
		case m.Is("dependsOn"):
			return one, problem.Refuse("The requests of a change set are executed in order: 'dependsOn' is refused.")
		default:
			err = wire.Read("changeSetRequest", []directory.Member{m},
				map[string]any{"method": &one.method, "url": &address, "headers": &headers})
		}
		if err != nil {
			return one, err
		}
	}
	if one.id, err = idOf(id); err != nil {
		return one, err
	}
	one.sent = id
	if one.method = strings.ToUpper(one.method); !slices.Contains(methods, one.method) {
		return one, problem.Refuse("Request '%s': the method of a change is one of %s.",
			problem.Clip(one.id), strings.Join(methods, ", "))
	}
	if one.url, err = addressOf(one.id, address); err != nil {
		return one, err
	}
	return one, one.setHeader(headers)
}

var methods = []string{http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete}

// idOf reads the id of a request: a text, or a number as some clients write it.
func idOf(raw json.RawMessage) (string, error) {
	var text string
	var number json.Number
	if json.Unmarshal(raw, &text) == nil && text != "" && !slices.Contains(reserved, strings.ToLower(text)) {
		return text, nil
	}
	if json.Unmarshal(raw, &number) == nil && number != "" {
		return number.String(), nil
	}
	return "", problem.Broken("Every request of a change set has an 'id', a text that is not empty, or a number. "+
		"It cannot be one of %s.", problem.Quoted(reserved))
}

// reserved are segments of paths that begin with $, so requests cannot be named like that.
var reserved = []string{"ref", "count", "value"}

// ownRoots are the first segments of addresses of our own operations that need not begin with
// /licensor/v1.
var ownRoots = []string{"subscriptions", "settings", "catalog", "reprocess"}

// addressOf parses the url of a request (C2): relative to /v1.0, as in $batch, or with its version.
func addressOf(id, address string) (*url.URL, error) {
	path, _, _ := strings.Cut(address, "?")
	if address == "" || strings.HasPrefix(address, "//") || strings.Contains(path, "://") {
		return nil, problem.Broken("Request '%s': the url must be relative, such as '/users/{id}/assignLicense'.",
			problem.Clip(id))
	}
	address = "/" + strings.TrimPrefix(address, "/")
	first, _, _ := strings.Cut(path[len(path)-len(strings.TrimPrefix(path, "/")):], "/")
	switch {
	case strings.EqualFold(first, "v1.0"), strings.EqualFold(first, "beta"), strings.EqualFold(first, "licensor"):
	case slices.ContainsFunc(ownRoots, func(root string) bool { return strings.EqualFold(root, first) }):
		address = route.Own + address
	default:
		address = "/v1.0" + address
	}
	u, err := url.ParseRequestURI(strings.ReplaceAll(address, " ", "%20"))
	if err != nil {
		return nil, problem.Broken("Request '%s': the url '%s' is not encoded as addresses are.",
			problem.Clip(id), problem.Clip(address))
	}
	return u, nil
}

// keptHeaders are the headers of requests that have a meaning in a change set.
var keptHeaders = []string{"Content-Type", "If-Match", "If-None-Match"}

// setHeader sets the headers, and checks that there is a body of JSON or none.
func (one *request) setHeader(headers map[string]string) error {
	one.header = http.Header{}
	for name, value := range headers {
		name = http.CanonicalHeaderKey(name)
		if name == "Prefer" && strings.Contains(strings.ToLower(value), wire.PreferPreview) {
			return problem.Refuse("Request '%s': a request of a change set cannot prefer a preview.",
				problem.Clip(one.id))
		}
		if slices.Contains(keptHeaders, name) {
			one.header.Set(name, value)
		}
	}
	if one.body = bytes.TrimSpace(one.body); len(one.body) == 0 || string(one.body) == "null" {
		one.body = nil
		return nil
	}
	if one.header.Get("Content-Type") == "" {
		one.header.Set("Content-Type", wire.JSONType)
	}
	if wire.Values(one.body) > wire.MaxBodyValues {
		return problem.Broken("Request '%s': the body has more than %d values.",
			problem.Clip(one.id), wire.MaxBodyValues)
	}
	return nil
}
