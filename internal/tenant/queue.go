package tenant

import (
	"context"
	"sync"
)

// maxWaiting is how many commands may wait for the writer before callers have to wait to hand in
// theirs.
const maxWaiting = 4096

// queue is what waits for a tenant's writer. It takes memory for what is in it only, since there
// may be thousands of tenants in which nothing waits.
type queue struct {
	room  chan struct{} // has an element for each that waits; elements without size take no memory
	ready chan struct{} // has an element when something may wait

	mu      sync.Mutex
	waiting []request
	closed  bool
}

func newQueue() *queue {
	return &queue{room: make(chan struct{}, maxWaiting), ready: make(chan struct{}, 1)}
}

// put hands a request to the writer, once there is room. Its error is the context's, or errClosing.
func (q *queue) put(ctx context.Context, r request) error {
	select {
	case q.room <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		<-q.room
		return errClosing
	}
	q.waiting = append(q.waiting, r)
	q.wake()
	return nil
}

// wake has the writer look. The caller holds the lock.
func (q *queue) wake() {
	select {
	case q.ready <- struct{}{}:
	default: // it is going to look
	}
}

// take returns up to n requests, those that have waited longest first.
func (q *queue) take(n int) []request {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.waiting))
	taken := q.waiting[:n:n]
	if q.waiting = q.waiting[n:]; len(q.waiting) == 0 {
		q.waiting = nil
	} else {
		q.wake()
	}
	for range n {
		<-q.room
	}
	return taken
}

// refuse answers all that waits with an error.
func (q *queue) refuse(err error) {
	for _, r := range q.take(maxWaiting) {
		r.answer(reply{err: err})
	}
}

// close refuses what waits and what comes later.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.refuse(errClosing)
}
