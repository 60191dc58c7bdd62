package engine_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/tenant"
)

// TestU34OldSignInsAreRemoved: also those of a tenant that is not loaded.
func TestU34OldSignInsAreRemoved(t *testing.T) {
	t.Parallel()
	world := memory.New()
	s := world.Open()
	e := newEstate(t, s, 1, 0)
	id := e.ids[0]
	now := time.Unix(e.clock.Load(), 0)
	var list []store.SignIn
	for _, age := range []int{40, 31, 30, 20, 0} {
		list = append(list, store.SignIn{Tenant: id, At: now.AddDate(0, 0, -age), ID: uuid.New()})
	}
	if err := s.AddSignIns(t.Context(), list, nil); err != nil {
		t.Fatal(err)
	}
	dropped := func(e *estate, s store.Store, left int) {
		t.Helper()
		if err := e.DropSignIns(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		found, err := s.SignIns(t.Context(), id, store.SignInQuery{UpTo: math.MaxInt64, Limit: 10})
		if err != nil || len(found) != left {
			t.Errorf("%d are left, %v; want %d", len(found), err, left)
		}
	}
	dropped(e, s, 3)
	days := 25
	live, err := e.Tenant(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := live.Do(t.Context(), "system", tenant.UpdateSettings{SignInDays: &days}); err != nil {
		t.Fatal(err)
	}
	live.Release()
	dropped(e, s, 2)
	e.close()

	s = world.Open()
	e2 := newEstate(t, s, 0, 0)
	e2.clock.Store(now.AddDate(0, 0, 26).Unix())
	dropped(e2, s, 0)
}
