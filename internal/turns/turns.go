// Package turns shares out what there is little of among tenants: processors and the connections
// that read the database. A tenant that asks much waits for itself.
//
// Work is one request's computing. A few go on at once, and of one tenant no more than keep the
// processors busy, so that another tenant's request does not come behind all of them in the queue
// of the Go runtime. Work that takes long goes on in turns of its own, fewer than there are
// processors, and what it takes of the processor is known at its end.
package turns

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// Turns lets a few go on at once, of each tenant at most so many, and of those that wait the next
// tenant's, each tenant in turn.
type Turns struct {
	mu      sync.Mutex
	free    int
	each    int
	held    map[uuid.UUID]int
	waiting map[uuid.UUID][]chan struct{}
	order   []uuid.UUID // tenants with something waiting, the next first
}

// New returns Turns for n at once, at most each of them of one tenant. Both are at least 1.
func New(n, each int) *Turns {
	return &Turns{
		free:    max(1, n),
		each:    max(1, each),
		held:    map[uuid.UUID]int{},
		waiting: map[uuid.UUID][]chan struct{}{},
	}
}

// Turn is the right to go on, until End.
type Turn struct {
	of     *Turns
	ctx    context.Context
	tenant uuid.UUID
	held   bool
	work   *Work // whose turn it is; nil when it is nobody's
	lent   *Turn // of the work that it is part of; then that is the turn
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
			runtime.Gosched() // of many that come at once, each would go on before what comes behind them
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
		// Who gives a turn would have its processor go on with this one next, before all that waits
		// for a processor: a tenant's turns would follow each other.
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

// leave takes one out of the line that does not wait any more. When its turn has come meanwhile, it
// goes to the next.
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

// line is what waits of a tenant from now on.
func (t *Turns) line(tenant uuid.UUID, line []chan struct{}) {
	if t.waiting[tenant] = line; len(line) > 0 {
		return
	}
	delete(t.waiting, tenant)
	t.order = slices.DeleteFunc(t.order, func(id uuid.UUID) bool { return id == tenant })
}

// giveBack takes a turn back and gives it to the next tenant that may have one.
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

// Pause lets other tenants go first when any of them waits. Its error is the context's, and then
// the turn has ended, or *TooMuchError when the turn is that of work.
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

// othersWait says whether another tenant waits for a turn.
func (turn *Turn) othersWait() bool {
	t := turn.of
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.order) > 1 || len(t.order) == 1 && t.order[0] != turn.tenant
}

// End gives the turn to the next. It may be called again.
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
