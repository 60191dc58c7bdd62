package graph

import (
	"cmp"
	"slices"
	"strings"

	"licensor/store"
)

// spot is where a row stands in a list: by the key of the list's order, then by ordinal.
type spot struct {
	key     string
	ordinal uint32
}

func (s spot) compare(other spot) int {
	return cmp.Or(strings.Compare(s.key, other.key), cmp.Compare(s.ordinal, other.ordinal))
}

// finder reads the rows of a page.
type finder[R any] struct {
	query store.Query
	read  func(store.Query) ([]R, error)
	spot  func(R) spot
}

// find reads the rows of a page that fulfil a condition, at most query.Limit.
func (f finder[R]) find(c condition) ([]R, error) {
	var rows []R
	for _, l := range c {
		found, err := f.clause(l)
		if err != nil {
			return nil, err
		}
		rows = append(rows, found...)
	}
	if len(c) > 1 {
		rows = f.first(rows)
	}
	return rows, nil
}

// keys are what the rows are ordered by, by ordinal; nil when that is the ordinal.
func (f finder[R]) keys(rows []R) map[uint32]string {
	if f.query.Order == nil {
		return nil
	}
	keys := make(map[uint32]string, len(rows))
	for _, row := range rows {
		s := f.spot(row)
		keys[s.ordinal] = s.key
	}
	return keys
}

// first puts rows in order and answers those of the page.
func (f finder[R]) first(rows []R) []R {
	slices.SortFunc(rows, func(a, b R) int {
		order := f.spot(a).compare(f.spot(b))
		if f.query.Order != nil && f.query.Order.Descending {
			return -order
		}
		return order
	})
	return rows[:min(len(rows), f.query.Limit)]
}

func (f finder[R]) clause(l clause) ([]R, error) {
	f.query.Where = l.where
	switch {
	case l.set == nil:
		return f.read(f.query)
	case f.query.Order == nil:
		return f.byOrdinal(l)
	case f.isSmall(l):
		return f.lookedUp(l)
	}
	return f.passing(l)
}

// isSmall says whether the rows of a clause's set are looked up one by one. The other way is to read all rows in order and to pass over
// those not in the set: of so many a page takes the more, the smaller the set is, and the more, the less else is true of.
func (f finder[R]) isSmall(l clause) bool {
	size, passed := l.set.GetCardinality(), uint64(f.query.Limit)*uint64(f.query.Below)
	if l.where != nil {
		passed *= 10
	}
	return size <= store.MaxOrdinals || size*size <= passed
}

// byOrdinal reads the rows of a set in the order of ordinals.
func (f finder[R]) byOrdinal(l clause) ([]R, error) {
	var rows []R
	q := f.query
	for it := l.set.Iterator(); len(rows) < f.query.Limit; {
		it.AdvanceIfNeeded(uint32(q.After + 1))
		q.Ordinals, q.Limit = next(it, store.MaxOrdinals), f.query.Limit-len(rows)
		if len(q.Ordinals) == 0 {
			break
		}
		found, err := f.read(q)
		if err != nil {
			return nil, err
		}
		rows = append(rows, found...)
		q.After = int64(q.Ordinals[len(q.Ordinals)-1])
	}
	return rows, nil
}

// lookedUp reads the rows of a small set in another order.
func (f finder[R]) lookedUp(l clause) (rows []R, err error) {
	q := f.query
	for it := l.set.Iterator(); it.HasNext(); {
		q.Ordinals = next(it, store.MaxOrdinals)
		found, err := f.read(q)
		if err != nil {
			return nil, err
		}
		rows = f.first(append(rows, found...))
	}
	return rows, nil
}

// maxBatch is how many rows are read at once.
const maxBatch = 4000

// passing reads all rows in another order and passes over those not in the set.
func (f finder[R]) passing(l clause) (rows []R, err error) {
	q, order := f.query, *f.query.Order
	q.Order, q.Limit = &order, 2*f.query.Limit
	for len(rows) < f.query.Limit {
		found, err := f.read(q)
		if err != nil {
			return nil, err
		}
		for _, row := range found {
			if l.set.Contains(f.spot(row).ordinal) {
				rows = append(rows, row)
			}
		}
		if len(found) < q.Limit {
			break
		}
		last := f.spot(found[len(found)-1])
		q.After, order.After = int64(last.ordinal), last.key
		q.Limit = min(2*q.Limit, maxBatch)
	}
	return rows[:min(len(rows), f.query.Limit)], nil
}
