package devkit

import (
	"context"
	"net/http"
	"sync"
)

// requests are the requests in progress of a server that can be reset.
type requests struct {
	mu      sync.Mutex
	running int
	alone   bool          // no other may begin
	changed chan struct{} // closed and replaced whenever one of these changes
}

// Around counts the requests of a handler, and makes them wait while the server is reset.
func (d *Kit) Around(next http.Handler) http.Handler {
	if d == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !d.requests.enter(r.Context()) {
			return // the client has given up
		}
		defer d.requests.leave()
		next.ServeHTTP(w, r)
	})
}

func (q *requests) enter(ctx context.Context) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.until(ctx, func() bool { return !q.alone }) {
		return false
	}
	q.running++
	return true
}

func (q *requests) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running--
	q.tell()
}

// waitAlone waits until no other request is in progress, and keeps others from beginning until
// share is called. It returns false if the context ends before. The caller is one of those that are
// counted.
func (q *requests) waitAlone(ctx context.Context) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running-- // so that of two callers that wait for each other, one goes first
	q.tell()
	if !q.until(ctx, func() bool { return !q.alone }) {
		q.running++
		return false
	}
	q.alone = true
	first := q.until(ctx, func() bool { return q.running <= 0 })
	q.running++
	if !first {
		q.alone = false
		q.tell()
	}
	return first
}

func (q *requests) share() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.alone = false
	q.tell()
}

// until waits for a condition, without the lock. The caller holds it.
func (q *requests) until(ctx context.Context, is func() bool) bool {
	for !is() {
		if q.changed == nil {
			q.changed = make(chan struct{})
		}
		changed := q.changed
		q.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			q.mu.Lock()
			return is()
		}
		q.mu.Lock()
	}
	return true
}

// tell wakes those that wait. The caller holds the lock.
func (q *requests) tell() {
	if q.changed != nil {
		close(q.changed)
		q.changed = nil
	}
}
