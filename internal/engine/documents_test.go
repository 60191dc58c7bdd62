package engine_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/tenant"
)

// late is a store that returns objects only after something else has happened.
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

// A list that has read its rows before a change and returns after it does not leave the old
// document in the cache.
func TestAListDoesNotKeepWhatIsOutOfDate(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	h.close()
	l := new(late)
	h.open(func(s store.Store) store.Store { l.Store = s; return l })
	user := h.must(newUser(t, "ann")).Ordinal
	h.close() // so that the cache is empty
	h.open(func(s store.Store) store.Store { l.Store = s; return l })
	l.first = func() { h.must(tenant.UpdateUser{User: user, Patch: userPatch(t, `{"jobTitle":"Head"}`)}) }
	if _, err := h.Users(t.Context(), h.Image(), []uint32{user}); err != nil {
		t.Fatal(err)
	}
	if u, err := h.User(t.Context(), h.Image(), user); err != nil || u.JobTitle != "Head" {
		t.Errorf("the user is %q, %v", u.JobTitle, err)
	}
}

// counting is a store that counts reads of objects. Its Append and reads wait for block if that is
// not nil.
type counting struct {
	store.Store
	reads int
	block chan struct{}
}

func (c *counting) Append(
	ctx context.Context, id uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object,
) error {
	if c.block != nil {
		<-c.block
	}
	return c.Store.Append(ctx, id, at, commits, objects)
}

func (c *counting) Objects(ctx context.Context, id uuid.UUID, query store.Query) ([]store.Object, error) {
	c.reads++
	if c.block != nil {
		<-c.block
	}
	return c.Store.Objects(ctx, id, query)
}

// A row names the commit that wrote it, and one that is newer than the image is not cached under
// the image's revision.
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

// Rows for commands that wait together are read together, and each command still sees what the
// previous one wrote.
func TestABatchReadsItsRowsAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	const people = 40
	users, groups := make([]uint32, people), make([]uint32, people)
	for i := range people {
		users[i] = h.must(newUser(t, fmt.Sprint("user", i))).Ordinal
		groups[i] = h.must(newGroup(t, fmt.Sprint("group", i))).Ordinal
	}
	h.close()
	c := &counting{block: make(chan struct{})}
	h.open(func(s store.Store) store.Store { c.Store = s; return c })

	var wait sync.WaitGroup
	errs := make(chan error, 4*people)
	do := func(cmd tenant.Command) {
		wait.Go(func() {
			_, err := h.do(cmd)
			errs <- err
		})
	}
	do(newUser(t, "first")) // the others wait during its transaction and the first read
	for i := range people {
		do(tenant.UpdateUser{User: users[i], Patch: userPatch(t, `{"jobTitle":"Head"}`)})
		do(tenant.UpdateUser{User: users[i], Patch: userPatch(t, `{"department":"Sales"}`)})
		do(tenant.UpdateGroup{Group: groups[i], Patch: groupPatch(t, `{"description":"ours"}`)})
	}
	for h.Stats().Commands <= 3*people {
		time.Sleep(time.Millisecond)
	}
	close(c.block)
	wait.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if c.reads > 10 {
		t.Errorf("%d commands took %d reads", 3*people, c.reads)
	}
	for i := range people {
		u, err := h.User(t.Context(), h.Image(), users[i])
		if err != nil || u.JobTitle != "Head" || u.Department != "Sales" {
			t.Errorf("user %d is %q of %q, %v", i, u.JobTitle, u.Department, err)
		}
		if g, err := h.Group(t.Context(), h.Image(), groups[i]); err != nil || g.Description != "ours" {
			t.Errorf("group %d is %q, %v", i, g.Description, err)
		}
	}
}
