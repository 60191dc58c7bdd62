// Package memory divides the memory of the process among the requests in progress.
//
// A part of the memory limit of the process (SetLimit) is the budget of requests. Each request
// takes a share when its tenant is known, and more before it allocates anything large: a body and
// its parsed form, the draft of a large change, a gzip writer. When the budget is used up, the
// request waits for a short time, and is then refused. So the memory of all requests together is
// bounded, whatever they ask for. A tenant gets at most half of the budget, a caller at most three
// quarters of what its tenant gets, and large shares leave a quarter of the budget to small ones.
// In addition, no share grows while the heap is near the limit.
package memory

import (
	"context"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// Small is the initial share of each request, in bytes: its stack, headers, and buffers.
const Small = 64 << 10

// Budget is the memory that all requests together may use.
type Budget struct {
	size int64        // bytes in all; at most half of it for one tenant
	room func() int64 // bytes until the process reaches its limit

	mu      sync.Mutex
	used    int64
	tenants map[uuid.UUID]int64
	callers map[caller]int64
	waiting []*waiter           // in the order of arrival
	bodies  map[*body]struct{}  // that are waited for
	gone    map[*Share]struct{} // that have given way and are not over yet
	refused [causes]int64
}

// New returns a budget of so many bytes. Room returns how much more memory the process may use; it
// is called often.
func New(size int64, room func() int64) *Budget {
	return &Budget{
		size: size, room: room, tenants: map[uuid.UUID]int64{}, callers: map[caller]int64{},
		bodies: map[*body]struct{}{}, gone: map[*Share]struct{}{},
	}
}

// caller is a user or an application of a tenant.
type caller struct{ tenant, id uuid.UUID }

// Share is the part of a budget that one request has. All methods of a nil Share do nothing.
type Share struct {
	of     *Budget
	tenant uuid.UUID
	caller caller
	outer  *Share // of the enclosing request

	// The budget's mutex guards these.
	bytes   int64
	holders int // how many holders have to end it
}

type shareKey struct{}

// Begin takes a small share for a request of a caller of a tenant; uuid.Nil stands for all
// unknown tenants, and for callers that have no bound of their own. It returns a context with the
// share. The caller must call End. If the context has a share already, that one is held until
// then, too. The error is a *FullError or the context's. A nil Budget returns a nil Share.
func (b *Budget) Begin(ctx context.Context, tenant, id uuid.UUID) (context.Context, *Share, error) {
	if b == nil {
		return ctx, nil, nil
	}
	s := &Share{of: b, tenant: tenant, caller: caller{tenant, id}, holders: 1}
	if err := s.take(ctx, Small); err != nil {
		return ctx, nil, err
	}
	s.outer = Of(ctx).Hold()
	return context.WithValue(ctx, shareKey{}, s), s, nil
}

// Of returns the share that the context has, or nil.
func Of(ctx context.Context) *Share {
	s, _ := ctx.Value(shareKey{}).(*Share)
	return s
}

// Without returns a context without a share, for work whose memory was taken before.
func Without(ctx context.Context) context.Context {
	return context.WithValue(ctx, shareKey{}, (*Share)(nil))
}

// More increases the share by so many bytes; call it before they are used. A request that needs
// more than a tenant may have waits until no other large request of the tenant is in progress.
func (s *Share) More(ctx context.Context, bytes int64) error {
	if s == nil || bytes <= 0 {
		return nil
	}
	if s.of.room() < bytes {
		return s.of.refuse(CauseLimit, bytes)
	}
	return s.take(ctx, bytes)
}

// Least increases the share to so many bytes, unless it is that large already. It is for memory
// that a request allocates repeatedly, but holds once at a time.
func (s *Share) Least(ctx context.Context, bytes int64) error {
	if s == nil {
		return nil
	}
	s.of.mu.Lock()
	has := s.bytes
	s.of.mu.Unlock()
	return s.More(ctx, bytes-has)
}

// Try is like More but does not wait; it returns false if the bytes are not available.
func (s *Share) Try(bytes int64) bool {
	if s == nil {
		return true
	}
	b := s.of
	if b.room() < bytes {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.want(s, bytes)
	if _, blocked := b.obstacle(w, b.waiting); blocked {
		return false
	}
	b.give(w)
	return true
}

// Hold keeps the share until one more call of End, for work that continues after its request has
// been abandoned. It returns the share.
func (s *Share) Hold() *Share {
	if s != nil {
		s.of.mu.Lock()
		defer s.of.mu.Unlock()
		s.holders++
	}
	return s
}

// End returns the share to the budget, when all holders have ended it. Afterwards, nothing can be
// added to it.
func (s *Share) End() {
	if s != nil && s.of.end(s) {
		s.outer.End()
	}
}

func (b *Budget) end(s *Share) (ended bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.holders--; s.holders > 0 {
		return false
	}
	b.used -= s.bytes
	if b.tenants[s.tenant] -= s.bytes; b.tenants[s.tenant] == 0 {
		delete(b.tenants, s.tenant)
	}
	if b.callers[s.caller] -= s.bytes; b.callers[s.caller] == 0 {
		delete(b.callers, s.caller)
	}
	s.bytes = 0
	delete(b.gone, s)
	b.grant()
	return true
}

// Stats are the figures of a budget.
type Stats struct {
	Size, Used, Room int64   // bytes
	Refused          []int64 // by Cause
	Waiting          int     // requests
}

// Stats returns the current figures, and the number of refusals since the start.
func (b *Budget) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Stats{
		Size:    b.size,
		Used:    b.used,
		Room:    b.room(),
		Refused: slices.Clone(b.refused[:]),
		Waiting: len(b.waiting),
	}
}
