package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/store/storetest"
)

// Files that are deleted, replaced or truncated while the program runs are detected before anything
// more is acknowledged.
func TestNothingIsAcknowledgedIntoFilesThatAreGone(t *testing.T) {
	t.Parallel()
	replace := func(name string) error {
		data, err := os.ReadFile(name)
		if err == nil {
			err = os.Remove(name)
		}
		if err == nil {
			err = os.WriteFile(name, data, 0o600)
		}
		return err
	}
	for name, harm := range map[string]func(path string) error{
		"database deleted":  os.Remove,
		"database renamed":  func(path string) error { return os.Rename(path, path+".old") },
		"database replaced": replace,
		"database cut":      func(path string) error { return os.Truncate(path, 8192) },
		"log deleted":       func(path string) error { return os.Remove(path + "-wal") },
		"log replaced":      func(path string) error { return replace(path + "-wal") },
		"log cut":           func(path string) error { return os.Truncate(path+"-wal", 4096) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openWithTenant(t, filepath.Join(t.TempDir(), "x.db"))
			commits := []store.Commit{commitWith(1, "effects")}
			if err := storetest.Append(t.Context(), s, firstTenant, commits, nil); err != nil {
				t.Fatal(err)
			}
			if err := s.Intact(); err != nil {
				t.Fatal(err)
			}
			if err := harm(s.path); err != nil {
				t.Fatal(err)
			}
			for what, err := range map[string]error{
				"a look":  s.Intact(),
				"a write": storetest.Append(t.Context(), s, firstTenant, []store.Commit{commitWith(2, "effects")}, nil),
				"a ping":  s.Ping(t.Context()),
			} {
				if !errors.Is(err, store.ErrUnavailable) {
					t.Errorf("%s answers %v, want ErrUnavailable", what, err)
				}
			}
		})
	}
}

// Reads of data that was cut away fail for the same reason as writes: the file is not permanently
// damaged.
func TestReadsOfADatabaseThatWasCutSaySo(t *testing.T) {
	t.Parallel()
	s := openWithTenant(t, filepath.Join(t.TempDir(), "x.db"))
	var rows []store.Object
	for n := range uint32(3000) {
		rows = append(rows, store.Object{
			Kind: store.KindUser, ID: uuid.New(), Ordinal: n,
			Document: []byte(`{"id":"` + strings.Repeat("x", 500) + `"}`),
		})
	}
	err := storetest.Append(t.Context(), s, firstTenant, []store.Commit{commitWith(1, "effects")}, rows)
	if err := errors.Join(err, s.emptyLog(t.Context()), s.Intact(), os.Truncate(s.path, 8192)); err != nil {
		t.Fatal(err)
	}
	failed := false
	for _, row := range rows {
		query := store.Query{Kind: store.KindUser, Ordinals: []uint32{row.Ordinal}}
		if _, err := s.Objects(t.Context(), firstTenant, query); err != nil {
			if failed = true; !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrDamaged) {
				t.Fatalf("answers %v, want ErrUnavailable", err)
			}
		}
	}
	if !failed {
		t.Error("everything could be read")
	}
}

func TestADatabaseThatIsPutBackGoesOn(t *testing.T) {
	t.Parallel()
	s := openWithTenant(t, filepath.Join(t.TempDir(), "x.db"))
	if err := os.Rename(s.path, s.path+".away"); err != nil {
		t.Fatal(err)
	}
	err := storetest.Append(t.Context(), s, firstTenant, []store.Commit{commitWith(1, "effects")}, nil)
	if !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("answers %v", err)
	}
	if err := os.Rename(s.path+".away", s.path); err != nil {
		t.Fatal(err)
	}
	if err := storetest.Append(t.Context(), s, firstTenant, []store.Commit{commitWith(1, "effects")}, nil); err != nil {
		t.Fatal(err)
	}
}

// Truncating the log, as replacing a secret does, is done by the program itself.
func TestReplacingASecretIsNoHarm(t *testing.T) {
	t.Parallel()
	s := openWithTenant(t, filepath.Join(t.TempDir(), "x.db"))
	for range 3 {
		err := s.ReplaceSecret(t.Context(), "key", func([]byte) ([]byte, error) { return []byte("value"), nil })
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
