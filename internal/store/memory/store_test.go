package memory_test

import (
	"testing"

	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/store/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Stores{Shared: true, New: func(*testing.T) storetest.Place {
		world := memory.New()
		return func(*testing.T) store.Store { return world.Open() }
	}})
}
