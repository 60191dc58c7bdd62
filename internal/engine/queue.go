package engine

import (
	"context"
	"sync"
)

// maxWaiting is the maximum number of commands that wait for the writer. More callers wait to add
// theirs.
const maxWaiting = 4096

// queue has the commands that wait for a tenant's writer. It takes memory for its content only,
// since there may be thousands of tenants whose queues are empty.
type queue struct {
	room  chan struct{} // has an element for each waiting command; elements without size take no memory
	ready chan struct{} // has an element if there may be waiting commands

	mu      sync.Mutex
	waiting []request
	next    func() // is called once, when there is a waiting command
	closed  bool
}

func newQueue() *queue {
	return &queue{room: make(chan struct{}, maxWaiting), ready: make(chan struct{}, 1)}
}

// put adds a request once there is room. Its error is the context's, or errClosing.
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
	if q.next != nil {
		q.next()
		q.next = nil
	}
	return nil
}

// atNext calls a function once there is a waiting command. It must not wait.
func (q *queue) atNext(do func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) > 0 {
		do()
		return
	}
	q.next = do
}

// forgetNext reports whether the function of atNext is still to be called, and forgets it.
func (q *queue) forgetNext() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	waits := q.next != nil
	q.next = nil
	return waits
}

// wake makes the writer look. The caller holds the lock.
func (q *queue) wake() {
	select {
	case q.ready <- struct{}{}:
	default: // it has been told already
	}
}

// take returns up to n requests, the oldest first.
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

// refuse returns an error to all waiting callers.
func (q *queue) refuse(err error) {
	for _, r := range q.take(maxWaiting) {
		r.answer(reply{err: err})
	}
}

// close refuses waiting and later requests.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.refuse(errClosing)
}
