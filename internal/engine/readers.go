package engine

import (
	"math"
	"sync"

	"github.com/google/uuid"
)

// readers are the parts of logs that requests of this process are reading: changes, and commits for
// the audit log. Trimming that decides after a reader began keeps what the reader still needs.
//
// They are in memory and end with their requests: only Trimming.Keep and Trimming.Audited keep
// commits for the next request. If another process trims, or this one decided before, a reader gets
// store.ErrTrimmed: Changes then returns ErrForgotten, and the audit log continues with the first
// commit that is kept. Neither loading a tenant, which begins again with the newer snapshot, nor a
// view (store.View) needs a reader.
type readers struct {
	mu  sync.Mutex
	all map[*logReader]struct{}
}

// logReader reads the log of a tenant. It must be ended.
type logReader struct {
	of     *readers
	tenant uuid.UUID
	next   uint64 // the first commit that it still needs; the mutex of readers guards it
}

// begin returns a reader of the commits after one.
func (r *readers) begin(tenant uuid.UUID, after uint64) *logReader {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = map[*logReader]struct{}{}
	}
	l := &logReader{r, tenant, after + 1}
	r.all[l] = struct{}{}
	return l
}

// reached says that the commits up to one are no longer needed.
func (l *logReader) reached(seq uint64) {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	l.next = seq + 1
}

func (l *logReader) end() {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	delete(l.of.all, l)
}

// needed returns the first commit of a tenant that a reader needs; the largest number if none does.
func (r *readers) needed(tenant uuid.UUID) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := uint64(math.MaxUint64)
	for l := range r.all {
		if l.tenant == tenant {
			first = min(first, l.next)
		}
	}
	return first
}
