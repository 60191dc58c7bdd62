package memory

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// Expect postpones the next garbage collection until so many more bytes are allocated, for work
// that keeps most of what it allocates: a collection would find little garbage, and while it runs,
// requests that allocate wait for it. It ends with the next collection, or when end is called. The
// garbage that is postponed stays within the part of Go's limit that is for garbage.
func Expect(bytes int64) (end func()) {
	bytes = min(bytes, debug.SetMemoryLimit(-1)/marginShare)
	end = sync.OnceFunc(func() { expected.add(-bytes) })
	expected.add(bytes)
	runtime.AddCleanup(new(collected), func(end func()) { end() }, end)
	return end
}

// collected is unreachable, so the next garbage collection finds it. It is too large to share its
// memory with other objects.
type collected [64]byte

var expected expectation

type expectation struct {
	mu    sync.Mutex
	bytes int64
	usual int // the percentage while nothing is expected
}

// leastHeap is the size below which Go does not collect.
const leastHeap = 4 << 20

func (e *expectation) add(bytes int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.bytes == 0 {
		e.usual = debug.SetGCPercent(-1)
	}
	e.bytes += bytes
	percent := e.usual
	if percent >= 0 && e.bytes > 0 {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		percent += int(100 * e.bytes / max(leastHeap, int64(live[0].Value.Uint64())))
	}
	debug.SetGCPercent(percent)
}
