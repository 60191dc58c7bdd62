package sqlite

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/store/storetest"
)

// Stores in memory are independent, and can be read while they are written.
func TestStoresInMemory(t *testing.T) {
	t.Parallel()
	var stores []*Store
	tenant := uuid.UUID{1}
	for range 2 {
		s, err := OpenMemory(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		if err := s.CreateTenant(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
		stores = append(stores, s)
	}
	var tasks sync.WaitGroup
	for range 4 {
		tasks.Go(func() {
			for range 50 {
				_, err := stores[0].Objects(t.Context(), tenant, store.Query{Kind: store.KindUser, After: -1})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range uint64(50) {
		row := store.Object{
			Kind: store.KindUser, Ordinal: uint32(i), ID: uuid.New(),
			Document: []byte(fmt.Sprintf(`{"displayName":"%d"}`, i)),
		}
		err := storetest.Append(t.Context(), stores[0], tenant,
			[]store.Commit{{Seq: i + 1, Effects: []byte("{}")}}, []store.Object{row})
		if err != nil {
			t.Fatal(err)
		}
	}
	tasks.Wait()
	for i, want := range []int{50, 0} {
		rows, err := stores[i].Objects(t.Context(), tenant, store.Query{Kind: store.KindUser, After: -1})
		if err != nil || len(rows) != want {
			t.Errorf("store %d has %d rows (%v), not %d", i, len(rows), err, want)
		}
		if err := stores[i].Intact(); err != nil {
			t.Error(err)
		}
		if err := stores[i].Ping(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
