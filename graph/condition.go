package graph

import (
	"github.com/RoaringBitmap/roaring/v2"

	"licensor/store"
)

// condition is what a filter, or a part of it, asks for: something of the document, which the store answers; something of
// licensing, which is a set of ordinals; or both at once. What is nil asks nothing.
type condition struct {
	where *store.Filter
	set   *roaring.Bitmap
}

// and joins conditions that all must hold.
func and(all []condition) condition {
	var joined condition
	var wheres []*store.Filter
	for _, c := range all {
		if c.where != nil {
			wheres = append(wheres, c.where)
		}
		switch {
		case c.set == nil:
		case joined.set == nil:
			joined.set = c.set
		default:
			joined.set = roaring.And(joined.set, c.set)
		}
	}
	joined.where = several(store.And, wheres)
	return joined
}

// or joins conditions of which one must hold; not ok when some are of the document and some of licensing, which nobody can answer
// without reading everything.
func or(all []condition) (joined condition, ok bool) {
	var wheres []*store.Filter
	for _, c := range all {
		switch {
		case c.set != nil && c.where != nil:
			return condition{}, false
		case c.set == nil:
			wheres = append(wheres, c.where)
		case joined.set == nil:
			joined.set = c.set
		default:
			joined.set = roaring.Or(joined.set, c.set)
		}
	}
	joined.where = several(store.Or, wheres)
	return joined, joined.where == nil || joined.set == nil
}

// not turns a condition round, within all there are.
func not(c condition, everything *roaring.Bitmap) (turned condition, ok bool) {
	switch {
	case c.set != nil && c.where != nil:
		return condition{}, false
	case c.set != nil:
		return condition{set: roaring.AndNot(everything, c.set)}, true
	}
	return condition{where: &store.Filter{Op: store.Not, Args: []*store.Filter{c.where}}}, true
}

func several(op store.Op, args []*store.Filter) *store.Filter {
	switch len(args) {
	case 0:
		return nil
	case 1:
		return args[0]
	}
	return &store.Filter{Op: op, Args: args}
}

// find reads the rows of a page that fulfil a condition, at most q.Limit.
func find[R any](c condition, q store.Query, read func(store.Query) ([]R, error)) ([]R, error) {
	q.Where = c.where
	if c.set == nil {
		return read(q)
	}
	var rows []R
	for it := c.set.Iterator(); len(rows) < q.Limit; {
		it.AdvanceIfNeeded(uint32(q.After + 1))
		batch := q
		batch.Ordinals, batch.Limit = next(it, store.MaxOrdinals), q.Limit-len(rows)
		if len(batch.Ordinals) == 0 {
			break
		}
		found, err := read(batch)
		if err != nil {
			return nil, err
		}
		rows = append(rows, found...)
		q.After = int64(batch.Ordinals[len(batch.Ordinals)-1])
	}
	return rows, nil
}

// next takes at most n ordinals of a set.
func next(it roaring.IntPeekable, n int) []uint32 {
	list := make([]uint32, 0, n)
	for len(list) < n && it.HasNext() {
		list = append(list, it.Next())
	}
	return list
}

// count answers how many rows fulfil a condition.
func (c condition) count(q store.Query, count func(store.Query) (int, error)) (sum int, err error) {
	q.Where, q.After, q.Limit = c.where, -1, 0
	switch {
	case c.set == nil:
		return count(q)
	case c.where == nil:
		return int(c.set.GetCardinality()), nil
	}
	for it := c.set.Iterator(); it.HasNext(); {
		q.Ordinals = next(it, store.MaxOrdinals)
		n, err := count(q)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}
