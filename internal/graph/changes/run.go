package changes

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"

	"github.com/google/uuid"

	"licensor/internal/engine"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
)

// answer is what a request of a change set answers.
type answer struct {
	id      json.RawMessage // of the request
	status  int
	code    string // of the error
	message string
	made    string // the id of the object that it has made
}

func (a *answer) failed() bool { return a.status >= http.StatusBadRequest }

// run is a change set that is run for a caller.
type run struct {
	*set
	outer *wire.Request
	seed  uuid.UUID // determines the ids of new objects
	// hashes are those of passwords, unless nothing is kept; see wire.Within.
	hashes  map[[32]byte]string
	answers []answer
}

// on executes the requests in a rehearsal, one after another. With checks, the caller needs their
// permissions.
func (run *run) on(ctx context.Context, rehearsal *engine.Rehearsal, checks bool) error {
	in := run.begin(ctx, rehearsal, checks)
	for i := range run.requests {
		one := &run.requests[i]
		a, err := in.execute(one, i)
		if err != nil {
			return err
		}
		in.keep(one, a)
		if rehearsal.Bytes() > MaxCommit {
			return tooMuch()
		}
	}
	return nil
}

// running executes the requests of a run one after another.
type running struct {
	*run
	ctx     context.Context
	source  *rand.ChaCha8 // of the ids of new objects
	within  *wire.Within
	objects made
}

// begin begins to execute a run in a rehearsal.
func (run *run) begin(ctx context.Context, rehearsal *engine.Rehearsal, checks bool) *running {
	in := &running{run: run, source: rand.NewChaCha8([32]byte{}), objects: made{}}
	rehearsal.NewIDs(func() uuid.UUID {
		id, err := uuid.NewRandomFromReader(in.source)
		if err != nil { // it never fails
			panic(err)
		}
		return id
	})
	in.within = &wire.Within{
		Tenant: wire.Rehearsed{Rehearsal: rehearsal}, Caller: run.outer.Caller, Checks: checks, Hashes: run.hashes,
	}
	in.ctx = wire.WithChangeSet(ctx, in.within)
	run.answers = make([]answer, 0, len(run.requests))
	return in
}

// execute executes a request, which is the one with this number. The ids of what it makes follow
// from the run and the number.
func (in *running) execute(one *request, number int) (answer, error) {
	if err := in.ctx.Err(); err != nil {
		return answer{}, err
	}
	seed := [32]byte{}
	copy(seed[:], in.seed[:])
	binary.LittleEndian.PutUint32(seed[len(in.seed):], uint32(number))
	in.source.Seed(seed)
	in.within.Number = number
	a := in.run.execute(in.ctx, one, in.objects)
	if in.within.Foreign != nil {
		return a, problem.Refuse("Request '%s': %s", problem.Clip(one.id), in.within.Foreign.Error())
	}
	return a, nil
}

// keep adds the answer to a request.
func (in *running) keep(one *request, a answer) {
	if a.failed() || a.made != "" {
		in.objects.add(one.id, a.made)
	}
	in.answers = append(in.answers, a)
}

// MaxCommit limits what a change set writes, in bytes.
const MaxCommit = 20 << 20

func tooMuch() error {
	return problem.Refuse("The change set would write more than the %d MB allowed in one commit.", MaxCommit>>20)
}

func (run *run) execute(ctx context.Context, one *request, objects made) answer {
	a := answer{id: one.sent}
	address, failed := objects.inPath(one.url)
	body := one.body
	if failed == "" {
		body, failed = objects.inBody(body)
	}
	if failed != "" {
		a.status, a.code = http.StatusFailedDependency, "FailedDependency"
		a.message = fmt.Sprintf("Request '%s' was not executed because '%s' was not made.",
			problem.Clip(one.id), problem.Clip(failed))
		return a
	}
	outer := run.outer
	inner := (&http.Request{
		Method: one.method, URL: address, RequestURI: address.RequestURI(), Header: one.header.Clone(),
		Host: outer.Host, TLS: outer.TLS, RemoteAddr: outer.RemoteAddr,
		Proto: outer.Proto, ProtoMajor: outer.ProtoMajor, ProtoMinor: outer.ProtoMinor,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}).WithContext(ctx)
	w := &recorder{header: http.Header{}}
	outer.API.ServeHTTP(w, inner)
	a.status = w.status
	a.read(w.body)
	return a
}

// read reads the body of the response.
func (a *answer) read(body []byte) {
	if a.failed() {
		var said struct {
			Error struct{ Code, Message string }
		}
		_ = json.Unmarshal(body, &said) // a body without an error has none to show
		a.code, a.message = said.Error.Code, said.Error.Message
	} else if a.status == http.StatusCreated {
		a.made = idIn(body)
	}
}

// idIn returns the id of the object that is the beginning of a body.
func idIn(body []byte) string {
	d := json.NewDecoder(bytes.NewReader(body))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return ""
	}
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return ""
		}
		if name == "id" {
			var id string
			_ = json.Unmarshal(value, &id) // it is a text
			return id
		}
	}
	return ""
}

// recorder receives the response to a request of a change set. It is an http.ResponseWriter.
type recorder struct {
	header http.Header
	status int
	body   []byte
}

// maxBody is how much of a response is kept, in bytes: only errors and new objects are read.
const maxBody = 256 << 10

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, b[:min(len(b), maxBody-len(w.body))]...)
	return len(b), nil
}

// StartAgain discards the response in favor of another.
func (w *recorder) StartAgain() bool {
	w.status, w.body = 0, nil
	return true
}
