//go:build !linux

package turns

import "time"

var start = time.Now()

// threadTime returns the elapsed time: other systems report a thread's processor time in different
// ways.
func threadTime() time.Duration { return time.Since(start) }
