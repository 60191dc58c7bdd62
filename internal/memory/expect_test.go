package memory_test

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"licensor/internal/memory"
)

// collections returns how many garbage collections there were.
func collections() uint32 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.NumGC
}

func percent() int {
	p := debug.SetGCPercent(-1)
	debug.SetGCPercent(p)
	return p
}

// What is expected is allocated without a collection; what comes after it is collected as usual.
func TestNothingIsCollectedWhileMemoryFillsAsExpected(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	runtime.GC()
	before := collections()
	var kept [][]byte
	end := memory.Expect(256 << 20)
	for range 200 {
		kept = append(kept, make([]byte, 1<<20))
	}
	if n := collections() - before; n > 0 {
		t.Errorf("there were %d collections while 200 of 256 MiB were allocated", n)
	}
	end()
	if p := percent(); p != 100 {
		t.Errorf("afterwards the percentage is %d", p)
	}
	runtime.KeepAlive(kept)
}

// An expectation ends with a collection, so that the heap does not grow by the same factor again.
func TestAnExpectationEndsWithACollection(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	first, second := memory.Expect(64<<20), memory.Expect(64<<20)
	if p := percent(); p <= 100 {
		t.Errorf("the percentage is %d while 128 MiB are expected", p)
	}
	first()
	first()
	if p := percent(); p <= 100 {
		t.Errorf("the percentage is %d while 64 MiB are expected", p)
	}
	runtime.GC()
	for begin := time.Now(); percent() != 100; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("the percentage is still %d after a collection", percent())
		}
	}
	second()
	if p := percent(); p != 100 {
		t.Errorf("at the end the percentage is %d", p)
	}
}

func TestNoMoreIsExpectedThanThereIsRoomForGarbage(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(64 << 20))
	end := memory.Expect(1 << 30)
	defer end()
	if p := percent(); p > 300 { // 8 MiB more than 4
		t.Errorf("the percentage is %d", p)
	}
}

func TestGarbageCollectionThatIsOffStaysOff(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	end := memory.Expect(64 << 20)
	if p := percent(); p != -1 {
		t.Errorf("the percentage is %d", p)
	}
	end()
	if p := percent(); p != -1 {
		t.Errorf("the percentage is %d", p)
	}
}
