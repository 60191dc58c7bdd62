package sqlite

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"licensor/internal/store"
	"licensor/internal/store/storetest"
)

// childEnv makes the test binary be another process that uses a store: see child.
const childEnv = "LICENSOR_SQLITE_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		child(path)
		return
	}
	goleak.VerifyTestMain(m)
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Stores{New: func(t *testing.T) storetest.Place {
		path := filepath.Join(t.TempDir(), "it's 100% #1?", "licensor.db")
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		return func(t *testing.T) store.Store { return open(t, path) }
	}})
}
