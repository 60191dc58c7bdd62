package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/engine"
	"licensor/internal/licensing"
	"licensor/internal/store"
	"licensor/internal/store/sqlite"
	"licensor/internal/store/storetest"
	"licensor/internal/tenant"
)

// unreliable puts an unreliable connection between the tenant and its store. It works until it is
// told otherwise.
func (h *house) unreliable() *storetest.Unreliable {
	h.close()
	u := &storetest.Unreliable{}
	h.open(func(s store.Store) store.Store { u.Store = s; return u })
	return u
}

func kindOf(err error) tenant.ProblemKind {
	var problem *tenant.CommandError
	if errors.As(err, &problem) {
		return problem.Kind
	}
	return 0
}

// Whatever the outcome of an append, the caller is told the truth, the next change is possible, and
// a restart finds the same state.
func TestTheCallerIsToldWhatCameOfAnAppend(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		outcome storetest.Outcome
		fences  int // that fail first
		want    tenant.ProblemKind
	}{
		"it works":           {storetest.OutcomeWorks, 0, 0},
		"it fails":           {storetest.OutcomeFails, 0, tenant.ProblemUnavailable},
		"the answer is lost": {storetest.OutcomeLostDone, 0, 0},
		"the answer is lost, and the line stays bad": {storetest.OutcomeLostDone, 3, 0},
		"it is done late": {storetest.OutcomeLostLate, 0, 0},
		"it is shut out":  {storetest.OutcomeLostGone, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 0)
			line := h.unreliable()
			var appends, fences atomic.Int64
			line.Decide(func(operation string) storetest.Outcome {
				switch {
				case operation == "Append" && appends.Add(1) == 1:
					return c.outcome
				case operation == "Fence" && fences.Add(1) <= int64(c.fences):
					return storetest.OutcomeFails
				}
				return storetest.OutcomeWorks
			})
			before := h.Image().Seq
			_, err := h.do(newUser(t, "ann"))
			if kindOf(err) != c.want || (err == nil) != (c.want == 0) {
				t.Fatalf("answered %v, want kind %d", err, c.want)
			}
			_, missing := h.Image().LiveUser("ann@test.example")
			if (missing == nil) != (err == nil) {
				t.Errorf("answered %v, and looking for the user answers %v", err, missing)
			}
			h.must(newUser(t, "ben"))
			if made := h.Image().Seq - before; (made == 2) != (err == nil) {
				t.Errorf("there are %d commits after the answer %v", made, err)
			}
			for _, wrong := range line.Wrong() {
				t.Error(wrong)
			}
			now := content(t, h.Image())
			if h.reopen(); content(t, h.Image()) != now {
				t.Error("after a restart the tenant is another one")
			}
		})
	}
}

// A frozen tenant is read as before, and changed again once that ends.
func TestAFrozenTenantIsNotChanged(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	line := h.unreliable()
	h.must(newUser(t, "ann"))
	before := h.Image()
	if _, err := line.Freeze(t.Context(), h.ID(), "it moves"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ben", "cem"} {
		_, err := h.do(newUser(t, name))
		if kindOf(err) != tenant.ProblemUnavailable || !errors.Is(err, store.ErrFrozen) {
			t.Errorf("a frozen tenant answers %v, want that it is unavailable", err)
		}
	}
	if h.Image() != before {
		t.Error("the image is another one")
	}
	line = h.unreliable() // opens the database again
	if content(t, h.Image()) != content(t, before) {
		t.Error("after a restart the tenant is another one")
	}
	if _, err := line.Freeze(t.Context(), h.ID(), ""); err != nil {
		t.Fatal(err)
	}
	h.must(newUser(t, "ben"))
}

// As long as it is unknown whether a change was made, its caller is not told that it was not, and
// no other change is made.
func TestWhileNobodyKnowsNothingElseIsChanged(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	line := h.unreliable()
	var works atomic.Bool
	line.Decide(func(operation string) storetest.Outcome {
		switch {
		case works.Load():
			return storetest.OutcomeWorks
		case operation == "Append":
			return storetest.OutcomeLostDone
		}
		return storetest.OutcomeFails
	})
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := h.Do(soon, "system", newUser(t, "ann")); kindOf(err) != tenant.ProblemUnknown {
		t.Errorf("the caller is told %v", err)
	}
	if _, err := h.do(newUser(t, "ben")); kindOf(err) != tenant.ProblemUnavailable {
		t.Errorf("another is told %v", err)
	}
	works.Store(true)
	for _, err := h.do(newUser(t, "cem")); err != nil; _, err = h.do(newUser(t, "cem")) {
		if kindOf(err) != tenant.ProblemUnavailable {
			t.Fatal(err)
		}
	}
	for name, there := range map[string]bool{"ann": true, "ben": false, "cem": true} {
		if _, err := h.Image().LiveUser(name + "@test.example"); (err == nil) != there {
			t.Errorf("looking for %s answers %v", name, err)
		}
	}
}

