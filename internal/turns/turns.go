// Package turns divides scarce resources among tenants: processors and the connections that read
// the database. A tenant with many requests delays only itself.
//
// Work is the computing of one request. A few run at the same time, and of one tenant no more than
// keep the processors busy, so that another tenant's request does not queue behind all of them in
// the Go runtime. Long work runs in turns of its own, fewer than there are processors, and its
// processor time is known at its end.
package turns

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// Turns limits how many run at the same time, in total and for each tenant. Waiting tenants get
// turns in rotation.
type Turns struct {
	mu      sync.Mutex
	free    int
	each    int
	held    map[uuid.UUID]int
	waiting map[uuid.UUID][]chan struct{}
	order   []uuid.UUID // tenants with waiting turns, the next first
}

// New returns Turns for n at the same time, at most each of them for one tenant. Both must be at
// least 1.
func New(n, each int) *Turns {
	return &Turns{
		free:    max(1, n),
		each:    max(1, each),
		held:    map[uuid.UUID]int{},
		waiting: map[uuid.UUID][]chan struct{}{},
	}
}

// Turn is the right to run, until End.
type Turn struct {
	of     *Turns
	ctx    context.Context
	tenant uuid.UUID
	held   bool
	work   *Work // its tenant; nil if it is unused
	lent   *Turn // of the enclosing work, whose turn this is
}

// Begin waits for a turn of a tenant, at most until ctx ends.
func (t *Turns) Begin(ctx context.Context, tenant uuid.UUID) (*Turn, error) {
	turn := &Turn{of: t, ctx: ctx, tenant: tenant}
	return turn, turn.begin()
}

func (turn *Turn) begin() error {
	t := turn.of
	t.mu.Lock()
	if t.free > 0 && t.held[turn.tenant] < t.each && len(t.waiting[turn.tenant]) == 0 {
		t.grant(turn.tenant)
		turn.held = true
		more := t.held[turn.tenant] > 1
		t.mu.Unlock()
		if more {
			runtime.Gosched() // if many arrive together, each would run before those queued behind them
		}
		return nil
	}
	granted := make(chan struct{}, 1)
	if len(t.waiting[turn.tenant]) == 0 {
		t.order = append(t.order, turn.tenant)
	}
	t.waiting[turn.tenant] = append(t.waiting[turn.tenant], granted)
	t.mu.Unlock()
	select {
	case <-granted:
		turn.held = true
		// The goroutine that gives a turn would have its processor run this one next, before all
		// others that wait for a processor: the turns of a tenant would follow each other.
		runtime.Gosched()
		return nil
	case <-turn.ctx.Done():
		turn.leave(granted)
		return turn.ctx.Err()
	}
}

func (t *Turns) grant(tenant uuid.UUID) {
	t.free--
	t.held[tenant]++
}

// leave removes a waiter that gives up. If it has received its turn meanwhile, the turn goes to the
// next.
func (turn *Turn) leave(granted chan struct{}) {
	t := turn.of
	t.mu.Lock()
	defer t.mu.Unlock()
	line := t.waiting[turn.tenant]
	if at := slices.Index(line, granted); at >= 0 {
		t.line(turn.tenant, slices.Delete(line, at, at+1))
		return
	}
	t.giveBack(turn.tenant)
}

// line sets the waiters of a tenant.
func (t *Turns) line(tenant uuid.UUID, line []chan struct{}) {
	if t.waiting[tenant] = line; len(line) > 0 {
		return
	}
	delete(t.waiting, tenant)
	t.order = slices.DeleteFunc(t.order, func(id uuid.UUID) bool { return id == tenant })
}

// giveBack returns a turn and gives it to the next tenant that may have one.
func (t *Turns) giveBack(tenant uuid.UUID) {
	t.free++
	if t.held[tenant]--; t.held[tenant] == 0 {
		delete(t.held, tenant)
	}
	at := slices.IndexFunc(t.order, func(id uuid.UUID) bool { return t.held[id] < t.each })
	if at < 0 {
		return
	}
	next := t.order[at]
	line := t.waiting[next]
	t.order = append(slices.Delete(t.order, at, at+1), next)
	t.grant(next)
	line[0] <- struct{}{}
	t.line(next, line[1:])
}

// Pause lets waiting tenants run first. Its error is the context's, and then the turn has ended, or
// a *TooMuchError if the turn is that of work.
func (turn *Turn) Pause() error {
	switch {
	case turn.lent != nil:
		return turn.lent.Pause()
	case turn.work != nil:
		return turn.work.Yield()
	case !turn.othersWait():
		return nil
	}
	turn.end()
	return turn.begin()
}

// othersWait reports whether another tenant waits for a turn.
func (turn *Turn) othersWait() bool {
	t := turn.of
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.order) > 1 || len(t.order) == 1 && t.order[0] != turn.tenant
}

// End gives the turn to the next waiter. It may be called again.
func (turn *Turn) End() {
	if turn.work != nil {
		turn.work.Rest()
		return
	}
	turn.end()
}

func (turn *Turn) end() {
	if !turn.held {
		return
	}
	turn.held = false
	turn.of.mu.Lock()
	defer turn.of.mu.Unlock()
	turn.of.giveBack(turn.tenant)
}
