package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"licensor/internal/directory/column"
	"licensor/internal/engine"
	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/store/sqlite"
)

// TestManyTenantsComeAndGo: snapshots, trimming, loading, reading what was, and unloading happen at
// once to ten times as many tenants as fit into memory. LICENSOR_SOAK says for how long, such as
// 10m, with 10,000 tenants on a file of SQLite.
func TestManyTenantsComeAndGo(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	tenants, lasts := 2_000, 10*time.Second
	var world store.Store = memory.New().Open()
	if text := os.Getenv("LICENSOR_SOAK"); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatalf("LICENSOR_SOAK must be a duration: %v", err)
		}
		tenants = 10_000
		file, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "soak.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		world = file
	}
	s := &soak{budget: int64(tenants) / 10 * 100 << 10}
	s.begun, s.done = make([]atomic.Int64, tenants), make([]atomic.Int64, tenants)
	s.estate = newEstate(t, world, tenants, s.budget)
	until := time.Now().Add(lasts)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for time.Now().Before(until) && !t.Failed() {
				s.step(rand.IntN(tenants))
			}
		})
	}
	all.Wait()
	stats := s.LoadStats()
	t.Logf("%d users, %d earlier states, %d commits removed, %+v", s.added.Load(), s.earlier.Load(), s.removed.Load(), stats)
	if stats.Drops == 0 || s.added.Load() == 0 || s.earlier.Load() == 0 || s.removed.Load() == 0 {
		t.Error("something has not happened")
	}
	s.close()
	var err error
	e := &estate{tb: t}
	if e.Tenants, err = engine.Open(t.Context(), world, engine.Options{Memory: s.budget}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	for n, id := range s.ids {
		if users := int64(e.image(id).Directory.Users()); users != s.done[n].Load() {
			t.Errorf("tenant %d has %d users after a restart, want %d", n, users, s.done[n].Load())
		}
	}
}

// soak is an estate under load, with the users that were added to each tenant, or are being added.
type soak struct {
	*estate
	budget                  int64
	begun, done             []atomic.Int64
	added, earlier, removed atomic.Int64
}

// step does something to a tenant.
func (s *soak) step(n int) {
	id := s.ids[n]
	switch kind := rand.IntN(100); {
	case kind < 40:
		name := fmt.Sprint("u", s.begun[n].Add(1))
		if err := s.add(id, name); err != nil {
			s.tb.Errorf("add %s to tenant %d: %v", name, n, err)
			return
		}
		s.done[n].Add(1)
		s.added.Add(1)
	case kind < 80:
		s.look(n)
	case kind < 90:
		trimmed, err := s.Trim(s.tb.Context(), id, engine.Trimming{Keep: 8 * day})
		if err != nil {
			s.tb.Errorf("trim tenant %d: %v", n, err)
		}
		s.removed.Add(int64(trimmed.Commits))
	case kind < 97:
		if stats := s.LoadStats(); stats.Bytes > s.budget/20*21 { // what a tenant takes is known once it is loaded
			s.tb.Errorf("%d bytes are loaded, and %d may be", stats.Bytes, s.budget)
		}
	default:
		s.pass(day / 2)
	}
}

// look compares the users of a tenant, now and earlier, with those that were added.
func (s *soak) look(n int) {
	least := s.done[n].Load()
	one, err := s.Tenant(s.tb.Context(), s.ids[n])
	if err != nil {
		s.tb.Errorf("load tenant %d: %v", n, err)
		return
	}
	defer one.Release()
	img := one.Image()
	if users := int64(img.Directory.Users()); users < least || users > s.begun[n].Load() {
		s.tb.Errorf("tenant %d has %d users, want %d to %d", n, users, least, s.begun[n].Load())
	}
	at := img.At.Add(-time.Duration(rand.Int64N(int64(12 * day)))).Truncate(time.Second)
	at = at.Add(time.Second - time.Millisecond) // commits of the same second may be milliseconds apart
	was, release, err := one.ImageAt(context.Background(), at)
	if kept := new(engine.NotKeptError); errors.As(err, &kept) {
		return
	}
	if err != nil {
		s.tb.Errorf("read tenant %d as of %s: %v", n, at, err)
		return
	}
	defer release()
	s.earlier.Add(1)
	table := img.Directory.UserColumns()
	created := slices.IndexFunc(table.Schema().Columns, func(c column.Column) bool { return c.Name == "createdDateTime" })
	for user := range img.Directory.Users() {
		from := column.AsTime(table.Time(user, created))
		if !from.After(at) != (user < was.Directory.Users()) {
			s.tb.Errorf("tenant %d had %d users at %s, but user %d is from %s", n, was.Directory.Users(), at, user, from)
		}
	}
}
