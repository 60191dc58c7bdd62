package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/store"
	"licensor/store/storetest"
)

// mix makes a random condition of documents {"n": ordinal % 5} and sets, and the same as a function.
func mix(random *rand.Rand, everything *roaring.Bitmap, depth int) (condition, func(uint32) bool) {
	kind := random.IntN(5)
	if depth == 0 {
		kind = random.IntN(2)
	}
	switch kind {
	case 0:
		value := int64(random.IntN(5))
		return condition{{where: &store.Filter{Op: store.Eq, Property: "n", Value: value}}}, func(o uint32) bool { return int64(o%5) == value }
	case 1:
		set := roaring.New()
		for range random.IntN(12) {
			set.Add(random.Uint32N(30))
		}
		return condition{{set: set}}, set.Contains
	case 2:
		c, holds := mix(random, everything, depth-1)
		return not(everything, c), func(o uint32) bool { return !holds(o) }
	}
	a, isA := mix(random, everything, depth-1)
	b, isB := mix(random, everything, depth-1)
	if kind == 3 {
		return and(a, b), func(o uint32) bool { return isA(o) && isB(o) }
	}
	return or(everything, a, b), func(o uint32) bool { return isA(o) || isB(o) }
}

// TestConditionsMeanWhatTheyAreMadeOf: a condition is true where the operators say, and of its clauses exactly one is, then.
func TestConditionsMeanWhatTheyAreMadeOf(t *testing.T) {
	t.Parallel()
	everything := roaring.New()
	everything.AddRange(0, 30)
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		c, holds := mix(random, everything, 3)
		if len(c) > maxClauses {
			continue
		}
		for o := range uint32(30) {
			document := fmt.Appendf(nil, `{"n":%d}`, o%5)
			var trues int
			for _, l := range c {
				if (l.set == nil || l.set.Contains(o)) && (l.where == nil || storetest.Matches(document, l.where)) {
					trues++
				}
			}
			if want := holds(o); trues > 1 || want != (trues == 1) {
				t.Fatalf("%d clauses are true of %d, which is to be %t: %v", trues, o, want, c)
			}
		}
	}
}

// TestConditionsThatMixTooMuchStayTooLong, so that they are refused instead of being answered in part.
func TestConditionsThatMixTooMuchStayTooLong(t *testing.T) {
	t.Parallel()
	everything := roaring.New()
	everything.AddRange(0, 1000)
	joined := anything
	for i := range uint32(40) {
		c := condition{{&store.Filter{Op: store.Eq, Property: "n", Value: int64(i)}, roaring.BitmapOf(i*7, i*11, i*13, 999)}}
		joined = and(joined, not(everything, c))
	}
	if turned := not(everything, joined); len(joined) <= maxClauses || len(turned) <= maxClauses || len(or(everything, joined, joined)) <= maxClauses {
		t.Errorf("%d clauses, turned round %d", len(joined), len(turned))
	}
}

// TestFindReadsLargeAndSmallSetsInOrder compares the ways in which a page is read.
func TestFindReadsLargeAndSmallSetsInOrder(t *testing.T) {
	t.Parallel()
	const n = 3 * store.MaxOrdinals
	read := func(q store.Query) (rows []uint32, err error) { // the greatest ordinal first
		for o := int64(n - 1); o >= 0 && len(rows) < q.Limit; o-- {
			if q.After >= 0 && o >= q.After || q.Ordinals != nil && !slices.Contains(q.Ordinals, uint32(o)) {
				continue
			}
			rows = append(rows, uint32(o))
		}
		return rows, nil
	}
	small, large := roaring.New(), roaring.New()
	small.AddMany([]uint32{3, 70, n - 5})
	large.AddRange(10, n-10)
	if f := (finder[uint32]{query: store.Query{Limit: 2, Below: n}}); !f.isSmall(clause{set: small}) || f.isSmall(clause{set: large}) {
		t.Error("both are read in the same way")
	}
	for _, c := range []struct {
		condition condition
		after     int64
		want      []uint32
	}{
		{condition{{set: small}}, -1, []uint32{n - 5, 70}},
		{condition{{set: small}}, 70, []uint32{3}},
		{condition{{set: large}}, -1, []uint32{n - 11, n - 12}},
		{condition{{set: large}}, 12, []uint32{11, 10}},
		{condition{{set: large}, {set: small}}, -1, []uint32{n - 5, n - 11}},
	} {
		f := finder[uint32]{
			query: store.Query{After: c.after, Limit: 2, Below: n, Order: &store.Order{Descending: true}}, read: read,
			spot: func(o uint32) spot { return spot{"", o} },
		}
		if got, err := f.find(c.condition); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("after %d: %v, %v, want %v", c.after, got, err, c.want)
		}
	}
}
