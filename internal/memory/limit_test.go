package memory_test

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/memory"
)

// What was in use and is not any longer gives room again, though nothing else is done that would
// have it collected.
func TestRoomComesBack(t *testing.T) { // not parallel: it looks at the heap of the process
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	held := make([]byte, 256*megabyte)
	runtime.GC()
	b := memory.OfProcess(256 * megabyte)
	ctx, share := begin(t, b, uuid.New())
	wantFull(t, share.More(ctx, megabyte), memory.CauseLimit)
	runtime.KeepAlive(held)
	held = nil
	for end := time.Now().Add(time.Minute); share.More(ctx, megabyte) != nil; {
		if time.Now().After(end) {
			t.Fatalf("there is no room a minute after: %+v", b.Stats())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestWithoutALimitThereIsRoomForAll(t *testing.T) {
	t.Parallel()
	b := memory.OfProcess(math.MaxInt64)
	ctx, share := begin(t, b, uuid.New())
	if err := share.More(ctx, 100<<30); err != nil {
		t.Error(err)
	}
	share.End()
}

func TestGOMEMLIMITIsTheLimit(t *testing.T) { // not parallel: it is the process's
	t.Setenv("GOMEMLIMIT", "1GiB") // the runtime has read it before
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 30))
	if limit, err := memory.SetLimit(); err != nil || limit != 1<<30 {
		t.Errorf("the limit is %d, %v", limit, err)
	}
}

func TestTheMachineOrItsControlGroupIsTheLimitOtherwise(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "")
	if err := os.Unsetenv("GOMEMLIMIT"); err != nil {
		t.Fatal(err)
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	limit, err := memory.SetLimit()
	if err != nil || limit < 16*megabyte || limit > 16<<40 || debug.SetMemoryLimit(-1) != limit {
		t.Errorf("the limit is %d, %v; Go's is %d", limit, err, debug.SetMemoryLimit(-1))
	}
}
