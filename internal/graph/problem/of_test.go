package problem_test

import (
	"errors"
	"net/http"
	"testing"

	"licensor/internal/graph/problem"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// What is wrong with the database is never the caller's fault, and each answer says when to come
// again.
func TestWhatTheDatabaseDoesIsUnavailable(t *testing.T) {
	t.Parallel()
	unknown := &tenant.CommandError{Kind: tenant.ProblemUnknown, Message: "It is not known whether the change was made."}
	for name, c := range map[string]struct {
		err   error
		after string
	}{
		"not known":              {errors.Join(unknown, store.ErrUnknown), "1"},
		"not durable":            {&tenant.CommandError{Kind: tenant.ProblemUnavailable, Message: "Try again."}, "5"},
		"no room":                {store.ErrFull, "5"},
		"cannot be read":         {store.ErrUnavailable, "5"},
		"not known by the store": {store.ErrUnknown, "1"},
	} {
		p, ok := problem.Of(c.err)
		if !ok || p.Status != http.StatusServiceUnavailable || p.Header["Retry-After"] != c.after {
			t.Errorf("%s: answered %+v, %v; want 503 with Retry-After %s", name, p, ok, c.after)
		}
	}
}
