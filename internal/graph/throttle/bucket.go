package throttle

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// bucket is a token bucket that also records its use. A nil bucket has no limit.
type bucket struct {
	tokens *rate.Limiter
	size   int
	window time.Duration

	mu      sync.Mutex // guards the following fields, so that checking and taking units is atomic
	since   time.Time  // when counting was restarted
	asked   int        // units that were requested since then
	refused int        // of them
}

func newBucket(size int, window time.Duration) *bucket {
	return &bucket{
		tokens: rate.NewLimiter(rate.Limit(float64(size)/window.Seconds()), size),
		size:   size, window: window,
	}
}

// Taken is a number of units taken from a bucket, which can be returned.
type Taken struct{ reservation *rate.Reservation }

// GiveBack returns the units; it does nothing if none were taken.
func (t Taken) GiveBack(now time.Time) {
	if t.reservation != nil {
		t.reservation.CancelAt(now)
	}
}

// take takes units, or nothing if there are not enough. A request that costs more than the capacity
// needs a full bucket.
func (b *bucket) take(now time.Time, units int) (Taken, bool) {
	if b == nil {
		return Taken{}, true
	}
	units = min(units, b.size)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count(now, units)
	// It makes no reservations: not all of several concurrently cancelled reservations would be
	// returned.
	if b.tokens.TokensAt(now) < float64(units) {
		b.refused += units
		return Taken{}, false
	}
	return Taken{b.tokens.ReserveN(now, units)}, true
}

// owe takes units, even if there are not enough. A bucket never owes more than its capacity, so
// that no caller waits for longer than two windows.
func (b *bucket) owe(now time.Time, units int) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count(now, units)
	if units = min(units, b.size, b.size+int(b.tokens.TokensAt(now))); units > 0 {
		b.tokens.ReserveN(now, units)
	}
}

func (b *bucket) count(now time.Time, units int) {
	if age := now.Sub(b.since); age >= b.window || age < 0 {
		b.since, b.asked, b.refused = now, 0, 0
	}
	b.asked += units
}

// used returns the used part of the bucket. If it is exhausted, it returns 1 plus the part of
// recent requests that was refused.
func (b *bucket) used(now time.Time) float64 {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refused > 0 && now.Sub(b.since) < b.window {
		return 1 + float64(b.refused)/float64(b.asked)
	}
	return 1 - b.left(now)/float64(b.size)
}

func (b *bucket) left(now time.Time) float64 { return max(0, b.tokens.TokensAt(now)) }

// remaining returns how many whole units are left.
func (b *bucket) remaining(now time.Time) int { return int(b.left(now)) }

// until returns the number of seconds until there are as many units, 1 or more.
func (b *bucket) until(now time.Time, units int) int {
	missing := float64(min(units, b.size)) - b.left(now)
	seconds := missing * b.window.Seconds() / float64(b.size)
	// Subtract a little, so that floating-point errors do not add a second.
	return max(1, int(math.Ceil(seconds-1e-9)))
}
