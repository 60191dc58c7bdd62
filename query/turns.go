package query

import (
	"context"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// Turns lets a few evaluations run at once, and of those that wait the next tenant's, each tenant in turn: one that asks
// much waits for itself.
type Turns struct {
	mu      sync.Mutex
	free    int
	waiting map[uuid.UUID][]chan struct{}
	order   []uuid.UUID // tenants with something waiting, the next first
}

// NewTurns returns Turns for n evaluations at once.
func NewTurns(n int) *Turns { return &Turns{free: max(1, n), waiting: map[uuid.UUID][]chan struct{}{}} }

// Turn is the right to run an evaluation, until End.
type Turn struct {
	of     *Turns
	ctx    context.Context
	tenant uuid.UUID
	held   bool
}

// Begin waits for a turn of a tenant, at most until ctx ends.
func (t *Turns) Begin(ctx context.Context, tenant uuid.UUID) (*Turn, error) {
	turn := &Turn{of: t, ctx: ctx, tenant: tenant}
	return turn, turn.begin()
}

func (turn *Turn) begin() error {
	t := turn.of
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		turn.held = true
		t.mu.Unlock()
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
		return nil
	case <-turn.ctx.Done():
		turn.leave(granted)
		return turn.ctx.Err()
	}
}

// leave takes one out of the line that does not wait any more. When its turn has come meanwhile, it goes to the next.
func (turn *Turn) leave(granted chan struct{}) {
	t := turn.of
	t.mu.Lock()
	defer t.mu.Unlock()
	line := t.waiting[turn.tenant]
	if at := slices.Index(line, granted); at >= 0 {
		t.line(turn.tenant, slices.Delete(line, at, at+1))
		return
	}
	t.next()
}

// line is what waits of a tenant from now on.
func (t *Turns) line(tenant uuid.UUID, line []chan struct{}) {
	if t.waiting[tenant] = line; len(line) > 0 {
		return
	}
	delete(t.waiting, tenant)
	t.order = slices.DeleteFunc(t.order, func(id uuid.UUID) bool { return id == tenant })
}

// next gives a turn to the next tenant, or back.
func (t *Turns) next() {
	if len(t.order) == 0 {
		t.free++
		return
	}
	tenant := t.order[0]
	line := t.waiting[tenant]
	t.order = append(t.order[1:], tenant)
	line[0] <- struct{}{}
	t.line(tenant, line[1:])
}

// Pause lets other tenants' evaluations go first when there are any. Its error is the context's; then the turn has ended.
func (turn *Turn) Pause() error {
	t := turn.of
	t.mu.Lock()
	others := len(t.order) > 1 || len(t.order) == 1 && t.order[0] != turn.tenant
	if !others {
		t.mu.Unlock()
		return nil
	}
	turn.held = false
	t.next()
	t.mu.Unlock()
	return turn.begin()
}

// End gives the turn to the next. It may be called again.
func (turn *Turn) End() {
	if !turn.held {
		return
	}
	turn.held = false
	turn.of.mu.Lock()
	defer turn.of.mu.Unlock()
	turn.of.next()
}
