// Package clock provides the time of a server that is used in tests: it runs like any clock, from
// whatever time it is set to. So a test need not wait an hour for a token to expire, or 30 days for
// a deleted object to be purged.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock is a clock that can be set. It is safe for concurrent use.
type Clock struct {
	base  func() time.Time
	ahead atomic.Int64 // of base, in nanoseconds
}

// New returns a clock that shows the time of another clock until it is set.
func New(base func() time.Time) *Clock { return &Clock{base: base} }

// Now returns the time of the clock.
func (c *Clock) Now() time.Time { return c.base().Add(time.Duration(c.ahead.Load())) }

// Base returns the time of the other clock.
func (c *Clock) Base() time.Time { return c.base() }

// Set sets the clock, forward or back. It runs on from there. The time must be less than 292 years
// from the other clock's.
func (c *Clock) Set(now time.Time) { c.ahead.Store(int64(now.Sub(c.base()))) }
