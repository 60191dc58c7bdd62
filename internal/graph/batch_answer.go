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

// maxWaitingAnswers is how many bytes the answers to the requests of a batch take while they wait
// for each other, in all.
const maxWaitingAnswers = 4 << 20

// batchAnswer is the answer to a batch. The answers in it are kept until all are there, and stand
// in the order of the requests. One for which there is no room is sent while it is made, before
// them: the order says nothing (P40). Others that are as large wait until it is at its end, which
// it comes to without them: what it depends on was done before it began.
type batchAnswer struct {
	*wire.Request              // its work is that of the step that has the turn
	room          atomic.Int64 // bytes that are kept
	turn          sync.Mutex   // whose answer is sent while it is made has it
	b             []byte
	broken        bool // an answer has ended in the middle
}

// keep says whether there is room for so many bytes more.
func (all *batchAnswer) keep(n int) bool {
	if all.room.Add(int64(n)) <= maxWaitingAnswers {
		return true
	}
	all.room.Add(-int64(n))
	return false
}

// Write sends a part of an answer.
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

// stepAnswer takes the answer to a step. It is an http.ResponseWriter.
type stepAnswer struct {
	all    *batchAnswer
	id     []byte // of the request, as it was sent
	work   *turns.Work
	status int
	header http.Header
	body   []byte
	direct bool           // it is sent while it is made
	coder  io.WriteCloser // of what is sent so and is not JSON
}

func (a *stepAnswer) Header() http.Header { return a.header }

func (a *stepAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *stepAnswer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if !a.direct && (a.isText() || a.all.keep(len(b))) { // a text is one property, or a number
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

// begin waits until no other answer is sent while it is made, and sends what there is of this one.
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

// takeTurn waits until this answer can be sent. What it takes to send it is the step's work.
func (a *stepAnswer) takeTurn() {
	a.work.Rest() // the caller may take another answer slowly
	a.all.turn.Lock()
	a.all.Work = a.work
}

func (a *stepAnswer) giveTurn() {
	a.all.Work = nil
	a.all.turn.Unlock()
}

// end ends an answer, complete or not.
func (a *stepAnswer) end() {
	fault := recover()
	if fault != nil && fault != http.ErrAbortHandler {
		panic(fault)
	}
	switch {
	case a.direct:
	case fault == nil:
		return
	default: // it wants to end the connection, before it has sent anything
		a.takeTurn()
	}
	defer a.giveTurn()
	if fault != nil {
		a.all.broken = true
		return
	}
	if a.coder != nil {
		_ = a.coder.Close() // that the caller has gone is kept in broken
		_, _ = a.all.Write([]byte{'"'})
	}
	_, _ = a.all.Write([]byte{'}'})
}

// StartAgain forgets an answer of which nothing was sent, in favor of another.
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

// notOfSteps are headers that the answer to the batch has itself, or that would be wrong within it.
var notOfSteps = []string{"Content-Length", "Date", "X-Ms-Ags-Diagnostic", "Client-Request-Id"}

// append writes the answer.
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
	switch {
	case a.isJSON():
		return append(b, a.body...)
	case a.isText() && utf8.Valid(a.body):
		return jsontext.AppendText(b, string(a.body))
	}
	return append(base64.StdEncoding.AppendEncode(append(b, '"'), a.body), '"')
}
