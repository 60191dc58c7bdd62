package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/engine"
	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/tenant"
)

// estate is many tenants in one world of a store.
type estate struct {
	*engine.Tenants
	tb    testing.TB
	ids   []uuid.UUID
	clock atomic.Int64
	log   *bytes.Buffer // of the tenants; read it after they are closed
}

// newEstate opens a store with a number of tenants, of which so many bytes may be loaded.
func newEstate(tb testing.TB, s store.Store, tenants int, budget int64) *estate {
	tb.Helper()
	e := &estate{tb: tb, log: new(bytes.Buffer)}
	e.clock.Store(1_800_000_000)
	var err error
	e.Tenants, err = engine.Open(tb.Context(), s, engine.Options{
		Now: func() time.Time { return time.Unix(e.clock.Load(), 0) }, NewID: uuid.New, Memory: budget,
		Log: slog.New(slog.NewTextHandler(e.log, nil)),
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(e.close)
	for i := range tenants {
		id := uuid.UUID{5, byte(i >> 8), byte(i)}
		t, err := e.Create(tb.Context(), id, organization(fmt.Sprintf("t%d.example", i)), catalog.BuiltIn())
		if err != nil {
			tb.Fatal(err)
		}
		t.Release()
		e.ids = append(e.ids, id)
	}
	return e
}

func (e *estate) close() {
	if e.Tenants != nil {
		if err := e.Close(context.Background()); err != nil {
			e.tb.Error(err)
		}
		e.Tenants = nil
	}
}

// add adds a user to a tenant.
func (e *estate) add(id uuid.UUID, name string) error {
	t, err := e.Tenant(e.tb.Context(), id)
	if err != nil {
		return err
	}
	defer t.Release()
	patch := userPatch(e.tb, `{"accountEnabled":true,"displayName":%[1]q,"mailNickname":%[1]q,"userPrincipalName":"%[1]s@%[2]s",`+
		`"passwordProfile":{"password":"Secret-123"}}`, name, t.Image().Organization.DefaultDomain())
	_, err = t.Do(e.tb.Context(), "test", tenant.CreateUser{Patch: patch})
	return err
}

// Many more tenants than fit into memory are used at once, and each keeps its changes: tenants in
// use are not dropped, and the budget is kept.
func TestTenantsTakeTurnsInMemory(t *testing.T) {
	t.Parallel()
	const tenants, budget, callers, each = 60, 8 * 100 << 10, 8, 60
	e := newEstate(t, memory.New().Open(), tenants, budget)
	var done [tenants]atomic.Int64
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for i := range each {
				n := (caller*31 + i*17) % tenants
				if err := e.add(e.ids[n], fmt.Sprintf("u%d-%d", caller, i)); err != nil {
					t.Error(err)
				}
				done[n].Add(1)
				if stats := e.LoadStats(); stats.Bytes > budget {
					t.Errorf("%d bytes are loaded, and %d may be", stats.Bytes, budget)
				}
			}
		})
	}
	all.Wait()
	if stats := e.LoadStats(); stats.Drops == 0 || stats.Loads <= tenants || stats.Loaded == 0 {
		t.Errorf("the tenants have not taken turns: %+v", stats)
	}
	for n, id := range e.ids {
		one, err := e.Tenant(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if users := one.Image().Directory.Users(); int64(users) != done[n].Load() {
			t.Errorf("tenant %d has %d users, want %d", n, users, done[n].Load())
		}
		one.Release()
	}
}

