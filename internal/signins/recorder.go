package signins

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

const (
	// MostASecond is how many sign-ins of a tenant are kept in a second (U34).
	MostASecond = 1000

	mostWaiting = 20_000 // sign-ins, about 1 KB each, that wait to be written
	mostAtOnce  = 1000   // in a transaction
	// together is how long sign-ins wait for others that are written with them, and again how long the
	// next attempt waits after a failed one.
	together = 500 * time.Millisecond
	again    = 5 * time.Second
)

// Recorder writes sign-ins behind the responses of the authority (U34). It is safe for concurrent
// use.
type Recorder struct {
	store store.SignIns
	log   *slog.Logger
	wake  chan struct{} // has an element if some wait

	writing chan struct{} // has an element while nothing is written

	mu      sync.Mutex
	waiting []SignIn
	second  int64             // the last one in which sign-ins came, since 1970
	counts  map[uuid.UUID]int // in that second, by tenant
	stats   Stats
}

// Stats count sign-ins since the start.
type Stats struct {
	Written int64
	Dropped int64 // over a limit, so they are not kept
}

// NewRecorder returns a recorder. The log is slog.Default() if nil. Nothing is written until Run
// or Flush is called.
func NewRecorder(into store.SignIns, log *slog.Logger) *Recorder {
	r := &Recorder{
		store: into, log: cmp.Or(log, slog.Default()), counts: map[uuid.UUID]int{},
		wake: make(chan struct{}, 1), writing: make(chan struct{}, 1),
	}
	r.writing <- struct{}{}
	return r
}

// Report takes a sign-in. It never waits.
func (r *Recorder) Report(s SignIn) {
	s.bound()
	r.mu.Lock()
	defer r.mu.Unlock()
	if second := s.At.Unix(); second != r.second {
		r.second = second
		clear(r.counts)
	}
	if r.counts[s.Tenant] >= MostASecond || len(r.waiting) >= mostWaiting {
		r.stats.Dropped++
		return
	}
	r.counts[s.Tenant]++
	r.waiting = append(r.waiting, s)
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Stats returns the counts.
func (r *Recorder) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// Run writes sign-ins until the context ends.
func (r *Recorder) Run(ctx context.Context) {
	wait := together
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		wait = together
		if err := r.Flush(ctx); err != nil && ctx.Err() == nil {
			r.log.ErrorContext(ctx, "sign-ins could not be written; it is tried again", "error", err)
			wait = again
			select {
			case r.wake <- struct{}{}:
			default:
			}
		}
	}
}

// Flush writes what was reported before the call.
func (r *Recorder) Flush(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-r.writing:
	}
	defer func() { r.writing <- struct{}{} }()
	r.mu.Lock()
	left := len(r.waiting)
	r.mu.Unlock()
	for left > 0 {
		n, err := r.write(ctx, min(left, mostAtOnce))
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// write writes the first sign-ins that wait, and returns how many. They wait until it has
// succeeded. Writing one again changes nothing, so it does not matter whether an attempt has failed
// or only its response was lost.
func (r *Recorder) write(ctx context.Context, most int) (int, error) {
	r.mu.Lock()
	batch := slices.Clone(r.waiting[:most])
	r.mu.Unlock()
	rows, seen, err := rowsOf(batch)
	if err != nil {
		return 0, err
	}
	if err := r.store.AddSignIns(ctx, rows, seen); err != nil {
		return 0, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = slices.Delete(r.waiting, 0, most)
	r.stats.Written += int64(most)
	return most, nil
}

func rowsOf(batch []SignIn) ([]store.SignIn, []store.Activity, error) {
	rows, seen := make([]store.SignIn, len(batch)), []store.Activity{}
	for i := range batch {
		row, err := batch[i].row()
		if err != nil {
			return nil, nil, err
		}
		rows[i] = row
		if a, ok := batch[i].activity(); ok {
			seen = append(seen, a)
		}
	}
	return rows, merged(seen), nil
}
