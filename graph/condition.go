package graph

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/store"
)

// clause asks for something of the document, which the store answers; something of licensing, which is a set of ordinals; or
// both at once. What is nil asks nothing.
type clause struct {
	where *store.Filter
	set   *roaring.Bitmap
}

// condition is what a filter, or a part of it, asks for: that one of its clauses is true. Of no object two are, so what they find
// is read clause by clause and needs no comparing, and what they count is summed up.
type condition []clause

// anything is the condition that asks nothing.
var anything = condition{{}}

// maxClauses bounds a condition: a filter that mixes licenses and other properties by or and not takes more of them the more it mixes.
const maxClauses = 32

func (l clause) and(other clause) clause {
	joined := clause{where: both(l.where, other.where), set: l.set}
	switch {
	case other.set == nil:
	case l.set == nil:
		joined.set = other.set
	default:
		joined.set = roaring.And(l.set, other.set)
	}
	return joined
}

// both joins filters, of which each may be nil, without nesting.
func both(a, b *store.Filter) *store.Filter {
	if a == nil || b == nil {
		return several(store.And, slices.DeleteFunc([]*store.Filter{a, b}, func(f *store.Filter) bool { return f == nil }))
	}
	var args []*store.Filter
	for _, f := range []*store.Filter{a, b} {
		if f.Op == store.And {
			args = append(args, f.Args...)
			continue
		}
		args = append(args, f)
	}
	return several(store.And, args)
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

// and joins conditions that all must hold: each clause of one with each of the other. What has become too long stays so, unfinished, until
// it is refused.
func and(all ...condition) condition {
	joined := anything
	for _, c := range all {
		if len(c) > maxClauses {
			return c
		}
		var pairs condition
		for _, a := range joined {
			for _, b := range c {
				if pair := a.and(b); pair.set == nil || !pair.set.IsEmpty() {
					pairs = append(pairs, pair)
				}
			}
		}
		if joined = pairs; len(joined) > maxClauses {
			break
		}
	}
	return joined
}

// or joins conditions of which one must hold, within everything there is. What asks for documents alone is one clause, and what
// asks for sets alone is another, so that the usual ones stay short; of the rest, each is looked for where those before are not true.
func or(everything *roaring.Bitmap, all ...condition) condition {
	var wheres []*store.Filter
	var set *roaring.Bitmap
	var rest, parts []condition
	for _, c := range all {
		switch {
		case len(c) == 0:
		case len(c) > 1 || c[0].set != nil && c[0].where != nil:
			rest = append(rest, c)
		case c[0].where != nil:
			wheres = append(wheres, c[0].where)
		case c[0].set == nil:
			return anything
		case set == nil:
			set = c[0].set
		default:
			set = roaring.Or(set, c[0].set)
		}
	}
	if set != nil {
		parts = append(parts, condition{{set: set}})
	}
	if where := several(store.Or, wheres); where != nil {
		parts = append(parts, condition{{where: where}})
	}
	var joined condition
	for _, c := range append(parts, rest...) {
		joined = append(joined, and(c, not(everything, joined))...)
		if len(joined) > maxClauses {
			break
		}
	}
	return joined
}

// not turns a condition round, within everything there is.
func not(everything *roaring.Bitmap, c condition) condition {
	turned := anything
	for _, l := range c {
		var other condition
		if l.set != nil {
			other = condition{{set: roaring.AndNot(everything, l.set)}}
		}
		if l.where != nil {
			other = append(other, clause{&store.Filter{Op: store.Not, Args: []*store.Filter{l.where}}, l.set})
		}
		turned = and(turned, other)
	}
	return turned
}

// hasSets says whether the condition asks something of licensing.
func (c condition) hasSets() bool {
	return slices.ContainsFunc(c, func(l clause) bool { return l.set != nil })
}

// count answers how many rows fulfil the condition.
func (c condition) count(q store.Query, count func(store.Query) (int, error)) (sum int, err error) {
	for _, l := range c {
		n, err := l.count(q, count)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func (l clause) count(q store.Query, count func(store.Query) (int, error)) (sum int, err error) {
	q.Where, q.After, q.Limit, q.Order, q.Below = l.where, -1, 0, nil, 0
	switch {
	case l.set == nil:
		return count(q)
	case l.where == nil:
		return int(l.set.GetCardinality()), nil
	}
	for it := l.set.Iterator(); it.HasNext(); {
		q.Ordinals = next(it, store.MaxOrdinals)
		n, err := count(q)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// next takes at most n ordinals of a set.
func next(it roaring.IntPeekable, n int) []uint32 {
	list := make([]uint32, 0, n)
	for len(list) < n && it.HasNext() {
		list = append(list, it.Next())
	}
	return list
}
