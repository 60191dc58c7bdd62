package graph

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
)

// step is a request within a batch (P40).
type step struct {
	id        batchID
	method    string
	url       *url.URL // as if it were a separate request
	header    http.Header
	body      []byte
	dependsOn []int // places of steps in the batch
}

// batchID is the id of a request in a batch: a text, or a number as some clients write it.
type batchID struct {
	text string          // of a number, its digits
	sent json.RawMessage // as it is returned
}

// UnmarshalJSON accepts a non-empty text, or a number.
func (id *batchID) UnmarshalJSON(raw []byte) error {
	id.sent = slices.Clone(raw)
	if raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9' {
		id.text = string(raw)
		return nil
	}
	return json.Unmarshal(raw, &id.text)
}

// is compares ids in any letter case.
func (id batchID) is(other batchID) bool { return strings.EqualFold(id.text, other.text) }

// maxSteps is the maximum number of requests of a batch.
const maxSteps = 20

// readBatch reads the body of a batch. It refuses errors in the batch as a whole, and in the form
// of its requests, before any request is executed.
func readBatch(r *wire.Request) ([]step, error) {
	members, err := r.RawMembers() // each request validates its own body
	if err != nil {
		return nil, err
	}
	if len(members) != 1 || !members[0].Is("requests") {
		return nil, problem.Broken(`The body of a batch must be {"requests":[…]}.`)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(members[0].Value, &list); err != nil || len(list) == 0 {
		return nil, problem.Broken("'requests' must be a list of 1 to %d requests.", maxSteps)
	}
	if len(list) > maxSteps {
		return nil,
			problem.Broken("Number of batch request steps exceeds the maximum value of %d: there are %d.",
				maxSteps, len(list))
	}
	steps, names := make([]step, len(list)), make([][]batchID, len(list))
	for i, raw := range list {
		if names[i], err = readStep(r, &steps[i], raw); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(steps[:i], func(s step) bool { return s.id.is(steps[i].id) }) {
			return nil, problem.Broken("Request Id %s has to be unique in a batch.", problem.Clip(steps[i].id.text))
		}
	}
	return steps, connect(steps, names)
}

// readStep reads one request of a batch, and returns the ids of those it depends on.
func readStep(r *wire.Request, s *step, raw json.RawMessage) (dependsOn []batchID, err error) {
	members, err := directory.Members(raw)
	if err != nil {
		return nil, err
	}
	var address string
	var headers map[string]string
	for _, m := range members {
		switch {
		case m.Is("body"):
			s.body = m.Value
		case string(m.Value) != "null":
			err = readValueOf(m, map[string]any{"id": &s.id, "method": &s.method, "url": &address, "headers": &headers, "dependsOn": &dependsOn})
		}
		if err != nil {
			return nil, err
		}
	}
	if s.id.text == "" {
		return nil, problem.Broken("Every request of a batch has an 'id', a text that is not empty, or a number.")
	}
	if s.method = strings.ToUpper(s.method); !slices.Contains(batchMethods, s.method) {
		return nil, problem.Broken("Request '%s': the method must be one of %s.",
			problem.Clip(s.id.text), strings.Join(batchMethods, ", "))
	}
	if s.url, err = urlOf(r, s.id.text, address); err != nil {
		return nil, err
	}
	s.setHeader(headers)
	return dependsOn, s.setBody()
}

// readValueOf decodes one member into the value of the map for its name.
func readValueOf(m directory.Member, into map[string]any) error {
	return wire.Read("batchRequest", []directory.Member{m}, into)
}

var batchMethods = []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete}

// urlOf parses the URL of a request, which is relative to the root of the version.
func urlOf(r *wire.Request, id, address string) (*url.URL, error) {
	if address == "" || strings.HasPrefix(address, "//") || strings.Contains(strings.SplitN(address, "?", 2)[0], "://") {
		return nil, problem.Broken("Request '%s': the url must be relative to '%s', such as '/users'.",
			problem.Clip(id), r.Root)
	}
	version := strings.TrimPrefix(r.Root, r.Origin)
	address = strings.ReplaceAll(address, " ", "%20") // scripts often do not encode filters
	u, err := url.ParseRequestURI(version + "/" + strings.TrimPrefix(address, "/"))
	if err != nil {
		return nil, problem.Broken("Request '%s': the url '%s' is not encoded as addresses are.",
			problem.Clip(id), problem.Clip(address))
	}
	return u, nil
}

// notForSteps are headers that belong to the batch: authentication, and the transfer of the whole
// body.
var notForSteps = []string{
	"Authorization", "Host", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Connection", "Accept-Encoding", "Origin",
}

func (s *step) setHeader(headers map[string]string) {
	s.header = http.Header{}
	for name, value := range headers {
		if name = http.CanonicalHeaderKey(name); !slices.Contains(notForSteps, name) {
			s.header.Set(name, value)
		}
	}
}

// setBody uses a JSON body unchanged. Any other body is a text in base64, with its type in the
// headers.
func (s *step) setBody() error {
	if s.body == nil || string(s.body) == "null" {
		s.body = nil
		return nil
	}
	given := s.header.Get("Content-Type")
	if given == "" {
		return problem.Broken("Write request with id '%s' does not contain a Content-Type header.",
			problem.Clip(s.id.text))
	}
	if strings.HasPrefix(strings.ToLower(given), wire.JSONType) {
		return nil
	}
	var text string
	err := json.Unmarshal(s.body, &text)
	if err == nil {
		text = strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(text)
		s.body, err = base64.RawStdEncoding.DecodeString(text)
	}
	if err != nil {
		return problem.Broken("Request '%s': a body of the type '%s' must be a text in base64.",
			problem.Clip(s.id.text), problem.Clip(given))
	}
	return nil
}

// connect finds the steps that each depends on, and refuses cyclic dependencies.
func connect(steps []step, names [][]batchID) error {
	for i := range steps {
		for _, name := range names[i] {
			at := slices.IndexFunc(steps, func(s step) bool { return s.id.is(name) })
			if at < 0 {
				return problem.Broken("Request '%s' depends on '%s', which is not in the batch.",
					problem.Clip(steps[i].id.text), problem.Clip(name.text))
			}
			steps[i].dependsOn = append(steps[i].dependsOn, at)
		}
	}
	ready := make([]bool, len(steps))
	isReady := func(i int) bool { return ready[i] }
	for range steps { // each round finds at least one more, unless there is a cycle
		for i := range steps {
			ready[i] = ready[i] || !slices.ContainsFunc(steps[i].dependsOn, func(on int) bool { return !isReady(on) })
		}
	}
	if at := slices.Index(ready, false); at >= 0 {
		return problem.Broken("Request '%s' depends on itself, by way of the others it depends on.",
			problem.Clip(steps[at].id.text))
	}
	return nil
}
