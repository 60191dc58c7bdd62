package turns

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is the processor's time that this thread has taken so far.
func threadTime() time.Duration {
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &at); err != nil {
		return 0
	}
	return time.Duration(at.Nano())
}
