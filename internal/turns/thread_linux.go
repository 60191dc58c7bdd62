package turns

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime returns the processor time of this thread so far.
func threadTime() time.Duration {
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &at); err != nil {
		return 0
	}
	return time.Duration(at.Nano())
}
