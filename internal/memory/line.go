package memory

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/turns"
)

const (
	// patience is how long a request waits for its share: long enough for some large ones before it.
	patience = 2 * time.Second
	// maxWaiting is the maximum number of waiting requests, half of them of one tenant.
	maxWaiting = 256
)

// ofTenant, ofCaller and ofOne are how many of the bytes of the budget that requests must fit in
// those of one tenant may have, those of one caller, and one request. A request that wants all that
// it may have begins although there are small ones.
func ofTenant(most int64) int64 { return most / 2 }
func ofCaller(most int64) int64 { return most * 3 / 8 }
func ofOne(most int64) int64    { return most * 5 / 16 }

// waiter is a request that waits for more memory.
type waiter struct {
	share   *Share
	bytes   int64
	most    int64 // bytes of the budget that it must fit in
	granted chan struct{}
	why     Cause // the reason that it was not granted yet
}

// take waits for a limited time until the bytes are available. Work rests while it waits.
func (s *Share) take(ctx context.Context, bytes int64) error {
	w, ok := s.of.enter(s, bytes)
	if !ok {
		return s.of.refuse(w.why, bytes)
	} else if w.done() {
		return nil
	}
	turns.Of(ctx).Rest()
	late := time.NewTimer(patience)
	defer late.Stop()
	granted, err := s.of.await(ctx, w, late.C)
	if granted {
		return nil
	}
	switch {
	case s.of.leave(w): // it was granted at the last moment
		return nil
	case err != nil:
		return err
	}
	return s.of.refuse(w.why, bytes)
}

// reclaimEvery is how often memory is looked for that others do not use.
const reclaimEvery = patience / 8

// await waits until a request is granted, or it is too late. Meanwhile, requests whose bodies come
// slowly give way.
func (b *Budget) await(ctx context.Context, w *waiter, late <-chan time.Time) (granted bool, err error) {
	tick := time.NewTicker(reclaimEvery)
	defer tick.Stop()
	for {
		b.reclaim(w)
		select {
		case <-w.granted:
			return true, nil
		case <-tick.C:
		case <-late:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// want returns a request for memory that can be granted: a small one may use all of the budget, and
// a large one is reduced until it fits with small ones.
func (b *Budget) want(s *Share, bytes int64) *waiter {
	most := b.size
	if s.bytes+bytes > 2*Small {
		most -= b.size / 4
	}
	return &waiter{share: s, most: most, bytes: max(0, min(bytes, ofOne(most)-s.bytes)), granted: make(chan struct{})}
}

// enter queues a request, and grants it immediately if possible. It returns false if the queue is
// full.
func (b *Budget) enter(s *Share, bytes int64) (*waiter, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.want(s, bytes)
	full := b.isLineFull(s)
	b.waiting = append(b.waiting, w)
	b.grant()
	if full && !w.done() {
		b.waiting = b.waiting[:len(b.waiting)-1]
		return w, false
	}
	return w, true
}

// isLineFull reports whether as many requests wait as may, in all, of the tenant, or of the caller.
func (b *Budget) isLineFull(s *Share) bool {
	var sameTenant, sameCaller int64
	for _, other := range b.waiting {
		if other.share.tenant == s.tenant {
			sameTenant++
		}
		if other.share.caller == s.caller {
			sameCaller++
		}
	}
	return len(b.waiting) >= maxWaiting || sameTenant >= ofTenant(maxWaiting) ||
		sameCaller >= ofCaller(maxWaiting) && s.caller.id != uuid.Nil
}

// grant grants the waiting requests what is available now, in their order.
func (b *Budget) grant() {
	var behind []*waiter
	for _, w := range b.waiting {
		var blocked bool
		if w.why, blocked = b.obstacle(w, behind); blocked {
			behind = append(behind, w)
			continue
		}
		b.give(w)
		close(w.granted)
	}
	b.waiting = behind
}

// obstacle reports whether a request must wait for other requests of its caller or its tenant,
// for those of all tenants, or for an earlier one that waits for the same. So many small requests
// cannot starve a large one.
func (b *Budget) obstacle(w *waiter, before []*waiter) (why Cause, blocked bool) {
	switch {
	case w.share.holders == 0, w.bytes == 0:
		return 0, false
	case b.callers[w.share.caller]+w.bytes > ofCaller(w.most) && w.share.caller.id != uuid.Nil:
		return CauseCaller, true
	case b.tenants[w.share.tenant]+w.bytes > ofTenant(w.most):
		return CauseTenant, true
	case b.used+w.bytes > w.most:
		return CauseAll, true
	}
	for _, other := range before {
		if other.most == w.most && other.waitsFor(w.share) {
			return other.why, true
		}
	}
	return 0, false
}

// waitsFor reports whether what a request waits for would be taken by another one as well.
func (w *waiter) waitsFor(other *Share) bool {
	switch w.why {
	case CauseCaller:
		return other.caller == w.share.caller
	case CauseTenant:
		return other.tenant == w.share.tenant
	}
	return true
}

func (b *Budget) give(w *waiter) {
	if s := w.share; s.holders > 0 {
		b.used += w.bytes
		b.tenants[s.tenant] += w.bytes
		b.callers[s.caller] += w.bytes
		s.bytes += w.bytes
	}
}

func (w *waiter) done() bool {
	select {
	case <-w.granted:
		return true
	default:
		return false
	}
}

// leave removes a request from the queue, and reports whether it was granted before that.
func (b *Budget) leave(w *waiter) (granted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.done() {
		return true
	}
	b.waiting = slices.DeleteFunc(b.waiting, func(other *waiter) bool { return other == w })
	b.grant()
	return false
}
