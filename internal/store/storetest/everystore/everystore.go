// Package everystore opens stores of all kinds, for tests of what must work with each. It is apart
// from package storetest, which the tests of the stores use themselves.
//
//	func TestMain(m *testing.M) { everystore.Main(m) }
//
//	for name, open := range everystore.Kinds {
//		s := open(t)
//		…
//	}
package everystore

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/store/postgres"
	"licensor/internal/store/postgres/postgrestest"
	"licensor/internal/store/sqlite"
	"licensor/internal/store/storetest"
)

// Main runs the tests of a package that opens stores, and ends the PostgreSQL server. It fails if
// goroutines are left.
func Main(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		postgrestest.Close()
		os.Exit(code)
	}), goleak.IgnoreAnyFunction("licensor/internal/store/postgres/postgrestest.run.func1"))
}

// Kinds open an empty store of each kind, which is closed with the test.
var Kinds = map[string]func(tb testing.TB) store.Store{
	"memory": func(testing.TB) store.Store { return memory.New().Open() },
	"sqlite": func(tb testing.TB) store.Store {
		tb.Helper()
		s, err := sqlite.Open(tb.Context(), filepath.Join(tb.TempDir(), "x.db"))
		return opened(tb, s, err)
	},
	"postgres": func(tb testing.TB) store.Store {
		tb.Helper()
		s, err := postgres.Open(tb.Context(), postgrestest.Database(tb), postgres.Options{})
		return opened(tb, s, err)
	},
}

func opened(tb testing.TB, s store.Store, err error) store.Store {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// Noon is when snapshots are saved.
var Noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// Written adds a tenant with so many commits.
func Written(tb testing.TB, s store.Store, a storetest.Author, many int) uuid.UUID {
	tb.Helper()
	id := uuid.New()
	if err := s.CreateTenant(tb.Context(), id); err != nil {
		tb.Fatal(err)
	}
	if _, err := a.Write(tb.Context(), s, id, many); err != nil {
		tb.Fatal(err)
	}
	return id
}

// Snapshot saves a snapshot of a commit, which names a part twice, and trims the log up to it.
func Snapshot(tb testing.TB, s store.Store, tenant uuid.UUID, seq uint64, head string) {
	tb.Helper()
	ctx := tb.Context()
	parts := []store.Part{store.NewPart("head", []byte(head)), store.NewPart("users", []byte("some users"))}
	if err := s.SaveParts(ctx, tenant, parts, Noon); err != nil {
		tb.Fatal(err)
	}
	m := store.Manifest{Name: store.NewestManifest, Seq: seq, Head: parts[0].Name}
	m.Parts = []string{parts[1].Name, parts[1].Name}
	list, err := s.Manifests(ctx, tenant)
	if err != nil {
		tb.Fatal(err)
	}
	if len(list) > 0 {
		m.Version = list[0].Version
	}
	if err := s.ReplaceManifest(ctx, tenant, m, Noon); err != nil {
		tb.Fatal(err)
	}
	if _, err := s.TrimLog(ctx, tenant, seq+1); err != nil {
		tb.Fatal(err)
	}
}

// WantError fails unless the error has certain texts.
func WantError(tb testing.TB, err error, saying ...string) {
	tb.Helper()
	if err == nil {
		tb.Fatalf("no error, want one that says %q", saying)
	}
	for _, part := range saying {
		if !strings.Contains(err.Error(), part) {
			tb.Errorf("the error is %q, and does not say %q", err, part)
		}
	}
}
