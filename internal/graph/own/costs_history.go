package own

import (
	"errors"
	"net/http"
	"time"

	"licensor/internal/duration"
	"licensor/internal/engine"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

const (
	// maxSteps is the maximum number of times in one history of costs.
	maxSteps = 400
	// usualHistory is how far a history of costs goes back if its beginning is not given, at most.
	usualHistory = 30 * 24 * time.Hour
	// usualStep is the time between two rows.
	usualStep = 24 * time.Hour
)

// CostsHistory answers GET /licensor/v1/costs/history?from=…&to=…&step=P1D
// (docs/spec/licensing.md L92): what seats cost at each step, by the prices of that day.
func CostsHistory(r *wire.Request) error {
	if err := r.Allow("from", "to", "step"); err != nil {
		return err
	}
	times, usual, err := stepsOf(r)
	if err != nil {
		return err
	}
	h := costsHistory{r: r, now: r.Image.At}
	h.b = append(jsontext.AppendName(r.AppendHead(r.Begin(), "costs/history"), "value"), '[')
	err = r.Tenant.ImagesAt(r.Context(), times, h.add)
	if kept, ok := errors.AsType[*engine.NotKeptError](err); ok && usual && !h.begun {
		times = h.keptOf(times, kept)
		err = r.Tenant.ImagesAt(r.Context(), times, h.add)
	}
	if err != nil {
		return notKept(times[0], err)
	}
	return r.Send(http.StatusOK, append(h.b, "]}"...))
}

// costsHistory writes a history of costs.
type costsHistory struct {
	r     *wire.Request
	b     []byte
	begun bool      // there is a row
	now   time.Time // time of the last commit
}

// add writes what seats cost at a time.
func (h *costsHistory) add(at time.Time, img *tenant.Image) error {
	h.r.Image, h.r.Now, h.begun = img, at, true
	c, err := costsOf(h.r, nil)
	if err != nil {
		return err
	}
	h.b = jsontext.AppendTime(append(wire.AppendNext(h.b), `{"dateTime":`...), at)
	h.b, err = h.r.More(append(c.appendTotals(h.b), '}'))
	return err
}

// keptOf returns those of some times at which the tenant is known, or the last one if there are
// none.
func (h *costsHistory) keptOf(times []time.Time, kept *engine.NotKeptError) []time.Time {
	since := kept.Since
	if since.IsZero() {
		since = h.now
	}
	last := len(times) - 1
	for i, at := range times[:last] {
		if !at.Before(since) {
			return times[i:]
		}
	}
	return times[last:]
}

// stepsOf returns the times of a history of costs, and whether they are the usual ones: without a
// beginning, these are whole steps before the end.
func stepsOf(r *wire.Request) (times []time.Time, usual bool, err error) {
	step := usualStep
	from, to, err := Span(r)
	if err != nil {
		return nil, false, err
	}
	if given := r.Value("step"); given != "" {
		if step, err = duration.Parse(given); err != nil {
			return nil, false, problem.Broken("step: %s.", err)
		}
	}
	if step < time.Minute {
		return nil, false, problem.Refuse("'step' is %s: it must be at least a minute, such as P1D.",
			duration.Text(step))
	}
	if usual = from.IsZero(); usual {
		from = to.Add(-usualHistory / step * step)
	}
	if to.Sub(from)/step >= maxSteps {
		return nil, false, problem.Refuse("These are %d rows, and at most %d are possible: give a longer 'step' "+
			"than %s.", to.Sub(from)/step+1, maxSteps, duration.Text(step))
	}
	for at := from; !at.After(to); at = at.Add(step) {
		times = append(times, at)
	}
	return times, usual, nil
}
