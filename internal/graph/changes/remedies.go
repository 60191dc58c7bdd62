package changes

import (
	"licensor/internal/graph/own"
	"licensor/internal/graph/wire"
	"licensor/internal/outcome"
)

// summarize answers GET /licensor/v1/licenseErrors/summary (docs/spec/licensing.md L78), in which
// remedies have the number of users that a preview of their change sets shows as cleared.
func summarize(r *wire.Request) error {
	return own.SummarizeErrors(r, func(r *wire.Request, changes []own.Change) (int, error) {
		b := newBuilder(r)
		for _, c := range changes {
			if err := b.add(c.Method, c.URL, c.Body); err != nil {
				return 0, err
			}
		}
		p, err := tried(r, b.set)
		if err != nil {
			return 0, err
		}
		return int(p.outcome.Users(outcome.OfKind(outcome.Clear)).GetCardinality()), nil
	})
}