// A caller that gives up before the writer has taken the command is told so, and the command has no
// effect.
func TestWhatIsWithdrawnIsNotDone(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	h.close()
	f := &failing{block: make(chan struct{})}
	h.open(func(s store.Store) store.Store { f.Store = s; return f })
	first := make(chan error)
	go func() {
		_, err := h.do(newUser(t, "ann"))
		first <- err
	}()
	for h.Stats().Commands == 0 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond) // the writer has begun
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := h.Do(soon, "system", newUser(t, "ben"))
	close(f.block)
	if kindOf(err) != 0 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller is told %v", err)
	}
	if err := <-first; err != nil {
		t.Error(err)
	}
	h.must(newUser(t, "cem"))
	if _, err := h.Image().LiveUser("ben@test.example"); err == nil {
		t.Error("it was done all the same")
	}
}

// another opens the house's store a second time, like another program.
func (h *house) another() *engine.Tenant {
	h.tb.Helper()
	all, err := engine.Open(h.tb.Context(), h.store, engine.Options{Log: h.log, NewID: uuid.New})
	if err != nil {
		h.tb.Fatal(err)
	}
	h.tb.Cleanup(func() { _ = all.Close(context.Background()) })
	t, err := all.Tenant(h.tb.Context(), h.ID())
	if err != nil {
		h.tb.Fatal(err)
	}
	return t
}

