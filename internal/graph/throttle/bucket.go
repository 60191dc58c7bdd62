package throttle

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// bucket is a token bucket that also knows how hard it is drawn upon. A bucket that is nil has no
// bounds.
type bucket struct {
	tokens *rate.Limiter
	size   int
	window time.Duration

	mu      sync.Mutex // guards what follows, and that what is looked for is still there when it is taken
	since   time.Time  // when counting began anew
	asked   int        // units that requests were for since then
	refused int        // of them
}

func newBucket(size int, window time.Duration) *bucket {
	return &bucket{
		tokens: rate.NewLimiter(rate.Limit(float64(size)/window.Seconds()), size),
		size:   size, window: window,
	}
}

// Taken is what was taken out of a bucket, and can be given back.
type Taken struct{ reservation *rate.Reservation }

// GiveBack gives it back; nothing where nothing was taken.
func (t Taken) GiveBack(now time.Time) {
	if t.reservation != nil {
		t.reservation.CancelAt(now)
	}
}

// take takes units out, or nothing when there are not as many. A request that costs more than the
// bucket holds can have a full one.
func (b *bucket) take(now time.Time, units int) (Taken, bool) {
	if b == nil {
		return Taken{}, true
	}
	units = min(units, b.size)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count(now, units)
	// Nothing is ever reserved for later: of reservations that are cancelled side by side, not all
	// would come back.
	if b.tokens.TokensAt(now) < float64(units) {
		b.refused += units
		return Taken{}, false
	}
	return Taken{b.tokens.ReserveN(now, units)}, true
}

// owe takes units out, whether or not they are there. A bucket never owes more than it holds, so
// that nobody waits for longer than two windows.
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

// used is the part of the bucket that is used. From 1 on, it is 1 and the part of what was asked
// for lately that was refused.
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

// remaining is how many whole units are left.
func (b *bucket) remaining(now time.Time) int { return int(b.left(now)) }

// until is how many seconds pass until there are as many units, 1 or more.
func (b *bucket) until(now time.Time, units int) int {
	missing := float64(min(units, b.size)) - b.left(now)
	seconds := missing * b.window.Seconds() / float64(b.size)
	// Less a little, so that what floating-point numbers add does not make it a second more.
	return max(1, int(math.Ceil(seconds-1e-9)))
}
