package licensing_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/licensing"
	"licensor/internal/licensing/model"
	"licensor/internal/outcome"
)

// TestOutcomesAreWhatUsersHaveBeforeAndAfter compares any two images of a random history, and what
// is found with the plainest reading of both: for all users, and for each.
func TestOutcomesAreWhatUsersHaveBeforeAndAfter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		played, _ := play(t, func(*tenant, *model.Model) {})
		first := rapid.IntRange(0, len(played.log)-1).Draw(t, "first")
		last := rapid.IntRange(first, len(played.log)-1).Draw(t, "last")
		before, after := played.log[first].before, played.log[last].after
		o, err := outcome.Compare(before, after, func() error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		for user := range uint32(after.Users()) {
			want := happenings(before, after, user)
			var rows, cells []outcome.What
			for _, row := range o.Rows(user) {
				rows = append(rows, row.What)
			}
			for _, c := range o.Cells() {
				if c.Users.Contains(user) {
					cells = append(cells, c.What)
				}
			}
			if got := byProduct(rows); !slices.Equal(got, want) {
				t.Fatalf("the rows of user %d say %v, want %v", user, got, want)
			}
			if got := byProduct(cells); !slices.Equal(got, want) {
				t.Fatalf("the cells of user %d say %v, want %v", user, got, want)
			}
		}
		again, err := outcome.Compare(before, restored(t, after), func() error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if differing := o.Differing(again); !differing.IsEmpty() {
			t.Fatalf("an outcome differs from itself for users %v", differing.ToArray())
		}
		nothing, err := outcome.Compare(before, before, func() error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		all := o.Users(func(outcome.What) bool { return true })
		if differing := o.Differing(nothing); before.Users() == after.Users() && !differing.Equals(all) {
			t.Fatalf("%v differ from those to whom nothing happens, want %v", differing.ToArray(), all.ToArray())
		}
	})
}

// happening is what happens to a user, without the groups.
type happening struct {
	skuID uuid.UUID
	kind  outcome.Kind
}

func byProduct(list []outcome.What) (found []happening) {
	for _, w := range list {
		found = append(found, happening{w.SKUID, w.Kind})
	}
	slices.SortFunc(found, compareHappenings)
	return found
}

func compareHappenings(a, b happening) int {
	if c := slices.Compare(a.skuID[:], b.skuID[:]); c != 0 {
		return c
	}
	return int(a.kind) - int(b.kind)
}

// plainly is what a user has of a product.
type plainly struct {
	held, failed bool
	plans        []uuid.UUID
}

func plainlyOf(img *licensing.Image, user uint32) map[uuid.UUID]plainly {
	all := map[uuid.UUID]plainly{}
	if int(user) >= img.Users() || img.Deleted(user) || img.Purged(user) {
		return all
	}
	for h := range img.Held(user) {
		p := plainly{held: true}
		if h.Product != nil {
			for _, id := range h.Product.ServicePlanIDs {
				if !slices.Contains(h.DisabledPlans, id) {
					p.plans = append(p.plans, id)
				}
			}
		}
		all[h.SKUID] = p
	}
	for s := range img.States(user) {
		p := all[s.SKUID]
		p.failed = p.failed || s.Error != licensing.NoViolation
		all[s.SKUID] = p
	}
	return all
}

func happenings(before, after *licensing.Image, user uint32) (list []happening) {
	was, is := plainlyOf(before, user), plainlyOf(after, user)
	seen := map[uuid.UUID]bool{}
	for _, side := range []map[uuid.UUID]plainly{was, is} {
		for id := range side {
			if seen[id] {
				continue
			}
			seen[id] = true
			a, b := was[id], is[id]
			for kind, happens := range map[outcome.Kind]bool{
				outcome.Gain:   !a.held && b.held,
				outcome.Lose:   a.held && !b.held,
				outcome.Fail:   !a.failed && b.failed,
				outcome.Clear:  a.failed && !b.failed,
				outcome.Change: a.held && b.held && !slices.Equal(a.plans, b.plans),
			} {
				if happens {
					list = append(list, happening{id, kind})
				}
			}
		}
	}
	slices.SortFunc(list, compareHappenings)
	return list
}
