package changes

import (
	"net/url"
	"time"

	"licensor/internal/graph/own"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/outcome"
)

const differencePath = "/difference"

// difference answers GET /licensor/v1/difference?from=…&to=… (docs/spec/changes.md C19): who has
// gained, lost and failed to get which product between two times, as a preview shows it. Without
// to, it is what has happened up to now.
func difference(r *wire.Request) error {
	if err := r.Allow("from", "to", "$filter", "$top", "$skiptoken", "$format"); err != nil {
		return err
	}
	from, to, err := own.Span(r)
	if err != nil {
		return err
	}
	if from.IsZero() {
		return problem.Broken("'from' is missing: give a time such as ?from=2026-01-31T12:00:00Z.")
	}
	p := &preview{}
	if p.before, err = own.ImageAt(r, from); err != nil {
		return err
	}
	if p.after, err = own.ImageAt(r, to); err != nil {
		return err
	}
	is, err := conditionOf(r.Options.Filter, p)
	if err != nil {
		return err
	}
	r.Work.Doing("comparing who held what")
	if p.outcome, err = outcome.Compare(p.before.Licensing, p.after.Licensing, r.Work.Pace); err != nil {
		return err
	}
	if err := r.Share.More(r.Context(), p.outcome.Bytes()); err != nil {
		return err
	}
	r.Now = to // for prices
	query := url.Values{"from": {from.Format(time.RFC3339Nano)}, "to": {to.Format(time.RFC3339Nano)}}
	return p.sendUsers(r, is, route.Own+differencePath, query, func() ([]byte, error) {
		b := r.AppendHead(r.Begin(), "difference")
		b = jsontext.AppendTime(jsontext.AppendName(b, "fromDateTime"), from)
		b = jsontext.AppendTime(jsontext.AppendName(b, "toDateTime"), to)
		return p.appendSums(r, b)
	})
}