// A tenant in use is not dropped. Another one waits, and is refused after a while.
func TestATenantInUseIsNotDropped(t *testing.T) {
	t.Parallel()
	e := newEstate(t, memory.New().Open(), 3, 150<<10) // for one
	first, err := e.Tenant(t.Context(), e.ids[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Tenant(t.Context(), e.ids[1]); !isUnavailable(err, "no memory for another tenant now") {
		t.Errorf("while it is used, another one answers %v", err)
	}
	waits, given := make(chan error, 1), time.Now()
	go func() {
		second, err := e.Tenant(context.Background(), e.ids[2])
		if err == nil {
			second.Release()
		}
		waits <- err
	}()
	time.Sleep(10 * time.Millisecond)
	if again, err := e.Tenant(t.Context(), e.ids[0]); err != nil || again != first {
		t.Errorf("the one that is in use is loaded again: %v", err)
	} else {
		again.Release()
	}
	first.Release()
	if err := <-waits; err != nil {
		t.Errorf("after %s, the other one answers %v", time.Since(given), err)
	}
}

func isUnavailable(err error, saying string) bool {
	problem, ok := errors.AsType[*tenant.CommandError](err)
	return ok && problem.Kind == tenant.ProblemUnavailable && strings.Contains(problem.Message, saying)
}

// A tenant that needs more than the whole budget is refused, and the log says what it needs.
func TestATenantThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	world := memory.New()
	e := newEstate(t, world.Open(), 2, 0)
	for i := range 200 {
		if err := e.add(e.ids[0], fmt.Sprint("u", i)); err != nil {
			t.Fatal(err)
		}
	}
	e.close()
	small := newEstate(t, world.Open(), 0, 130<<10)
	if _, err := small.Tenant(t.Context(), e.ids[0]); !isUnavailable(err, "more memory than the server may use") {
		t.Errorf("loading it answers %v", err)
	}
	other, err := small.Tenant(t.Context(), e.ids[1])
	if err != nil {
		t.Fatalf("another tenant answers %v", err)
	}
	other.Release()
	small.close()
	for _, want := range []string{"set --memory", e.ids[0].String(), "needs="} {
		if !strings.Contains(small.log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, small.log)
		}
	}
}

// held is a store in which reading one tenant blocks.
type held struct {
	store.Store
	tenant  uuid.UUID
	release chan struct{}
}

func (h *held) Manifests(ctx context.Context, id uuid.UUID) ([]store.Manifest, error) {
	if id == h.tenant {
		<-h.release
	}
	return h.Store.Manifests(ctx, id)
}

// While one tenant is loaded, others can be used. A caller waits for it no longer than its context
// allows.
func TestLoadingHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	world := memory.New()
	e := newEstate(t, world.Open(), 2, 0)
	e.close()
	slow := &held{world.Open(), e.ids[0], make(chan struct{})}
	again := newEstate(t, slow, 0, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := again.Tenant(ctx, e.ids[0]); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for it answers %v", err)
	}
	other, err := again.Tenant(t.Context(), e.ids[1])
	if err != nil {
		t.Fatalf("the other one answers %v", err)
	}
	other.Release()
	close(slow.release)
	one, err := again.Tenant(t.Context(), e.ids[0])
	if err != nil {
		t.Fatalf("at last it answers %v", err)
	}
	one.Release()
	if stats := again.LoadStats(); stats.Loads != 2 {
		t.Errorf("%d loads, want 2: who gave up has not ended what was begun", stats.Loads)
	}
}

// A name that was claimed without a commit is released after a while. One with a commit is not,
// even if its claim was never settled.
func TestAClaimWithoutItsCommitIsFreeAgain(t *testing.T) {
	t.Parallel()
	s := memory.New().Open()
	e := newEstate(t, s, 2, 0)
	now := time.Unix(e.clock.Load(), 0)
	if _, err := s.Settle(t.Context(), e.ids[1], nil, []string{"domain:t1.example"}); err != nil {
		t.Fatal(err)
	}
	others, err := s.Claim(t.Context(), e.ids[1], []string{"domain:wanted.example", "domain:t1.example"}, now)
	if err != nil || len(others) > 0 {
		t.Fatalf("claims of others are %v, %v", others, err)
	}
	create := func(n byte, domain string) error {
		made, err := e.Create(t.Context(), uuid.UUID{6, n}, organization(domain), catalog.BuiltIn())
		if err == nil {
			made.Release()
		}
		return err
	}
	if err := create(1, "wanted.example"); err == nil || !strings.Contains(err.Error(), "belongs to tenant") {
		t.Errorf("what another tenant has just claimed answers %v", err)
	}
	e.clock.Add(601)
	if err := create(2, "t1.example"); err == nil || !strings.Contains(err.Error(), "belongs to tenant") {
		t.Errorf("what another tenant has, and claimed long ago, answers %v", err)
	}
	if err := create(3, "wanted.example"); err != nil {
		t.Errorf("what another tenant has claimed long ago and does not have answers %v", err)
	}
}

