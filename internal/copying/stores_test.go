package copying_test

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

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		postgrestest.Close()
		os.Exit(code)
	}), goleak.IgnoreAnyFunction("licensor/internal/store/postgres/postgrestest.run.func1"))
}

// stores open an empty store of each kind.
var stores = map[string]func(t *testing.T) store.Store{
	"memory": func(*testing.T) store.Store { return memory.New().Open() },
	"sqlite": func(t *testing.T) store.Store {
		t.Helper()
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
		return opened(t, s, err)
	},
	"postgres": func(t *testing.T) store.Store {
		t.Helper()
		s, err := postgres.Open(t.Context(), postgrestest.Database(t), postgres.Options{})
		return opened(t, s, err)
	},
}

func opened(t *testing.T, s store.Store, err error) store.Store {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// noon is when snapshots are saved.
var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// written makes a tenant of so many commits.
func written(t *testing.T, s store.Store, a storetest.Author, many int) uuid.UUID {
	t.Helper()
	id := uuid.New()
	if err := s.CreateTenant(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	write(t, s, a, id, many)
	return id
}

func write(t *testing.T, s store.Store, a storetest.Author, id uuid.UUID, many int) {
	t.Helper()
	if _, err := a.Write(t.Context(), s, id, many); err != nil {
		t.Fatal(err)
	}
}

// saved saves a snapshot of a commit, and trims the log below it.
func saved(t *testing.T, s store.Store, tenant uuid.UUID, seq uint64, data string) {
	t.Helper()
	parts := []store.Part{store.NewPart("head", []byte(data)), store.NewPart("users", []byte("some users"))}
	if err := s.SaveParts(t.Context(), tenant, parts, noon); err != nil {
		t.Fatal(err)
	}
	m := store.Manifest{Name: store.NewestManifest, Seq: seq, Head: parts[0].Name, Parts: []string{parts[1].Name}}
	list, err := s.Manifests(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) > 0 {
		m.Version = list[0].Version
	}
	if err := s.ReplaceManifest(t.Context(), tenant, m, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TrimLog(t.Context(), tenant, seq+1); err != nil {
		t.Fatal(err)
	}
}

func wantError(t testing.TB, err error, saying ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", saying)
	}
	for _, part := range saying {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error is %q, and does not say %q", err, part)
		}
	}
}