// Two writers of one tenant decide on each other's changes: no seat and no name is given twice, and
// both have the same state in the end.
func TestTwoWritersOfOneTenantAgree(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	const seats, users = 20, 40
	h.must(tenant.CreateSubscription{SKUID: e3, TotalLicenses: seats})
	nodes := []*engine.Tenant{h.Tenant, h.another()}
	var given, taken atomic.Int64
	var all sync.WaitGroup
	for n, node := range nodes {
		for i := range users {
			all.Go(func() {
				if _, err := node.Do(t.Context(), "system", newUser(t, fmt.Sprint("both", i))); err == nil {
					taken.Add(1)
				} else if kindOf(err) != tenant.ProblemTaken {
					t.Error(err)
				}
				done, err := node.Do(t.Context(), "system", newUser(t, fmt.Sprintf("user%d-%d", n, i)))
				if err != nil {
					t.Error(err)
					return
				}
				assign := tenant.AssignUser{User: done.Ordinal, Add: []licensing.Assign{{SKUID: e3}}}
				_, err = node.Do(t.Context(), "system", assign)
				if err == nil {
					given.Add(1)
				} else if !isRefused(err) {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if given.Load() != seats || taken.Load() != users {
		t.Errorf("%d of %d seats were given, and %d of %d names", given.Load(), seats, taken.Load(), users)
	}
	for i, node := range nodes { // the one with the older image catches up
		if _, err := node.Do(t.Context(), "system", newUser(t, fmt.Sprint("last", i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := nodes[0].Do(t.Context(), "system", newUser(t, "end")); err != nil {
		t.Fatal(err)
	}
	now := content(t, nodes[0].Image())
	if third := h.another(); content(t, third.Image()) != now {
		t.Error("a third one reads another tenant from the log")
	}
}

func isRefused(err error) bool {
	var refusal *licensing.RefusalError
	return errors.As(err, &refusal)
}

// A log that has lost its end, and has continued differently, is read again.
func TestALogThatTookAnotherWayIsReadAnew(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	h.must(newUser(t, "both"))
	h.close()
	data, err := os.ReadFile(h.path)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := &house{tb: t, path: filepath.Join(t.TempDir(), "licensor.db")}
	if err := os.WriteFile(elsewhere.path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	elsewhere.open(nil)
	t.Cleanup(elsewhere.close)
	for _, name := range []string{"there1", "there2", "there3"} {
		elsewhere.must(newUser(t, name))
	}
	s := new(switched)
	h.open(func(first store.Store) store.Store {
		t.Cleanup(func() { _ = first.Close() })
		s.Store = first
		return s
	})
	h.must(newUser(t, "here"))
	s.Store = elsewhere.store
	done := h.must(newUser(t, "last"))
	for name, there := range map[string]bool{"both": true, "here": false, "there1": true, "there3": true, "last": true} {
		if _, err := done.Image.LiveUser(name + "@test.example"); (err == nil) != there {
			t.Errorf("looking for %s answers %v", name, err)
		}
	}
}

// switched is a store that can be replaced by another.
type switched struct{ store.Store }

// Close does nothing, since the owner of the store closes it.
func (*switched) Close() error { return nil }

// Commits that were changed or removed in the log are detected when it is read, even if each row
// has a valid checksum.
func TestAChangedLogIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c *store.Commit) bool{
		"another author": func(c *store.Commit) bool { c.Actor = "somebody"; return true },
		"another time":   func(c *store.Commit) bool { c.At = c.At.Add(time.Millisecond); return true },
		"another chain":  func(c *store.Commit) bool { c.Chain[0]++; return true },
		"no last commit": func(*store.Commit) bool { return false },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 1<<30)
			h.must(newUser(t, "ann"))
			last := h.must(newUser(t, "ben")).Image.Seq
			h.close()
			s, err := sqlite.Open(t.Context(), h.path)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			all, err := engine.Open(t.Context(), &retold{s, last, change}, engine.Options{Log: h.log})
			if err != nil {
				t.Fatal(err)
			}
			defer all.Close(context.Background())
			if _, err := all.Tenant(t.Context(), h.ID()); !errors.Is(err, store.ErrDamaged) {
				t.Errorf("loading it answers %v, want ErrDamaged", err)
			}
		})
	}
}

// retold is a store that returns another history.
type retold struct {
	store.Store
	seq    uint64
	change func(*store.Commit) bool // false: the commit does not exist
}

func (r *retold) Commits(ctx context.Context, id uuid.UUID, after uint64, yield func(store.Commit) error) error {
	return r.Store.Commits(ctx, id, after, func(c store.Commit) error {
		if c.Seq == r.seq && !r.change(&c) {
			return nil
		}
		return yield(c)
	})
}

// Over a connection that fails in every way, acknowledged changes are there, refused ones are not,
// and callers that were told that the outcome is unknown can find out.
func TestNothingAcknowledgedIsLostOnABadLine(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<12)
	line := h.unreliable()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var mu sync.Mutex
	line.Decide(func(operation string) storetest.Outcome {
		mu.Lock()
		defer mu.Unlock()
		if operation != "Append" {
			return storetest.Outcome(max(0, random.IntN(4)-2)) // every fourth fails
		}
		return storetest.Outcome(max(0, random.IntN(8)-3))
	})
	const callers, each = 4, 60
	said := make([][]error, callers)
	var all sync.WaitGroup
	for n := range callers {
		all.Go(func() {
			for i := range each {
				_, err := h.Do(t.Context(), "system", newUser(t, fmt.Sprintf("u%d-%d", n, i)))
				said[n] = append(said[n], err)
			}
		})
	}
	all.Wait()
	for _, wrong := range line.Wrong() {
		t.Error(wrong)
	}
	line.Decide(func(string) storetest.Outcome { return storetest.OutcomeWorks })
	now := content(t, h.Image())
	h.reopen()
	if content(t, h.Image()) != now {
		t.Error("after a restart the tenant is another one")
	}
	acknowledged := 0
	for n := range said {
		for i, err := range said[n] {
			_, missing := h.Image().LiveUser(fmt.Sprintf("u%d-%d@test.example", n, i))
			switch {
			case err == nil && missing != nil:
				t.Errorf("user %d of caller %d was acknowledged and is not there", i, n)
			case err != nil && kindOf(err) != tenant.ProblemUnknown && missing == nil:
				t.Errorf("user %d of caller %d was refused with %v and is there", i, n, err)
			case err == nil:
				acknowledged++
			}
		}
	}
	if acknowledged == 0 || acknowledged == callers*each {
		t.Errorf("%d of %d were acknowledged, which proves nothing", acknowledged, callers*each)
	}
}
