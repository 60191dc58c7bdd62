package graph

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/turns"
)

// maxWaitingAnswers is the maximum total size in bytes of the buffered responses of a batch.
const maxWaitingAnswers = 4 << 20

// batchAnswer is the response to a batch. It buffers the responses of the steps until all are
// complete, and sends them in the order of the requests. A response that does not fit is streamed
// before them; the order has no meaning (P40). Other large responses wait until it ends. It does
// not depend on them: its dependencies were done before it began.
type batchAnswer struct {
	*wire.Request              // its work is that of the step that has the turn
	room          atomic.Int64 // bytes in buffers
	turn          sync.Mutex   // held by the step whose response is streamed
	b             []byte
	broken        bool // a response was cut off
}

// keep reports whether there is room for so many more bytes.
func (all *batchAnswer) keep(n int) bool {
	if all.room.Add(int64(n)) <= maxWaitingAnswers {
		return true
	}
	all.room.Add(-int64(n))
	return false
}

// Write sends a part of a response.
func (all *batchAnswer) Write(part []byte) (int, error) {
	if all.broken {
		return 0, wire.ErrGone
	}
	all.b = append(all.b, part...)
	var err error
	if all.b, err = all.More(all.b); err != nil {
		all.broken = true
	}
	return len(part), err
}

// stepAnswer receives the response of a step. It is an http.ResponseWriter.
type stepAnswer struct {
	all    *batchAnswer
	id     []byte // of the request, unchanged
	work   *turns.Work
	status int
	header http.Header
	body   []byte
	direct bool           // it is streamed
	coder  io.WriteCloser // of a streamed response that is not JSON
}

func (a *stepAnswer) Header() http.Header { return a.header }

func (a *stepAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *stepAnswer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if !a.direct && (a.isText() || a.all.keep(len(b))) { // a text is a single property, or a number
		a.body = append(a.body, b...)
		return len(b), nil
	}
	if !a.direct {
		if err := a.begin(); err != nil {
			return 0, err
		}
	}
	if a.coder != nil {
		return a.coder.Write(b)
	}
	return a.all.Write(b)
}

// begin waits until no other response is streamed, and starts to stream this one.
func (a *stepAnswer) begin() error {
	a.takeTurn()
	a.direct = true
	body := a.body
	a.all.room.Add(-int64(len(body)))
	a.body = nil
	a.all.b = append(a.appendHead(wire.AppendNext(a.all.b)), `,"body":`...)
	if _, err := a.all.Write(nil); err != nil || a.isJSON() {
		_, again := a.all.Write(body)
		return errors.Join(err, again)
	}
	if _, err := a.all.Write([]byte{'"'}); err != nil {
		return err
	}
	a.coder = base64.NewEncoder(base64.StdEncoding, a.all)
	_, err := a.coder.Write(body)
	return err
}

// takeTurn waits until this response can be sent. Sending it counts as the step's work.
func (a *stepAnswer) takeTurn() {
	a.work.Rest() // the caller may read the other response slowly
	a.all.turn.Lock()
	a.all.Work = a.work
}

func (a *stepAnswer) giveTurn() {
	a.all.Work = nil
	a.all.turn.Unlock()
}

// end ends a response, complete or not.
func (a *stepAnswer) end() {
	fault := recover()
	if fault != nil && fault != http.ErrAbortHandler {
		panic(fault)
	}
	switch {
	case a.direct:
	case fault == nil:
		return
	default: // the handler aborts the connection, before sending anything
		a.takeTurn()
	}
	defer a.giveTurn()
	if fault != nil {
		a.all.broken = true
		return
	}
	if a.coder != nil {
		_ = a.coder.Close() // an error of a disconnected caller is in broken
		_, _ = a.all.Write([]byte{'"'})
	}
	_, _ = a.all.Write([]byte{'}'})
}

// StartAgain discards a response that was not sent yet, in favor of another.
func (a *stepAnswer) StartAgain() bool {
	if a.direct {
		return false
	}
	a.all.room.Add(-int64(len(a.body)))
	a.status, a.body = 0, nil
	a.header.Del("Vary")
	return true
}

func (a *stepAnswer) isJSON() bool {
	return strings.HasPrefix(a.header.Get("Content-Type"), wire.JSONType)
}

func (a *stepAnswer) isText() bool { return strings.HasPrefix(a.header.Get("Content-Type"), "text/") }

// notOfSteps are headers that belong to the response of the batch, or that would be wrong within
// it.
var notOfSteps = []string{"Content-Length", "Date", "X-Ms-Ags-Diagnostic", "Client-Request-Id"}

// append writes the response.
func (a *stepAnswer) append(b []byte) []byte {
	b = a.appendHead(b)
	if len(a.body) > 0 {
		b = a.appendBody(append(b, `,"body":`...))
	}
	return append(b, '}')
}

func (a *stepAnswer) appendHead(b []byte) []byte {
	b = append(append(b, `{"id":`...), a.id...)
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
		b = jsontext.AppendText(jsontext.AppendName(b, wireName(name)), strings.Join(a.header[name], ", "))
	}
	return append(b, '}')
}

// wireName returns a header's name in Graph's spelling, where that of net/http differs.
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

// appendBody writes JSON unchanged, a text as a JSON string, and anything else in base64.
func (a *stepAnswer) appendBody(b []byte) []byte {
	switch {
	case a.isJSON():
		return append(b, a.body...)
	case a.isText() && utf8.Valid(a.body):
		return jsontext.AppendText(b, string(a.body))
	}
	return append(base64.StdEncoding.AppendEncode(append(b, '"'), a.body), '"')
}