// spoiled is a store in which one tenant cannot be read.
type spoiled struct {
	store.Store
	tenant uuid.UUID
	parts  func() ([]store.Part, error)
}

func (s *spoiled) Manifests(ctx context.Context, id uuid.UUID) ([]store.Manifest, error) {
	if id == s.tenant {
		return []store.Manifest{{Name: "newest", Version: 1, Head: "head"}}, nil
	}
	return s.Store.Manifests(ctx, id)
}

func (s *spoiled) Parts(ctx context.Context, id uuid.UUID, names []string) ([]store.Part, error) {
	if id == s.tenant {
		return s.parts()
	}
	return s.Store.Parts(ctx, id, names)
}

// A tenant that cannot be loaded returns an error other than that it does not exist, and other
// tenants can be used.
func TestATenantThatCannotBeLoadedHarmsNoOther(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		parts func() ([]store.Part, error)
		is    error
	}{
		"a part is missing":    {func() ([]store.Part, error) { return nil, store.ErrNotFound }, store.ErrDamaged},
		"a part is damaged":    {func() ([]store.Part, error) { return nil, store.ErrDamaged }, store.ErrDamaged},
		"a part is not a head": {func() ([]store.Part, error) { return []store.Part{{Name: "head", Data: []byte{1}}}, nil }, nil},
		"a panic":              {func() ([]store.Part, error) { panic("a fault") }, nil},
		"a panic while its turn lasts": {func() func() ([]store.Part, error) {
			var asked atomic.Int64
			return func() ([]store.Part, error) {
				if asked.Add(1)%2 == 0 { // the first call asks how much memory the tenant needs
					panic("a fault")
				}
				return nil, store.ErrNotFound
			}
		}(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world := memory.New()
			e := newEstate(t, world.Open(), 2, 0)
			e.close()
			again := newEstate(t, &spoiled{world.Open(), e.ids[0], test.parts}, 0, 0)
			for range 4 { // more than may be loaded at once
				_, err := again.Tenant(t.Context(), e.ids[0])
				if err == nil || errors.Is(err, store.ErrNotFound) || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("loading it answers %v", err)
				}
				other, err := again.Tenant(t.Context(), e.ids[1])
				if err != nil {
					t.Fatalf("the other one answers %v", err)
				}
				other.Release()
			}
		})
	}
}

// reading counts the reads of manifests and of heads of snapshots.
type reading struct {
	store.Store
	manifests, heads atomic.Int64
}

func (r *reading) Manifests(ctx context.Context, id uuid.UUID) ([]store.Manifest, error) {
	r.manifests.Add(1)
	return r.Store.Manifests(ctx, id)
}

func (r *reading) Parts(ctx context.Context, id uuid.UUID, names []string) ([]store.Part, error) {
	if len(names) == 1 && strings.HasPrefix(names[0], "head-") {
		r.heads.Add(1)
	}
	return r.Store.Parts(ctx, id, names)
}

// What says how much memory a tenant needs is read once, and used to load it.
func TestTheHeadOfASnapshotIsReadOnce(t *testing.T) {
	t.Parallel()
	world := memory.New()
	e, id := trimmedEstate(t, world.Open(), 3)
	e.trim(id, engine.Trimming{Keep: day, Load: true}) // takes a snapshot
	e.close()
	r := &reading{Store: world.Open()}
	again := newEstate(t, r, 0, 0)
	if n := again.image(id).Directory.Users(); n != 3 {
		t.Errorf("there are %d users", n)
	}
	if m, h := r.manifests.Load(), r.heads.Load(); m != 1 || h != 1 {
		t.Errorf("manifests were read %d times, heads %d times", m, h)
	}
}
