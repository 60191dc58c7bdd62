//go:build !linux

package turns

import "time"

var start = time.Now()

// threadTime is the time that has passed: other systems tell a thread's own in ways of their own.
func threadTime() time.Duration { return time.Since(start) }
