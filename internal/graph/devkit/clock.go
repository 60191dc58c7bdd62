package devkit

import (
	"net/http"
	"time"

	"licensor/internal/duration"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
)

// maxAhead is the maximum time that the clock can be ahead of the real time.
const maxAhead = 100 * 365 * 24 * time.Hour

// getClock answers GET /licensor/v1/development/clock.
func (d *Kit) getClock(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	return sendClock(r)
}

func sendClock(r *wire.Request) error {
	b := r.AppendHead(r.Begin(), "development/clock")
	return r.Send(http.StatusOK, append(jsontext.AppendTime(jsontext.AppendName(b, "now"), r.Now), '}'))
}

// setClock answers PUT /licensor/v1/development/clock with {"now": time} or {"advance": duration}.
// Before it responds, it purges objects that were deleted more than 30 days before the new time,
// and evaluates rules of groups that depend on the time (docs/spec/dynamic-membership.md D25).
func (d *Kit) setClock(r *wire.Request) error {
	members, err := r.Members()
	if err != nil {
		return err
	}
	var now time.Time
	var text string
	if err := wire.Read("clock", members, map[string]any{"now": &now, "advance": &text}); err != nil {
		return err
	}
	if len(members) != 1 {
		return problem.Refuse(`The clock is set by one of "now" (a time: 2026-01-31T12:00:00Z) and "advance" (a `+
			`duration: PT1H); the body has %d properties.`, len(members))
	}
	d.moving.Lock()
	defer d.moving.Unlock()
	if members[0].Is("advance") {
		by, err := duration.Parse(text)
		if err != nil {
			return problem.Refuse("The clock must be advanced by a duration, but %s.", err)
		}
		now = d.clock.Now().Add(by)
	}
	if err := d.set(now); err != nil {
		return err
	}
	r.Limits.Forget()
	r.Arrived = d.clock.Now()
	r.Now = r.Arrived
	d.processing.settle(r.Context(), r.Log, r.Now)
	for _, t := range d.tenants() {
		if err := t.PurgeExpired(r.Context()); err != nil {
			return err
		}
		if err := t.EvaluateRules(r.Context()); err != nil {
			return err
		}
	}
	return sendClock(r)
}

// set sets the clock. It refuses a time before the last commit: the log's times never decrease.
func (d *Kit) set(now time.Time) error {
	for _, t := range d.tenants() {
		if last := t.Image().At; now.Before(last) {
			return problem.Refuse("The clock cannot be set to %s: tenant %s was last changed at %s, and nothing "+
				"can happen before that. Set it to that time or later, or start again with another database.",
				now.UTC().Format(time.RFC3339), t.ID(), last.Format(time.RFC3339Nano))
		}
	}
	if latest := d.clock.Base().Add(maxAhead); now.After(latest) {
		return problem.Refuse("The clock cannot be set to %s: %s is the latest.",
			now.UTC().Format(time.RFC3339), latest.UTC().Format(time.RFC3339))
	}
	d.clock.Set(now)
	return nil
}

// SetClock sets the clock before the server starts.
func (d *Kit) SetClock(now time.Time) error { return d.set(now) }
