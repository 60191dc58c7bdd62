// Package clock is the time of a server on which others test their programs: it goes on like any
// clock, from whatever time it is set to. So a test need not wait an hour for a token to expire, or
// 30 days for what was deleted to be gone.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock is a clock that can be set. It may be used by several goroutines.
type Clock struct {
	base  func() time.Time
	ahead atomic.Int64 // of base, in nanoseconds
}

// New makes a clock that shows the time of another until it is set.
func New(base func() time.Time) *Clock { return &Clock{base: base} }

// Now is the time it shows.
func (c *Clock) Now() time.Time { return c.base().Add(time.Duration(c.ahead.Load())) }

// Base is the time of the other clock.
func (c *Clock) Base() time.Time { return c.base() }

// Set sets the clock, forward or back. It goes on from there. A time 292 years or more from the
// other clock's is out of reach.
func (c *Clock) Set(now time.Time) { c.ahead.Store(int64(now.Sub(c.base()))) }
