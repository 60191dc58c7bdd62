package turns_test

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"licensor/internal/turns"
)

// The thread has a long time slice while it does long work, and the usual one afterwards, also if
// that panics.
func TestPatientWorkHasALongTimeSlice(t *testing.T) {
	t.Parallel()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	slice := func() uint64 {
		of, err := unix.SchedGetAttr(0, 0)
		if err != nil {
			t.Skip("the kernel does not say what the time slice is: ", err)
		}
		return of.Runtime
	}
	usual := slice()
	if usual == 0 {
		t.Skip("threads have no time slice of their own before Linux 6.12")
	}
	var long uint64
	turns.Patiently(func() { long = slice() })
	if long <= usual {
		t.Errorf("meanwhile the time slice is %d ns, and %d ns before", long, usual)
	}
	if now := slice(); now != usual {
		t.Errorf("afterwards the time slice is %d ns, want %d ns", now, usual)
	}
	func() {
		defer func() { _ = recover() }()
		turns.Patiently(func() { panic("work failed") })
	}()
	if now := slice(); now != usual {
		t.Errorf("after a panic the time slice is %d ns, want %d ns", now, usual)
	}
}
