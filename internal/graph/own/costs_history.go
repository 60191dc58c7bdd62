package own

import (
	"net/http"
	"time"

	"licensor/internal/duration"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

const (
	// maxSteps is the maximum number of times in one history of costs.
	maxSteps = 400
	// usualHistory is how far a history of costs goes back if its beginning is not given.
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
	times, err := stepsOf(r)
	if err != nil {
		return err
	}
	b := append(jsontext.AppendName(r.AppendHead(r.Begin(), "costs/history"), "value"), '[')
	err = r.Tenant.ImagesAt(r.Context(), times, func(at time.Time, img *tenant.Image) error {
		r.Image, r.Now = img, at
		c, err := costsOf(r, nil)
		if err != nil {
			return err
		}
		b = jsontext.AppendTime(append(wire.AppendNext(b), `{"dateTime":`...), at)
		b, err = r.More(append(c.appendTotals(b), '}'))
		return err
	})
	if err != nil {
		return notKept(times[0], err)
	}
	return r.Send(http.StatusOK, append(b, "]}"...))
}

// stepsOf returns the times of a history of costs.
func stepsOf(r *wire.Request) (times []time.Time, err error) {
	step := usualStep
	from, to, err := Span(r)
	if err != nil {
		return nil, err
	}
	if from.IsZero() {
		from = to.Add(-usualHistory)
	}
	if given := r.Value("step"); given != "" {
		if step, err = duration.Parse(given); err != nil {
			return nil, problem.Broken("step: %s.", err)
		}
	}
	switch {
	case step < time.Minute:
		return nil, problem.Refuse("'step' is %s: it must be at least a minute, such as P1D.", duration.Text(step))
	case to.Sub(from)/step >= maxSteps:
		return nil, problem.Refuse("These are %d rows, and at most %d are possible: give a longer 'step' than %s.",
			to.Sub(from)/step+1, maxSteps, duration.Text(step))
	}
	for at := from; !at.After(to); at = at.Add(step) {
		times = append(times, at)
	}
	return times, nil
}
