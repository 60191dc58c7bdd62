package oauth

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// rates limits how often something may happen for each name: a burst, and one more per interval. It
// prevents callers from storing more data than they need.
type rates struct {
	atOnce int
	every  time.Duration

	mu   sync.Mutex
	full *lru.Cache[string, time.Time] // when the full burst is available again
}

const knownRates = 1 << 14

func newRates(atOnce int, every time.Duration) *rates {
	return &rates{atOnce: atOnce, every: every, full: newCache[string, time.Time](knownRates)}
}

// take counts an event now, weight times; false if that exceeds the limit.
func (r *rates) take(name string, weight float64, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	most := time.Duration(r.atOnce) * r.every
	full, _ := r.full.Get(name)
	if full.Before(now) || full.Sub(now) > most { // the latter after the clock was set back
		full = now
	}
	full = full.Add(time.Duration(weight * float64(r.every)))
	if full.Sub(now) > most {
		return false
	}
	r.full.Add(name, full)
	return true
}
