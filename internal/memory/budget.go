// Package memory shares out the memory of the process among the requests in flight.
//
// A part of what the process may have (SetLimit) is the budget of requests. Each takes a share when
// it is known whose it is, and more before it makes anything large: a body and what is parsed of
// it, the draft of a wide change, a writer of gzip. When the budget is used up, it waits for a
// moment, and is then refused. So however many come at once, and whatever they ask for, what they
// hold together is bounded. No tenant has more than half, and what is large leaves a quarter to
// what is small. Besides, no share grows while the heap is near the limit, whatever has filled it.
package memory

import (
	"context"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// Small is the share that each request has from the start, in bytes: its stack, headers, and
// buffers.
const Small = 64 << 10

// Budget is the memory that requests may take together.
type Budget struct {
	size int64        // bytes in all; a tenant has half of it at most
	room func() int64 // bytes until the process has as much as it may

	mu      sync.Mutex
	used    int64
	tenants map[uuid.UUID]int64
	waiting []*waiter // in the order in which they came
	refused [causes]int64
}

// New returns a budget of so many bytes. Room says how much more the process may have, and is asked
// often.
func New(size int64, room func() int64) *Budget {
	return &Budget{size: size, room: room, tenants: map[uuid.UUID]int64{}}
}

// Share is what one request has of a budget. All methods of a nil Share do nothing.
type Share struct {
	of     *Budget
	tenant uuid.UUID
	outer  *Share // of the request that this one is a part of

	// The budget's mutex guards these.
	bytes   int64
	holders int // how many have to end it
}

type shareKey struct{}

// Begin takes a small share for a request of a tenant; uuid.Nil stands for all callers that are not
// known. It returns a context that has the share. End it. When the context has a share already,
// that one lasts as long. The error is *FullError or the context's. A nil Budget gives a nil Share.
func (b *Budget) Begin(ctx context.Context, tenant uuid.UUID) (context.Context, *Share, error) {
	if b == nil {
		return ctx, nil, nil
	}
	s := &Share{of: b, tenant: tenant, holders: 1}
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

// More makes the share larger by so many bytes, before they are used. What is larger than a tenant
// may ever have is done when nothing else of the tenant's that is large is under way.
func (s *Share) More(ctx context.Context, bytes int64) error {
	if s == nil || bytes <= 0 {
		return nil
	}
	if s.of.room() < bytes {
		return s.of.refuse(NearEnd, bytes)
	}
	return s.take(ctx, bytes)
}

// Least makes the share so many bytes large, unless it is already: for what a request makes again
// and again, and has one of at a time.
func (s *Share) Least(ctx context.Context, bytes int64) error {
	if s == nil {
		return nil
	}
	s.of.mu.Lock()
	has := s.bytes
	s.of.mu.Unlock()
	return s.More(ctx, bytes-has)
}

// Try is More that does not wait; false when it cannot be.
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

// Hold has the share last until one End more, for what goes on when the request itself has been
// given up. It returns the share.
func (s *Share) Hold() *Share {
	if s != nil {
		s.of.mu.Lock()
		defer s.of.mu.Unlock()
		s.holders++
	}
	return s
}

// End gives the share back, when all that hold it have ended it. Nothing is added to it afterwards.
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
	s.bytes = 0
	b.grant()
	return true
}

// Stats are what is going on.
type Stats struct {
	Size, Used, Room int64   // bytes
	Refused          []int64 // by Cause
	Waiting          int     // requests
}

// Stats returns the figures of now, and the refusals since the start.
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
