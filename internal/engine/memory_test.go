package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/licensing"
	"licensor/internal/memory"
	"licensor/internal/tenant"
)

func newBudget(t *testing.T, room int64) (context.Context, *memory.Share, *memory.Budget) {
	t.Helper()
	b := memory.New(64<<20, func() int64 { return room })
	ctx, share, err := b.Begin(t.Context(), uuid.New(), uuid.Nil)
	if err != nil {
		t.Fatal(err)
	}
	return ctx, share, b
}

// A command that waits for the writer keeps its memory until the writer is done with it, even if
// its caller has given up.
func TestACommandThatIsGivenUpHasItsMemoryUntilItIsDone(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	ctx, share, b := newBudget(t, math.MaxInt64)
	ctx, cancel := context.WithCancel(ctx)
	reached, release := make(chan struct{}), make(chan struct{})
	slow := func(*tenant.Image) bool {
		close(reached)
		<-release
		return true
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		if _, err := h.do(tenant.If{Holds: slow, Then: newGroup(t, "one")}); err != nil {
			t.Error(err)
		}
	})
	<-reached
	gaveUp := make(chan struct{})
	wait.Go(func() {
		defer close(gaveUp)
		if _, err := h.Do(ctx, "user test", newGroup(t, "two")); !errors.Is(err, context.Canceled) {
			t.Errorf("the command that was given up: %v", err)
		}
		share.End()
	})
	for engine.Waiting(h.Tenant) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-gaveUp
	if used := b.Stats().Used; used < memory.Small {
		t.Errorf("while it waits for the writer, it has %d bytes", used)
	}
	close(release)
	wait.Wait()
	h.must(newGroup(t, "three")) // comes after it
	if used := b.Stats().Used; used != 0 {
		t.Errorf("afterwards %d bytes are used", used)
	}
}

// A change takes memory for the users that it may touch. Near the limit nothing can be added, but
// removals continue.
func TestChangesTakeMemoryForWhatTheyTouch(t *testing.T) {
	t.Parallel()
	const members = 1000
	h := newHouse(t, 0)
	group := h.must(newGroup(t, "all"))
	h.must(tenant.CreateSubscription{SKUID: e3, TotalLicenses: members})
	rows := make([]tenant.ImportRow, 2*members)
	for i := range members {
		name := fmt.Sprint("user", i)
		rows[i] = tenant.ImportRow{Line: int64(i + 1), User: &tenant.ImportUser{Patch: newUser(t, name).Patch}}
		rows[members+i] = tenant.ImportRow{
			Line:       int64(members + i + 1),
			Membership: &tenant.Membership{Group: group.ID.String(), Member: name + "@test.example"},
		}
	}
	if done := h.must(tenant.Import{Rows: rows}); len(done.Rows) > 0 {
		t.Fatal(done.Rows[0].Problem)
	}
	license := tenant.AssignGroup{Group: group.Ordinal, Add: []licensing.Assign{{SKUID: e3}}}

	ctx, share, b := newBudget(t, math.MaxInt64)
	if _, err := h.Do(ctx, "user test", license); err != nil {
		t.Fatal(err)
	}
	if used := b.Stats().Used; used != memory.Small+256*members {
		t.Errorf("a license for %d users takes %d bytes", members, used)
	}
	share.End()

	ctx, _, _ = newBudget(t, 0)
	for _, cmd := range []tenant.Command{license, newUser(t, "more"), tenant.Reprocess{All: true}} {
		if _, err := h.Do(ctx, "user test", cmd); !isFull(err) {
			t.Errorf("%T without memory: %v", cmd, err)
		}
	}
	grant := directory.Grant{Client: app.Principal.ID, Scopes: []string{"User.Read"}}
	h.must(tenant.SetClient{Client: app})
	h.must(tenant.SetGrant{Grant: grant})
	grant.Scopes = nil
	for _, cmd := range []tenant.Command{
		tenant.DeleteUser{User: 0},
		tenant.PurgeUser{User: 0},
		tenant.SetGrant{Grant: grant},
		tenant.SetPassword{User: 1, Hash: "x"},
	} {
		if _, err := h.Do(ctx, "user test", cmd); err != nil {
			t.Errorf("%T without memory: %v", cmd, err)
		}
	}
}

// Changes are read from commits, and a large one takes memory before it is decoded.
func TestReadingALargeCommitTakesMemory(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	h.must(newGroup(t, "small"))
	before := h.Image().Seq
	rows := make([]tenant.ImportRow, 2000)
	for i := range rows {
		rows[i] = tenant.ImportRow{
			Line: int64(i + 1), User: &tenant.ImportUser{Patch: newUser(t, fmt.Sprint("user", i)).Patch},
		}
	}
	h.must(tenant.Import{Rows: rows})

	ctx, _, _ := newBudget(t, 0)
	if _, err := h.Changes(ctx, before-1, before); err != nil {
		t.Errorf("a small commit without memory: %v", err)
	}
	if _, err := h.Changes(ctx, before-1, h.Image().Seq); !isFull(err) {
		t.Errorf("a large commit without memory: %v", err)
	}
	ctx, _, b := newBudget(t, math.MaxInt64)
	c, err := h.Changes(ctx, before-1, h.Image().Seq)
	if err != nil || !c.Users.Created(0) || !c.Users.Created(uint32(len(rows)-1)) {
		t.Errorf("with memory: %v", err)
	}
	if used := b.Stats().Used; used < 100*int64(len(rows)) {
		t.Errorf("reading %d new users takes %d bytes", len(rows), used)
	}
}

func isFull(err error) bool {
	_, ok := errors.AsType[*memory.FullError](err)
	return ok
}
