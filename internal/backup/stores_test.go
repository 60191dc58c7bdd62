package backup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

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

// written makes a tenant of so many commits.
func written(t *testing.T, s store.Store, a storetest.Author, many int) uuid.UUID {
	t.Helper()
	id := uuid.New()
	if err := s.CreateTenant(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Write(t.Context(), s, id, many); err != nil {
		t.Fatal(err)
	}
	return id
}

// trimmed trims the log of a tenant below a commit, as if there were a snapshot of that.
func trimmed(t *testing.T, s store.Store, tenant uuid.UUID, below uint64) {
	t.Helper()
	at := t.Context()
	parts := []store.Part{store.NewPart("head", []byte("the head")), store.NewPart("users", []byte("some users"))}
	if err := s.SaveParts(at, tenant, parts, noon); err != nil {
		t.Fatal(err)
	}
	m := store.Manifest{Name: store.NewestManifest, Seq: below - 1, Head: parts[0].Name}
	m.Parts = []string{parts[1].Name, parts[1].Name}
	if err := s.ReplaceManifest(at, tenant, m, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TrimLog(at, tenant, below); err != nil {
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
