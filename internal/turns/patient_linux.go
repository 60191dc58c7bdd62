package turns

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// longSlice is much longer than the time slice that the kernel gives to threads, of about 3 ms.
const longSlice = 20 * time.Millisecond

// Patiently does long work on a thread from which every other that wakes up takes the processor at
// once. With the usual time slice, a request would wait for the kernel's next tick, up to 4 ms,
// and that for each thread that it needs. The thread gets as much time as before, in longer parts
// (sched_setattr(2); since Linux 6.12, without effect before).
func Patiently(do func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if usual, err := unix.SchedGetAttr(0, 0); err == nil && usual.Policy == unix.SCHED_NORMAL {
		long := *usual
		long.Runtime = uint64(longSlice)
		if unix.SchedSetAttr(0, &long, 0) == nil {
			defer unix.SchedSetAttr(0, usual, 0)
		}
	}
	do()
}
