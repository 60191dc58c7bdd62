package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/engine"
	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/tenant"
)

const day = 24 * time.Hour

// trimmedEstate is an estate of one tenant, to which a user was added on each of some days.
func trimmedEstate(t *testing.T, s store.Store, days int) (e *estate, id uuid.UUID) {
	t.Helper()
	e = newEstate(t, s, 1, 0)
	id = e.ids[0]
	for i := range days {
		e.pass(day)
		if err := e.add(id, fmt.Sprint("u", i)); err != nil {
			t.Fatal(err)
		}
	}
	return e, id
}

func (e *estate) pass(d time.Duration) { e.clock.Add(int64(d / time.Second)) }

func (e *estate) trim(id uuid.UUID, what engine.Trimming) engine.Trimmed {
	e.tb.Helper()
	done, err := e.Trim(e.tb.Context(), id, what)
	if err != nil {
		e.tb.Fatal(err)
	}
	return done
}

// firstCommit returns the oldest commit in the log.
func firstCommit(t *testing.T, s store.Store, id uuid.UUID) uint64 {
	t.Helper()
	floors, err := s.Floors(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return max(floors.Log, 1)
}

// TestALogIsTrimmed: what is old goes, and after a restart the tenant is what it was.
func TestALogIsTrimmed(t *testing.T) {
	t.Parallel()
	world := memory.New()
	s := world.Open()
	e, id := trimmedEstate(t, s, 30)
	last := e.image(id).Seq
	dry := e.trim(id, engine.Trimming{Keep: 10*day + time.Hour, Load: true, Dry: true})
	if first := firstCommit(t, s, id); first != 1 || dry.Commits == 0 {
		t.Fatalf("trying has removed what is before %d, and would remove %d", first, dry.Commits)
	}
	done := e.trim(id, engine.Trimming{Keep: 10*day + time.Hour, Load: true})
	if done != dry || done.Kept != last-10 || !done.Since.Equal(time.Unix(e.clock.Load(), 0).Add(-10*day)) {
		t.Errorf("trimmed %+v, tried %+v, and %d was last", done, dry, last)
	}
	if first := firstCommit(t, s, id); first != done.Kept {
		t.Errorf("the log begins at %d, want %d", first, done.Kept)
	}
	if again := e.trim(id, engine.Trimming{Keep: 10*day + time.Hour}); again.Commits != 0 {
		t.Errorf("a second time removes %+v", again)
	}
	before := e.image(id)
	e.close()
	e = newEstate(t, world.Open(), 0, 0)
	if after := e.image(id); after.Seq != before.Seq || after.Chain != before.Chain || after.Directory.Users() != 30 {
		t.Errorf("after a restart there are %d users at %d", after.Directory.Users(), after.Seq)
	}
	if err := e.add(id, "another"); err != nil {
		t.Error(err)
	}
}

func (e *estate) image(id uuid.UUID) *tenant.Image {
	e.tb.Helper()
	t, err := e.Tenant(e.tb.Context(), id)
	if err != nil {
		e.tb.Fatal(err)
	}
	defer t.Release()
	return t.Image()
}

// TestNothingIsTrimmedThatNoSnapshotHas, unless the tenant may be loaded for one, or is.
func TestNothingIsTrimmedThatNoSnapshotHas(t *testing.T) {
	t.Parallel()
	world := memory.New()
	e, id := trimmedEstate(t, world.Open(), 5)
	e.close()
	s := world.Open()
	list, err := s.Manifests(t.Context(), id)
	for _, m := range list {
		err = errors.Join(err, s.DropManifest(t.Context(), id, m.Name, time.Now()))
	}
	if err != nil {
		t.Fatal(err)
	}
	e = newEstate(t, s, 0, 0)
	e.clock.Add(int64(100 * day / time.Second))
	if done := e.trim(id, engine.Trimming{Keep: day}); done.Commits != 0 {
		t.Errorf("without a snapshot %+v were removed", done)
	}
	e.image(id)
	if done := e.trim(id, engine.Trimming{Keep: day}); done.Commits == 0 || !done.Since.IsZero() {
		t.Errorf("of a loaded tenant %+v were removed", done)
	}
	if end, err := s.Place(t.Context(), id); err != nil || firstCommit(t, s, id) != end.Seq+1 {
		t.Errorf("the log begins at %d, %v, want one after %d", firstCommit(t, s, id), err, end.Seq)
	}
	if err := e.add(id, "another"); err != nil {
		t.Error(err)
	}
	if done := e.trim(id, engine.Trimming{}); done.Commits != 0 {
		t.Errorf("when all is kept, %+v were removed", done)
	}
}

// TestChangesFromBeforeTheLogAreForgotten, and those from farther back than is worth reading.
func TestChangesFromBeforeTheLogAreForgotten(t *testing.T) {
	t.Parallel()
	e, id := trimmedEstate(t, memory.New().Open(), 10)
	one, err := e.Tenant(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Release()
	done := e.trim(id, engine.Trimming{Keep: 5*day + time.Hour})
	last := one.Image().Seq
	if _, err := one.Changes(t.Context(), done.Kept-2, last); !errors.Is(err, engine.ErrForgotten) {
		t.Errorf("changes from before the log: %v", err)
	}
	c, err := one.Changes(t.Context(), done.Kept-1, last)
	if err != nil || c.Users.Touched(nil).GetCardinality() != last-done.Kept+1 {
		t.Errorf("changes of all the log: %v", err)
	}
}

// TestTheArchiveHasWhatTheLogNoLongerHas: whole days, each once.
func TestTheArchiveHasWhatTheLogNoLongerHas(t *testing.T) {
	t.Parallel()
	s := memory.New().Open()
	e := newEstate(t, s, 1, 0)
	id := e.ids[0]
	for i := range 40 { // several on most days
		e.pass(7 * time.Hour)
		if err := e.add(id, fmt.Sprint("u", i)); err != nil {
			t.Fatal(err)
		}
	}
	all := commitsOf(t, s, id, 0)
	kept := shelf{}
	e.trim(id, engine.Trimming{Keep: 6 * day, Archive: kept})
	e.pass(3 * day)
	e.trim(id, engine.Trimming{Keep: 6 * day, Archive: kept})
	var seqs []uint64
	for name, commits := range kept {
		for _, c := range commits {
			if c.At.Format(time.DateOnly) != name {
				t.Errorf("commit %d of %s is kept with %s", c.Seq, c.At, name)
			}
			seqs = append(seqs, c.Seq)
		}
	}
	slices.Sort(seqs)
	first := firstCommit(t, s, id)
	if uint64(len(seqs)) != first-1 || len(seqs) < 10 {
		t.Fatalf("%d commits are kept, and the log begins at %d", len(seqs), first)
	}
	for i, seq := range seqs {
		if seq != uint64(i+1) {
			t.Fatalf("commits %v are kept", seqs)
		}
	}
	if c := all[first-1]; c.At.Add(-7*time.Hour).Format(time.DateOnly) == c.At.Format(time.DateOnly) {
		t.Errorf("the first that is left, of %s, is not the first of its day", c.At)
	}
}

// shelf is an archive by day.
type shelf map[string][]store.Commit

func (s shelf) Keep(
	_ context.Context, _ uuid.UUID, of time.Time, first, last uint64, read func(func(store.Commit) error) error,
) error {
	name := of.Format(time.DateOnly)
	if s[name] != nil {
		return errors.New("it is kept already")
	}
	err := read(func(c store.Commit) error {
		s[name] = append(s[name], c)
		return nil
	})
	if got := s[name]; err == nil && (got[0].Seq != first || got[len(got)-1].Seq != last) {
		err = fmt.Errorf("it was said to have %d to %d, and has %d to %d", first, last, got[0].Seq, got[len(got)-1].Seq)
	}
	return err
}

func commitsOf(t *testing.T, s store.Store, id uuid.UUID, after uint64) (list []store.Commit) {
	t.Helper()
	err := s.Commits(t.Context(), id, after, func(c store.Commit) error {
		list = append(list, c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestManyTrimAndLoadAtOnce: several processes take snapshots of a tenant, trim its log and load it
// at once. No load fails.
func TestManyTrimAndLoadAtOnce(t *testing.T) {
	t.Parallel()
	world := memory.New()
	writer, id := trimmedEstate(t, world.Open(), 3)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 8 {
				other, err := engine.Open(t.Context(), world.Open(), engine.Options{Now: func() time.Time {
					return time.Unix(writer.clock.Load(), 0)
				}})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := other.Trim(t.Context(), id, engine.Trimming{Keep: time.Minute, Load: true}); err != nil {
					t.Error(err)
				}
				if one, err := other.Tenant(t.Context(), id); err != nil {
					t.Error(err)
				} else {
					one.Release()
				}
				if err := other.Close(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 60 {
		writer.pass(day)
		if err := writer.add(id, fmt.Sprint("more", i)); err != nil {
			t.Error(err)
		}
	}
	all.Wait()
	if users := writer.image(id).Directory.Users(); users != 63 {
		t.Errorf("there are %d users", users)
	}
}

// overtaken is a store in which another process does something before each read, times times.
type overtaken struct {
	store.Store
	mu      sync.Mutex // parts are read concurrently
	times   int
	between func()
}

func (o *overtaken) overtake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.times > 0 {
		o.times--
		o.between()
	}
}

func (o *overtaken) Commits(ctx context.Context, id uuid.UUID, after uint64, yield func(store.Commit) error) error {
	o.overtake()
	return o.Store.Commits(ctx, id, after, yield)
}

func (o *overtaken) Parts(ctx context.Context, id uuid.UUID, names []string) ([]store.Part, error) {
	o.overtake()
	return o.Store.Parts(ctx, id, names)
}

// TestALoadIsOvertakenAgainAndAgain: however often another process replaces the snapshot, sweeps
// its parts and trims the log while a tenant is loaded, loading succeeds in the end.
func TestALoadIsOvertakenAgainAndAgain(t *testing.T) {
	t.Parallel()
	world := memory.New()
	writer, id := trimmedEstate(t, world.Open(), 3)
	what := engine.Trimming{Keep: time.Minute, Load: true}
	writer.trim(id, what)
	users := 3 // and two more each time
	o := &overtaken{Store: world.Open(), times: 20}
	o.between = func() {
		for range 2 {
			writer.pass(day)
			users++
			if err := writer.add(id, fmt.Sprint("u", users)); err != nil {
				t.Error(err)
			}
		}
		if _, err := writer.Trim(t.Context(), id, what); err != nil {
			t.Error(err)
		}
	}
	reader := newEstate(t, o, 0, 0)
	if got := reader.image(id).Directory.Users(); got != 43 || o.times != 0 {
		t.Errorf("%d users are loaded, want 43; it was not overtaken %d times", got, o.times)
	}
}

// paused is a store that calls between before it reads commits after the first pages.
type paused struct {
	store.Store
	after   uint64
	between func()
}

func (p *paused) Commits(ctx context.Context, id uuid.UUID, after uint64, yield func(store.Commit) error) error {
	if after >= p.after && p.between != nil {
		between := p.between
		p.between = nil
		between()
	}
	return p.Store.Commits(ctx, id, after, yield)
}

// TestALogIsNotTrimmedWhileItIsRead by this process. When another process trims it, the reader is
// told that it must begin again, rather than that there were no changes.
func TestALogIsNotTrimmedWhileItIsRead(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]bool{"by this process": false, "by another process": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world := memory.New()
			p := &paused{Store: world.Open()}
			e := newEstate(t, p, 1, 0)
			id := e.ids[0]
			for i := range 600 { // more than are read at once
				e.pass(time.Hour)
				if err := e.add(id, fmt.Sprint("u", i)); err != nil {
					t.Fatal(err)
				}
			}
			trimmed := e
			if other {
				trimmed = newEstate(t, world.Open(), 0, 0)
				trimmed.clock.Store(e.clock.Load())
			}
			what := engine.Trimming{Keep: time.Hour, Load: true}
			var during engine.Trimmed
			p.between, p.after = func() { during = trimmed.trim(id, what) }, 200
			live, err := e.Tenant(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			defer live.Release()
			last := live.Image().Seq
			changes, err := live.Changes(t.Context(), 10, last)
			if other {
				if !errors.Is(err, engine.ErrForgotten) || during.Commits == 0 {
					t.Errorf("overtaken by %+v, a reader gets %v", during, err)
				}
				return
			}
			if err != nil || len(changes.Users.Touched(nil).ToArray()) < 500 {
				t.Fatalf("the reader gets %v", err)
			}
			if during.Kept < 200 || during.Kept > 300 {
				t.Errorf("meanwhile the log was trimmed below %d, and the reader was at about 256", during.Kept)
			}
			if after := e.trim(id, what); after.Kept < last-2 {
				t.Errorf("afterwards the log was trimmed below %d only; %d is the last", after.Kept, last)
			}
		})
	}
}
