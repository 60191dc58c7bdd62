package devkit

import (
	"context"
	"errors"
	"net/http"
	"time"

	"licensor/internal/engine"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/store"
)

// start is how a server started, to which it can be reset.
type start struct {
	tenants []*engine.Tenant
	pasts   []*engine.Past
	large   bool      // there is too much to be kept
	begun   time.Time // the time of the clock
	real    bool      // it was the real time
}

const (
	// keptBytes is how many bytes of documents are kept in memory for a reset.
	keptBytes = 64 << 20
	// endWait is how long a reset waits for requests in progress.
	endWait = 10 * time.Second
	// aboutNow is how much the clock may differ from the real time if it was not set.
	aboutNow = time.Second
)

// Keep makes the state of the server the one that it can be reset to.
func (d *Kit) Keep(ctx context.Context) error {
	if d == nil {
		return nil
	}
	d.moving.Lock()
	defer d.moving.Unlock()
	now := d.clock.Now()
	s := &start{tenants: d.tenants(), begun: now, real: now.Sub(d.clock.Base()).Abs() < aboutNow}
	room := keptBytes
	for _, t := range s.tenants {
		past, err := t.Keep(ctx, room)
		if errors.Is(err, engine.ErrTooLarge) {
			s.large = true
			break
		}
		if err != nil {
			return err
		}
		room -= past.Size()
		s.pasts = append(s.pasts, past)
	}
	d.start = s
	return nil
}

// Forgetting adds what is done at a reset besides what a Kit does itself.
func (d *Kit) Forgetting(forget func(ctx context.Context) error) {
	d.forget = append(d.forget, forget)
}

// reset answers POST /licensor/v1/development/reset: it brings tenants, clock, faults and delays
// back to how they were when the server started. Sessions and pages that were begun end, and tokens
// of applications and users that existed then stay valid.
func (d *Kit) reset(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	if err := r.NoBody(); err != nil {
		return err
	}
	r.Work.Rest()
	ctx, cancel := context.WithTimeout(r.Context(), endWait)
	defer cancel()
	if !d.requests.waitAlone(ctx) {
		return &problem.ResponseError{
			Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable",
			Message: "Other requests are in progress, so nothing was reset. Wait for their responses, and retry.",
			Header:  map[string]string{"Retry-After": "1"},
		}
	}
	defer d.requests.share()
	d.moving.Lock()
	defer d.moving.Unlock()
	switch {
	case d.start == nil:
		return problem.Refuse("This server has not kept how it started, so it cannot be reset.")
	case d.start.large:
		return problem.Refuse("The tenants had more than %d MB of users, groups and other objects when the server "+
			"started, so they were not kept, and it cannot be reset.", keptBytes>>20)
	}
	// What has begun is completed, whether or not the caller waits.
	if err := d.rewind(context.WithoutCancel(r.Context()), r); err != nil {
		if errors.Is(err, store.ErrTrimmed) {
			return problem.Refuse("The log was trimmed since the server started, so it cannot be reset. " +
				"Start it again.")
		}
		return err
	}
	return r.SendNothing()
}

func (d *Kit) rewind(ctx context.Context, r *wire.Request) error {
	d.processing.forget()
	if err := r.SignIns.Flush(ctx); err != nil { // so that those of before are removed
		return err
	}
	last := d.start.begun
	if d.start.real {
		last = d.clock.Base()
	}
	for i, t := range d.start.tenants {
		if err := t.Rewind(ctx, d.start.pasts[i]); err != nil {
			return err
		}
		if at := t.Image().At; last.Before(at) {
			last = at
		}
	}
	d.clock.Set(last)
	d.faults.mu.Lock()
	d.faults.reset(1)
	d.faults.mu.Unlock()
	d.SetGroupProcessing(0)
	d.noted.forget()
	r.Limits.Forget()
	r.Resets.Add(1)
	for _, forget := range d.forget {
		if err := forget(ctx); err != nil {
			return err
		}
	}
	return nil
}

// forget drops changes that are not due.
func (p *processing) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = nil
	p.first.Store(0)
}
