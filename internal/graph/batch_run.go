package graph

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/turns"
)

// batch answers POST /$batch (P40): each request in it is processed like a separate request, with
// the token of the batch. Independent requests are processed concurrently.
func batch(r *wire.Request) error {
	if r.Context().Value(withinBatch{}) != nil {
		return problem.Broken("A batch cannot be within a batch.")
	}
	if err := r.Allow(); err != nil {
		return err
	}
	steps, err := readBatch(r)
	if err != nil {
		return err
	}
	if err := r.Share.More(r.Context(), maxWaitingAnswers); err != nil {
		return err
	}
	work := r.Work
	work.Rest() // each step has its own work
	all := &batchAnswer{Request: r, b: append(r.Begin(), `{"responses":[`...)}
	answers := runSteps(all, steps)
	r.Work = work
	for _, a := range answers {
		if a.direct {
			continue
		}
		if all.b, err = r.More(a.append(wire.AppendNext(all.b))); err != nil {
			return err
		}
	}
	if all.broken {
		return wire.ErrGone
	}
	return r.Send(http.StatusOK, append(all.b, "]}"...))
}

// withinBatch marks the context of the requests of a batch.
type withinBatch struct{}

// sideBySide is how many requests of one batch are processed at the same time. Their changes share
// commits, so more would not help one caller much, but delay the others.
const sideBySide = 4

// runSteps executes all steps, each after its dependencies, of which none depends on it. A
// goroutine executes many steps, since growing the stack of a new one for each takes a tenth of the
// time.
func runSteps(all *batchAnswer, steps []step) []*stepAnswer {
	answers := make([]*stepAnswer, len(steps))
	ready, left := make(chan int, len(steps)), atomic.Int64{}
	left.Store(int64(len(steps)))
	dependents, missing := make([][]int, len(steps)), make([]atomic.Int64, len(steps))
	for i, s := range steps {
		answers[i] = &stepAnswer{header: http.Header{}, all: all, id: s.id.sent}
		for _, on := range s.dependsOn {
			dependents[on] = append(dependents[on], i)
		}
		if missing[i].Store(int64(len(s.dependsOn))); len(s.dependsOn) == 0 {
			ready <- i
		}
	}
	var workers sync.WaitGroup
	for range min(sideBySide, len(steps)) {
		workers.Go(func() {
			for i := range ready {
				runStep(all.Request, &steps[i], answers, answers[i])
				for _, d := range dependents[i] {
					if missing[d].Add(-1) == 0 {
						ready <- d
					}
				}
				if left.Add(-1) == 0 {
					close(ready)
				}
			}
		})
	}
	workers.Wait()
	return answers
}

// runStep executes a step, unless one of its dependencies has failed. Its work begins before it is
// parsed: there are many steps, and each verifies a token. The step itself detects that the time of
// the batch is over.
func runStep(r *wire.Request, s *step, answers []*stepAnswer, a *stepAnswer) {
	ctx, work, err := r.Tenant.Work(r.Context())
	if err != nil {
		ctx = turns.Apart(r.Context())
	}
	a.work = work
	defer work.End()
	defer a.end() // before that of the work, which sends the response
	inner := inner(r, context.WithValue(ctx, withinBatch{}, true), s)
	if !slices.ContainsFunc(s.dependsOn, func(on int) bool { return answers[on].status >= http.StatusBadRequest }) {
		r.API.ServeHTTP(a, inner)
		return
	}
	wire.NewRequest(ctx, a, inner, r.Environment).Fail(&problem.ResponseError{
		Status: http.StatusFailedDependency, Code: "FailedDependency",
		Message: fmt.Sprintf("Request '%s' was not executed because a request it depends on failed.",
			problem.Clip(s.id.text)),
	})
}

// inner returns the HTTP request of a step, with the connection and address of the batch.
func inner(r *wire.Request, ctx context.Context, s *step) *http.Request {
	inner := (&http.Request{
		Method: s.method, URL: s.url, RequestURI: s.url.RequestURI(), Header: s.header,
		Host: r.Host, TLS: r.TLS, RemoteAddr: r.RemoteAddr,
		Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor,
		Body: io.NopCloser(bytes.NewReader(s.body)), ContentLength: int64(len(s.body)),
	}).WithContext(ctx)
	inner.Header.Del("Accept-Encoding") // the batch is compressed as a whole
	inner.Header.Set("Authorization", r.Header.Get("Authorization"))
	if inner.Header.Get("User-Agent") == "" {
		inner.Header.Set("User-Agent", r.UserAgent())
	}
	if inner.Header.Get("client-request-id") == "" {
		inner.Header.Set("client-request-id", r.ClientID)
		return inner.WithContext(wire.WithSharedID(ctx))
	}
	return inner
}
