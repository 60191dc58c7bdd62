package directory

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"
)

// draftOfGroups is an index of groups, each in those after it in links.
func draftOfGroups(count int, links map[uint32][]uint32) *Draft {
	d := NewIndex().Draft()
	for i := range count {
		d.AddGroup(uuid.UUID{byte(i), 15: 1})
	}
	for member, groups := range links {
		for _, group := range groups {
			d.JoinGroup(group, member)
		}
	}
	return d
}

func TestGroupsAreReachedOverAnyNumberOfStepsAndOnceInCircles(t *testing.T) {
	t.Parallel()
	d := draftOfGroups(6, map[uint32][]uint32{0: {1, 2}, 1: {3}, 2: {3}, 3: {0}, 4: {0}})
	for _, c := range []struct{ got, want []uint32 }{
		{d.Around(nil), nil},
		{d.Around([]uint32{4}), []uint32{0, 1, 2, 3, 4}},
		{d.Around([]uint32{5, 99}), []uint32{5}},
		{d.Within(3), []uint32{0, 1, 2, 3, 4}},
		{d.Within(4), []uint32{4}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
	d.DeleteGroup(0) // and nothing goes by way of it
	if got := d.Around([]uint32{0, 4}); !slices.Equal(got, []uint32{4}) {
		t.Errorf("by way of a deleted group: %v", got)
	}
	if got := d.Within(3); !slices.Equal(got, []uint32{1, 2, 3}) {
		t.Errorf("within, by way of a deleted group: %v", got)
	}
}

// What is around a group is what it is within, whatever the links.
func TestAroundIsTheReverseOfWithin(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		links := map[uint32][]uint32{}
		for range 20 {
			if a, b := random.Uint32N(12), random.Uint32N(12); a != b {
				links[a] = append(links[a], b)
			}
		}
		d := draftOfGroups(12, links)
		for a := range uint32(12) {
			for b := range uint32(12) {
				if around, within := has(d.Around([]uint32{a}), b), has(d.Within(b), a); around != within {
					t.Fatalf("%v: %d is around %d: %v, in it: %v", links, b, a, around, within)
				}
			}
		}
	}
}
