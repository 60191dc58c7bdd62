// Package storetest has the tests that each store must pass. The tests of a store say where to open
// one:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, storetest.Stores{New: func(t *testing.T) storetest.Place {
//			path := filepath.Join(t.TempDir(), "test.db")
//			return func(t *testing.T) store.Store { return open(t, path) }
//		}})
//	}
//
// Each test asks for a new, empty place, and opens a store there. Tests of what survives close the
// store and open it again; tests of shared places open it twice. Unreliable makes a store behave as
// if its connection were unreliable. An Author writes logs whose result it knows, for tests
// of whole tenants.
package storetest
