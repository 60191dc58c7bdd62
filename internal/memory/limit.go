package memory

import (
	"fmt"
	"math"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

const (
	// goShare is how much of the memory that the control group or the machine has Go may use. The rest
	// is for SQLite, which has memory of its own, and for what the kernel counts besides.
	goShare = 0.7
	// requestsShare is the part of Go's memory that is the budget of requests: one in so many.
	requestsShare = 4
	// marginShare is the part that stays free for what nobody reserves, such as garbage between two
	// collections.
	marginShare = 8
)

// SetLimit makes GOMEMLIMIT the limit of Go's memory where it is set; otherwise a part of what the
// control group that the process is in may have, or of what the machine has. It returns the limit
// in bytes.
func SetLimit() (int64, error) {
	limit, err := memlimit.Set(memlimit.WithRatio(goShare),
		memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)))
	if err != nil {
		return 0, fmt.Errorf("find out how much memory this process may have; GOMEMLIMIT can say it: %w", err)
	}
	return limit, nil
}

// OfProcess returns the budget of requests of a process with a limit.
func OfProcess(limit int64) *Budget {
	if limit == math.MaxInt64 { // GOMEMLIMIT=off
		return New(1<<40, func() int64 { return math.MaxInt64 })
	}
	r := &room{limit: limit}
	return New(limit/requestsShare, r.bytes)
}

// room knows what of the limit is left.
type room struct {
	limit int64

	mu               sync.Mutex
	asked, collected time.Time
	left             int64
}

const (
	// sampleEvery is how long a figure is believed. The one that matters changes with each garbage
	// collection.
	sampleEvery = 10 * time.Millisecond
	// collectEvery is how long nothing is collected for want of room. Go by itself may wait for
	// minutes when little is done, as it is when there is little room.
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

// inUse is what the last garbage collection has left of the heap, and what Go takes beside the
// heap. Garbage does not count: it goes when there is need.
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
