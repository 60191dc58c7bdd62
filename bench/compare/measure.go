package main

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

// load is a sequence of requests with the number of callers and a time limit.
type load struct {
	requests [][]byte
	callers  int
	cycle    bool // continue with the first request after the last one
	most     int  // maximum number of requests; 0 for no limit
	time     time.Duration
	// before is called before each request, outside the measured time; it may be nil.
	before func(ctx context.Context, caller int) error
}

// slow is a limit for the first response: if it takes longer, it is the only one measured.
const slow = 2 * time.Second

// outcome is the result of a load.
type outcome struct {
	times   []time.Duration // ascending
	callers int
	answers map[int]size // by index of the request
	note    string       // why times has no values, or only one
}

// size is the number of objects in a response and the total it states, which is -1 without $count.
type size struct{ objects, total int }

func (o *outcome) percentile(n int) time.Duration { return o.times[(len(o.times)-1)*n/100] }

// rate returns the requests per second of all callers together.
func (o *outcome) rate() float64 {
	var sum time.Duration
	for _, t := range o.times {
		sum += t
	}
	return float64(len(o.times)*o.callers) / sum.Seconds()
}

// put sends a load to a contender. A refusal or a missing response is an outcome, not an error.
func put(ctx context.Context, address string, l load) (*outcome, error) {
	first := worker{load: &l, connection: connection{address: address}, answers: map[int]size{}}
	defer first.close()
	for range 2 { // warm up; a slow response is the outcome by itself
		if err := first.one(ctx, len(l.requests)-1); err != nil {
			return failed(err)
		}
		if first.times[0] > slow {
			return &outcome{first.times, 1, first.answers, "one request"}, nil
		}
	}
	workers := make([]worker, l.callers)
	errs := make([]error, l.callers)
	var wait sync.WaitGroup
	until := time.Now().Add(l.time)
	for n := range workers {
		workers[n] = worker{load: &l, number: n, connection: connection{address: address}, answers: map[int]size{}}
		wait.Go(func() { errs[n] = workers[n].run(ctx, until) })
	}
	wait.Wait()
	o := &outcome{callers: l.callers, answers: map[int]size{}}
	for _, w := range workers {
		o.times = append(o.times, w.times...)
		for i, s := range w.answers {
			o.answers[i] = s
		}
	}
	slices.Sort(o.times)
	if err := errors.Join(errs...); err != nil {
		return failed(err)
	}
	return o, nil
}

// and returns the outcome with later measurements added. o may be nil.
func (o *outcome) and(later *outcome) *outcome {
	if o == nil || later.note != "" {
		return later
	}
	o.times = append(o.times, later.times...)
	slices.Sort(o.times)
	for i, s := range later.answers {
		o.answers[i] = s
	}
	return o
}

func failed(err error) (*outcome, error) {
	if refusal, ok := errors.AsType[*refusedError](err); ok {
		return &outcome{note: fmt.Sprintf("refused (%d)", refusal.status)}, nil
	}
	if errors.Is(err, errTooLong) {
		return &outcome{note: "over " + strconv.Itoa(int(patience.Seconds())) + " s"}, nil
	}
	return nil, err
}

// worker is one caller. It sends the next request after the response to the previous one.
type worker struct {
	*load
	connection
	number  int
	times   []time.Duration
	answers map[int]size
}

func (w *worker) run(ctx context.Context, until time.Time) error {
	defer w.close()
	for i := w.number; time.Now().Before(until); i += w.callers {
		if (!w.cycle && i >= len(w.requests)) || (w.most > 0 && i >= w.most) {
			return nil
		}
		if err := w.one(ctx, i%len(w.requests)); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) one(ctx context.Context, i int) error {
	if w.before != nil {
		if err := w.before(ctx, w.number); err != nil {
			return err
		}
	}
	start := time.Now()
	body, err := w.ask(ctx, w.requests[i])
	if err != nil {
		return err
	}
	w.times = append(w.times, time.Since(start))
	if _, known := w.answers[i]; !known {
		w.answers[i] = sizeOf(body)
	}
	return nil
}

// sizeOf returns the size of a response.
func sizeOf(body []byte) size {
	s := size{bytes.Count(body, []byte(`"displayName":`)), -1}
	for _, name := range []string{`"@odata.count":`, `"totalItems":`} {
		if _, rest, ok := bytes.Cut(body, []byte(name)); ok {
			end := bytes.IndexAny(rest, ",}")
			if total, err := strconv.Atoi(string(rest[:max(0, end)])); err == nil {
				s.total = total
			}
		}
	}
	return s
}

// differing returns the index of a request to which two contenders responded differently.
func differing(a, b *outcome) (request int, differs bool) {
	for i, one := range a.answers {
		other, ok := b.answers[i]
		if ok && (one.objects != other.objects || one.total >= 0 && other.total >= 0 && one.total != other.total) {
			return i, true
		}
	}
	return 0, false
}

func middle(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}
