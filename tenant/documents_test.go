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
	if _, err := h.Users(t.Context(), h.Image(), []uint32{user}); err != nil {
		t.Fatal(err)
	}
	if u, err := h.User(t.Context(), h.Image(), user); err != nil || u.JobTitle != "Head" {
		t.Errorf("the user is %q, %v", u.JobTitle, err)
	}
}

// counting is a store that counts the reads of objects.
type counting struct {
	store.Store
	reads int
}

func (c *counting) Objects(ctx context.Context, id uuid.UUID, query store.Query) ([]store.Object, error) {
	c.reads++
	return c.Store.Objects(ctx, id, query)
}

// A row carries the commit that wrote it, and one that is newer than the image is not kept under the image's revision.
func TestARowThatIsNewerThanTheImageIsNotKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	h.close()
	c := new(counting)
	h.open(func(s store.Store) store.Store { c.Store = s; return c })
	user := h.must(newUser(t, "ann")).Ordinal
	old := h.Image()
	changed := h.must(tenant.UpdateUser{User: user, Patch: userPatch(t, `{"jobTitle":"Head"}`)}).Image
	rows, err := c.Objects(t.Context(), h.ID(), store.Query{Kind: store.KindUser, Ordinals: []uint32{user}, After: -1})
	if err != nil || rows[0].Seq != changed.Seq {
		t.Fatalf("the row is of commit %d, %v; want %d", rows[0].Seq, err, changed.Seq)
	}
	for _, step := range []struct {
		img   *tenant.Image
		reads int
	}{{old, 1}, {old, 1}, {changed, 1}, {changed, 0}} {
		before := c.reads
		if u, err := h.User(t.Context(), step.img, user); err != nil || u.JobTitle != "Head" {
			t.Errorf("the user is %+v, %v", u, err)
		}
		if got := c.reads - before; got != step.reads {
			t.Errorf("as of commit %d it takes %d reads, want %d", step.img.Seq, got, step.reads)
		}
	}
}
