package storetest_test

import (
	"path/filepath"
	"testing"

	"licensor/internal/store"
	"licensor/internal/store/sqlite"
	"licensor/internal/store/storetest"
)

// A new store passes the suite in a test of its own package, with this body. Each test of the suite
// asks for a place and opens the store there, once or several times.
func ExampleRun() {
	test := func(t *testing.T) { // func TestStore(t *testing.T)
		t.Parallel()
		storetest.Run(t, storetest.Stores{New: func(t *testing.T) storetest.Place {
			path := filepath.Join(t.TempDir(), "licensor.db")
			return func(t *testing.T) store.Store {
				s, err := sqlite.Open(t.Context(), path)
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
		}})
	}
	_ = test
}
