package engine_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/tenant"
)

// TestADeletedUnitIsKeptFor30Days deletes two administrative units, restores one in time, and
// purges the other with its members.
func TestADeletedUnitIsKeptFor30Days(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	ann := h.must(newUser(t, "ann"))
	for range 2 {
		unit := h.must(tenant.CreateUnit{Patch: unitPatch(t, `{"displayName":"x"}`), Members: []uuid.UUID{ann.ID}})
		h.must(tenant.DeleteUnit{Unit: unit.Ordinal})
	}
	h.clock.Add(int64(tenant.KeptFor / time.Second))
	h.must(tenant.RestoreUnit{Unit: 0})
	if err := h.PurgeExpired(t.Context()); err != nil || h.Image().Units.At(1) == nil {
		t.Fatalf("the unit is purged too early: %v", err)
	}
	h.clock.Add(1)
	if _, err := h.do(tenant.RestoreUnit{Unit: 1}); !isNotFound(err) {
		t.Errorf("a unit is restored too late: %v", err)
	}
	if err := h.PurgeExpired(t.Context()); err != nil {
		t.Fatal(err)
	}
	if img := h.Image(); img.Units.At(1) != nil || img.UnitMembers.Users(1) != nil || len(img.UnitsOf(ann.ID)) != 1 {
		t.Errorf("the purged unit is %v with the members %v", img.Units.At(1), img.UnitMembers.Users(1))
	}
}

func isNotFound(err error) bool {
	p, ok := errors.AsType[*tenant.CommandError](err)
	return ok && p.Kind == tenant.ProblemNotFound
}

func TestUnitsThatAreNotThereAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	ann := h.must(newUser(t, "ann"))
	unit := h.must(tenant.CreateUnit{Patch: unitPatch(t, `{"displayName":"deleted"}`)})
	h.must(tenant.DeleteUnit{Unit: unit.Ordinal})
	for _, ordinal := range []uint32{unit.Ordinal, 7} {
		for _, cmd := range []tenant.Command{
			tenant.UpdateUnit{Unit: ordinal, Patch: unitPatch(t, `{"displayName":"x"}`)},
			tenant.DeleteUnit{Unit: ordinal},
			tenant.AddUnitMember{Unit: ordinal, Member: ann.ID},
			tenant.RemoveUnitMember{Unit: ordinal, Member: ann.ID},
			func() tenant.Command { c := newGroup(t, "group"); c.Unit = &ordinal; return c }(),
		} {
			if _, err := h.do(cmd); !isNotFound(err) {
				t.Errorf("%T of unit %d: %v", cmd, ordinal, err)
			}
		}
	}
}
