package graph

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// batch answers POST /$batch (P40): each request in it goes the way it would go by itself, with the token of the batch. Those that
// depend on nothing go side by side.
func (api *API) batch(r *request) error {
	if r.ctx.Value(withinBatch{}) != nil {
		return broken("A batch cannot be within a batch.")
	}
	if err := r.allow(); err != nil {
		return err
	}
	steps, err := r.readBatch()
	if err != nil {
		return err
	}
	r.work.Rest() // each step has work of its own
	answers := api.play(r, steps)
	b := append(r.begin(), `{"responses":[`...)
	for i, a := range answers {
		if i > 0 {
			b = append(b, ',')
		}
		b = a.append(b, steps[i].id.sent)
	}
	return r.send(http.StatusOK, append(b, "]}"...))
}

// withinBatch marks the context of the requests of a batch.
type withinBatch struct{}

// sideBySide is how many requests of one batch are done at the same time. Their changes share commits, so more would not help one
// caller much, but hurt the others.
const sideBySide = 4

// play does all steps, each after those it depends on.
func (api *API) play(r *request, steps []step) []*stepAnswer {
	answers, done := make([]*stepAnswer, len(steps)), make([]chan struct{}, len(steps))
	for i := range steps {
		answers[i], done[i] = &stepAnswer{header: http.Header{}}, make(chan struct{})
	}
	running := make(chan struct{}, sideBySide)
	var all sync.WaitGroup
	for i := range steps {
		all.Go(func() {
			defer close(done[i])
			for _, on := range steps[i].dependsOn {
				<-done[on]
			}
			running <- struct{}{}
			defer func() { <-running }()
			api.take(r, &steps[i], answers, answers[i])
		})
	}
	all.Wait()
	return answers
}

// take does a step, unless one that it depends on has failed.
func (api *API) take(r *request, s *step, answers []*stepAnswer, a *stepAnswer) {
	ctx := context.WithValue(r.ctx, withinBatch{}, true)
	inner := r.inner(ctx, s)
	if !slices.ContainsFunc(s.dependsOn, func(on int) bool { return answers[on].status >= http.StatusBadRequest }) {
		api.ServeHTTP(a, inner)
		return
	}
	newRequest(ctx, a, inner, api.NewID(), api.Now()).fail(&Problem{
		Status: http.StatusFailedDependency, Code: "FailedDependency",
		Message: fmt.Sprintf("Request '%s' was not done: one that it depends on has failed.", clip(s.id.text)),
	})
}

// inner is a step as a request that came by itself, by the way the batch came.
func (r *request) inner(ctx context.Context, s *step) *http.Request {
	inner := (&http.Request{
		Method: s.method, URL: s.url, Header: s.header, Host: r.Host, TLS: r.TLS, RemoteAddr: r.RemoteAddr, RequestURI: s.url.RequestURI(),
		Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor,
		Body: io.NopCloser(bytes.NewReader(s.body)), ContentLength: int64(len(s.body)),
	}).WithContext(ctx)
	inner.Header.Del("Accept-Encoding") // the batch is compressed as a whole
	inner.Header.Set("Authorization", r.Header.Get("Authorization"))
	if inner.Header.Get("client-request-id") == "" {
		inner.Header.Set("client-request-id", r.clientID)
	}
	return inner
}

// stepAnswer takes the answer to a step. It is an http.ResponseWriter.
type stepAnswer struct {
	status int
	header http.Header
	body   []byte
}

func (a *stepAnswer) Header() http.Header { return a.header }

func (a *stepAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *stepAnswer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.body = append(a.body, b...)
	return len(b), nil
}

// notOfSteps are headers that the answer to the batch has itself, or that would be wrong within it.
var notOfSteps = []string{"Content-Length", "Date", "X-Ms-Ags-Diagnostic", "Client-Request-Id"}

func (a *stepAnswer) append(b []byte, id []byte) []byte {
	b = append(append(b, `{"id":`...), id...)
	b = strconv.AppendInt(append(b, `,"status":`...), int64(a.status), 10)
	b = append(b, `,"headers":{`...)
	names := make([]string, 0, len(a.header))
	for name := range a.header {
		if !slices.Contains(notOfSteps, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b = appendText(appendName(b, wireName(name)), strings.Join(a.header[name], ", "))
	}
	b = append(b, '}')
	if len(a.body) > 0 {
		b = a.appendBody(append(b, `,"body":`...))
	}
	return append(b, '}')
}

// wireName is a header's name as Graph writes it, where net/http keeps another.
func wireName(name string) string {
	switch name {
	case "Odata-Version":
		return "OData-Version"
	case "Request-Id", "X-Ms-Resource-Unit", "X-Ms-Throttle-Limit-Percentage", "X-Ms-Throttle-Scope", "X-Ms-Throttle-Information":
		return strings.ToLower(name)
	case "Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset":
		return strings.Replace(name, "Ratel", "RateL", 1)
	}
	return name
}

// appendBody writes JSON as it is, a text as a text, and anything else in base64.
func (a *stepAnswer) appendBody(b []byte) []byte {
	kind := a.header.Get("Content-Type")
	switch {
	case strings.HasPrefix(kind, jsonType):
		return append(b, a.body...)
	case strings.HasPrefix(kind, "text/") && utf8.Valid(a.body):
		return appendText(b, string(a.body))
	}
	return append(base64.StdEncoding.AppendEncode(append(b, '"'), a.body), '"')
}
