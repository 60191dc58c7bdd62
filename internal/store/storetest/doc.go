// Package storetest has the tests that each store must pass. A store's own tests say where to open
// one:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, storetest.Stores{New: func(t *testing.T) storetest.Place {
//			path := filepath.Join(t.TempDir(), "test.db")
//			return func(t *testing.T) store.Store { return open(t, path) }
//		}})
//	}
//
// Each test asks for a new place, which is empty, and opens a store there; those about what
// survives close it and open it again, and those about places that are shared open it twice.
// Unreliable makes a store behave as if the line to it were bad.
package storetest
