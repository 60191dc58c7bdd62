// Package storetest has the tests that each store must pass. A store's own tests say where to open
// one:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Place {
//			path := filepath.Join(t.TempDir(), "test.db")
//			return func(t *testing.T) store.Store { return open(t, path) }
//		})
//	}
//
// Each test asks for a new place, which is empty, and opens a store there; those about what
// survives close it and open it again. Matches is the meaning of filters in plain Go, for stores to
// be compared with on documents that nobody thought of.
package storetest
