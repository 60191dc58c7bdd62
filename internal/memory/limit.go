package memory

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

const (
	// goShare is the part of the memory of the control group or the machine that Go may use. The
	// rest is for SQLite, which allocates its own memory, and for other memory that the kernel
	// counts.
	goShare = 0.7
	// requestsShare is the part of Go's memory for the budget of requests: one in so many.
	requestsShare = 4
	// marginShare is the part that stays free for memory outside all shares, such as garbage
	// between two collections.
	marginShare = 8
)

// SetLimit sets the limit of Go's memory: GOMEMLIMIT if it is set, otherwise a part of the memory
// of the process's control group or of the machine. It returns the limit in bytes.
func SetLimit() (int64, error) {
	limit, err := memlimit.Set(memlimit.WithRatio(goShare),
		memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)))
	if err != nil {
		return 0, fmt.Errorf("find out how much memory this process may have; GOMEMLIMIT can say it: %w", err)
	}
	return limit, nil
}

// ownMemory is what the process takes without tenants and requests.
const ownMemory = 32 << 20

// SetLimitFor sets the limit of Go's memory so that tenants may use so many bytes, and returns it.
// Where GOMEMLIMIT is set, that stays the limit.
func SetLimitFor(tenants int64) (int64, error) {
	if _, ok := os.LookupEnv("GOMEMLIMIT"); ok {
		return SetLimit()
	}
	limit := (tenants + ownMemory) / 5 * 8 // requests take a quarter, and an eighth stays free
	debug.SetMemoryLimit(limit)
	return limit, nil
}

// OfProcess returns the request budget of a process with a limit.
func OfProcess(limit int64) *Budget {
	if limit == math.MaxInt64 { // GOMEMLIMIT=off
		return New(1<<40, func() int64 { return math.MaxInt64 })
	}
	r := &room{limit: limit}
	return New(limit/requestsShare, r.bytes)
}

// room keeps track of how much of the limit is left.
type room struct {
	limit int64

	mu               sync.Mutex
	asked, collected time.Time
	left             int64
}

const (
	// sampleEvery is how long a figure is valid. It changes with each garbage collection.
	sampleEvery = 10 * time.Millisecond
	// collectEvery is the minimum interval of garbage collections that lack of room causes. Go
	// itself may wait for minutes when there is little work, as is the case when there is little
	// room.
	collectEvery = 10 * time.Second
)

func (r *room) bytes() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if now.Sub(r.asked) > sampleEvery {
		r.asked, r.left = now, r.limit-r.limit/marginShare-inUse()
	}
	if r.left < r.limit/requestsShare && now.Sub(r.collected) > collectEvery {
		r.collected = now
		go runtime.GC()
	}
	return r.left
}

// inUse returns the size of the heap after the last garbage collection, plus Go's memory outside
// the heap. Garbage does not count: it is collected when necessary.
func inUse() (n int64) {
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
	}
	metrics.Read(samples)
	of := func(i int) int64 { return int64(samples[i].Value.Uint64()) }
	return of(0) + of(1) - of(2) - of(3) - of(4) - of(5)
}
