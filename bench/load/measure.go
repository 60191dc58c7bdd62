package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Load is a sequence of requests with the number of callers and a time limit.
type Load struct {
	Requests [][]byte
	Callers  int
	Cycle    bool // continue with the first request after the last one
	Most     int  // maximum number of requests; 0 for no limit
	Time     time.Duration
	// Before is called before each request, outside the measured time; it may be nil.
	Before func(ctx context.Context, caller int) error
}

// Slow is a limit for the first response: if it takes longer, it is the only one measured.
const Slow = 2 * time.Second

// Outcome is the result of a load.
type Outcome struct {
	Times   []time.Duration // ascending
	Callers int
	Answers map[int]Size // by index of the request
	Note    string       // why Times has no values, or only one
}

// Size is the number of objects in a response and the total it states, which is -1 without $count.
type Size struct{ Objects, Total int }

// Percentile returns the time within which n of a hundred responses came.
func (o *Outcome) Percentile(n int) time.Duration { return o.Times[(len(o.Times)-1)*n/100] }

// Rate returns the requests per second of all callers together.
func (o *Outcome) Rate() float64 {
	var sum time.Duration
	for _, t := range o.Times {
		sum += t
	}
	return float64(len(o.Times)*o.Callers) / sum.Seconds()
}

// Put sends a load to a contender. A refusal or a missing response is an outcome, not an error.
func Put(ctx context.Context, address string, l Load) (*Outcome, error) {
	first := worker{Load: &l, Connection: Connection{Address: address}, answers: map[int]Size{}}
	defer first.Close()
	for n := range 2 { // warm up; a slow response is the outcome by itself
		if err := first.one(ctx, max(0, len(l.Requests)-1-n)); err != nil {
			return Failed(err)
		}
		if first.times[0] > Slow {
			return &Outcome{first.times, 1, first.answers, "one request"}, nil
		}
	}
	workers := make([]worker, l.Callers)
	errs := make([]error, l.Callers)
	var wait sync.WaitGroup
	until := time.Now().Add(l.Time)
	for n := range workers {
		workers[n] = worker{Load: &l, number: n, Connection: Connection{Address: address}, answers: map[int]Size{}}
		wait.Go(func() { errs[n] = workers[n].run(ctx, until) })
	}
	wait.Wait()
	o := &Outcome{Callers: l.Callers, Answers: map[int]Size{}}
	for _, w := range workers {
		o.Times = append(o.Times, w.times...)
		for i, s := range w.answers {
			o.Answers[i] = s
		}
	}
	slices.Sort(o.Times)
	if err := errors.Join(errs...); err != nil {
		return Failed(err)
	}
	return o, nil
}

// And returns the outcome with later measurements added. o may be nil.
func (o *Outcome) And(later *Outcome) *Outcome {
	if o == nil || later.Note != "" {
		return later
	}
	o.Times = append(o.Times, later.Times...)
	slices.Sort(o.Times)
	for i, s := range later.Answers {
		o.Answers[i] = s
	}
	return o
}

// Failed returns the outcome of a load that ended with an error, or the error if it is not about
// responses.
func Failed(err error) (*Outcome, error) {
	if refusal, ok := errors.AsType[*RefusedError](err); ok {
		return &Outcome{Note: fmt.Sprintf("refused (%d)", refusal.Status)}, nil
	}
	if errors.Is(err, ErrTooLong) {
		return &Outcome{Note: "over " + strconv.Itoa(int(patience.Seconds())) + " s"}, nil
	}
	return nil, err
}

// worker is one caller. It sends the next request after the response to the previous one.
type worker struct {
	*Load
	Connection
	number  int
	times   []time.Duration
	answers map[int]Size
}

func (w *worker) run(ctx context.Context, until time.Time) error {
	defer w.Close()
	for i := w.number; time.Now().Before(until); i += w.Callers {
		if (!w.Cycle && i >= len(w.Requests)) || (w.Most > 0 && i >= w.Most) {
			return nil
		}
		if err := w.one(ctx, i%len(w.Requests)); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) one(ctx context.Context, i int) error {
	if w.Before != nil {
		if err := w.Before(ctx, w.number); err != nil {
			return err
		}
	}
	start := time.Now()
	body, err := w.Ask(ctx, w.Requests[i])
	if err != nil {
		return err
	}
	w.times = append(w.times, time.Since(start))
	if _, known := w.answers[i]; !known {
		w.answers[i] = SizeOf(body)
	}
	return nil
}

// SizeOf returns the size of a response.
func SizeOf(body []byte) Size {
	s := Size{bytes.Count(body, []byte(`"displayName":`)), -1}
	for _, name := range []string{`"@odata.count":`, `"totalItems":`} {
		if _, rest, ok := bytes.Cut(body, []byte(name)); ok {
			end := bytes.IndexAny(rest, ",}")
			if total, err := strconv.Atoi(string(rest[:max(0, end)])); err == nil {
				s.Total = total
			}
		}
	}
	return s
}

// Middle returns the median.
func Middle(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}
