package tenant_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"licensor/store"
	"licensor/tenant"
)

// late is a store that answers objects only after something else has happened.
type late struct {
	store.Store
	first func()
}

func (l *late) Objects(ctx context.Context, id uuid.UUID, query store.Query) ([]store.Object, error) {
	rows, err := l.Store.Objects(ctx, id, query)
	if first := l.first; first != nil {
		l.first = nil
		first()
	}
	return rows, err
}

// A list that has read its rows before a change, and answers after it, does not leave the old document behind for others to find.
func TestAListDoesNotKeepWhatIsOutOfDate(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	h.close()
	l := new(late)
	h.open(func(s store.Store) store.Store { l.Store = s; return l })
	user := h.must(newUser(t, "ann")).Ordinal
	h.close() // so that nothing is kept yet
	h.open(func(s store.Store) store.Store { l.Store = s; return l })
	l.first = func() { h.must(tenant.UpdateUser{User: user, Patch: userPatch(t, `{"jobTitle":"Head"}`)}) }
	if _, err := h.Users(t.Context(), store.Query{After: -1, Limit: 10}); err != nil {
		t.Fatal(err)
	}
	if u, err := h.User(t.Context(), h.Image(), user); err != nil || u.JobTitle != "Head" {
		t.Errorf("the user is %q, %v", u.JobTitle, err)
	}
}
