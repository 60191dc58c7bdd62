package model

import (
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// play runs a drawn history, and calls check after every operation with the tenant before and after
// it.
func play(t *rapid.T, check func(before, after *Model, now Commit, op Op, err error)) {
	w := DrawWorld(t)
	m, now := New(), Commit{0, 1000}
	do := func(op Op) {
		now.Seq++
		now.At += uint32(rapid.IntRange(0, 1).Draw(t, "seconds"))
		before := m.clone()
		err := m.Apply(now, op)
		t.Logf("%d at %d: %s: %v", now.Seq, now.At, op, err)
		check(before, m, now, op, err)
	}
	for _, op := range w.Setup(t) {
		do(op)
	}
	for range 1 + evenly(t, 40, "operations") {
		do(w.Draw(t, m))
	}
}

func TestTheSameHistoryGivesTheSameStates(t *testing.T) { // L53
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		replay := New()
		play(t, func(_, after *Model, now Commit, op Op, _ error) {
			_ = replay.Apply(now, op)
			if replay.Dump() != after.Dump() {
				t.Fatalf("%s\nonce:\n%sagain:\n%s", op, after.Dump(), replay.Dump())
			}
		})
	})
}

func TestRefusalChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		play(t, func(before, after *Model, _ Commit, _ Op, err error) {
			if err != nil && before.Dump() != after.Dump() {
				t.Fatalf("before:\n%safter:\n%s", before.Dump(), after.Dump())
			}
		})
	})
}

func TestSeatsAreNeverOversold(t *testing.T) { // L4
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		play(t, func(before, after *Model, _ Commit, _ Op, _ error) {
			for sku, s := range after.Subscriptions {
				if n := after.Consumed(sku); n > s.seats() && n > before.Consumed(sku) {
					t.Fatalf("%s: %d of %d seats, before %d", Name(sku), n, s.seats(), before.Consumed(sku))
				}
			}
		})
	})
}

func TestEntriesAreConsistent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		play(t, func(_, after *Model, _ Commit, _ Op, _ error) {
			for _, u := range after.Users {
				for source, e := range u.Entries {
					checkEntry(t, after, u, source, e)
				}
			}
		})
	})
}

func checkEntry(t *rapid.T, m *Model, u *User, source Source, e *Entry) {
	g, _ := m.group(source.Group)
	wished := source.Group == Direct || g != nil && g.Members[u.ID] && g.Licenses[source.SKU] != nil
	switch {
	case wished != (e.Wished != nil):
		t.Fatalf("%s: wish does not follow its source\n%s", Name(u.ID), m.Dump()) // L48
	case e.Wished == nil && e.InForce == nil:
		t.Fatalf("%s: neither wished nor in force\n%s", Name(u.ID), m.Dump())
	case !u.Deleted && !same(e.Wished, e.InForce) && e.Error == None:
		t.Fatalf("%s: no error although the wish is not in force\n%s", Name(u.ID), m.Dump())
	case u.Deleted && (e.InForce != nil || e.Error != None):
		t.Fatalf("%s: deleted and in force or in error\n%s", Name(u.ID), m.Dump()) // L38
	case source.Group == Direct && !u.Deleted && (e.InForce == nil || e.Error != None):
		t.Fatalf("%s: direct and not active\n%s", Name(u.ID), m.Dump()) // L24
	}
	for other, o := range u.Entries {
		if other.Group == source.Group && source.Group != Direct && o.Since != e.Since {
			t.Fatalf("%s: a bundle of two ages\n%s", Name(u.ID), m.Dump()) // L50
		}
	}
}

func TestReprocessingAUserTwiceChangesNothing(t *testing.T) { // L72
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		play(t, func(_, after *Model, now Commit, _ Op, _ error) {
			for _, u := range after.Users {
				once, twice := reprocessTwice(after, now, u.ID)
				if once.Dump() != twice.Dump() {
					t.Fatalf("%s once:\n%stwice:\n%s", Name(u.ID), once.Dump(), twice.Dump())
				}
			}
		})
	})
}

// Errors may differ the second time: who took the last seat after another user had failed for
// another reason turns that user's Other into CountViolation.
func TestReprocessingEverybodyTwiceGivesAndTakesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		play(t, func(_, after *Model, now Commit, _ Op, _ error) {
			once, twice := reprocessTwice(after, now, living(after)...)
			for i, u := range once.Users {
				if !sameInForce(inForce(u), inForce(twice.Users[i])) {
					t.Fatalf("once:\n%stwice:\n%s", once.Dump(), twice.Dump())
				}
			}
		})
	})
}

func living(m *Model) (users []uuid.UUID) {
	for _, u := range m.Users {
		if !u.Deleted && !u.Purged {
			users = append(users, u.ID)
		}
	}
	return users
}

func reprocessTwice(m *Model, now Commit, users ...uuid.UUID) (once, twice *Model) {
	once = m.clone()
	_ = once.Apply(Commit{now.Seq + 1, now.At + 1}, Reprocess{users})
	twice = once.clone()
	_ = twice.Apply(Commit{now.Seq + 2, now.At + 2}, Reprocess{users})
	return once, twice
}
