package query

import (
	"cmp"
	"context"
	"math/bits"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/directory/column"
)

// Within selects the objects for which a condition is evaluated.
type Within uint8

// A condition is evaluated for live objects, or for soft-deleted ones, never for both.
const (
	WithinLive Within = iota
	WithinDeleted
)

const words = column.BlockRows / 64 // of a block

// Rows is a set of rows of a table.
type Rows struct {
	bits  []uint64
	count int

	few []uint32 // if not nil, the set has these rows, ascending, and bits is not used

	table  *column.Table // if not nil, the set has all its live or deleted objects, and bits is not used
	within Within
}

// Count returns the number of rows in the set.
func (r *Rows) Count() int {
	switch {
	case r.few != nil:
		return len(r.few)
	case r.table == nil:
		return r.count
	}
	n := 0
	for w := range r.words() {
		n += bits.OnesCount64(r.word(w))
	}
	return n
}

// Has reports whether a row is in the set.
func (r *Rows) Has(row uint32) bool {
	if r.few != nil {
		_, ok := slices.BinarySearch(r.few, row)
		return ok
	}
	w := int(row >> 6)
	return w < r.words() && r.word(w)>>(row&63)&1 != 0
}

// all yields the rows, ascending.
func (r *Rows) all(yield func(row uint32) bool) {
	for _, row := range r.few {
		if !yield(row) {
			return
		}
	}
	if r.few != nil {
		return
	}
	for w := range r.words() {
		for word := r.word(w); word != 0; word &= word - 1 {
			if !yield(uint32(w<<6 + bits.TrailingZeros64(word))) {
				return
			}
		}
	}
}

// words returns the number of words of 64 rows of a set that is not few; word returns one of them.
func (r *Rows) words() int {
	if r.table == nil {
		return len(r.bits)
	}
	return r.table.Blocks() * words
}

func (r *Rows) word(w int) uint64 {
	if r.table == nil {
		return r.bits[w]
	}
	return objects(r.table, r.within, w/words)[w%words]
}

// After appends the first n rows after a row to a list, ascending; -1 begins with the first.
func (r *Rows) After(dst []uint32, row int64, n int) []uint32 {
	at := row + 1
	if r.few != nil {
		from, _ := slices.BinarySearchFunc(r.few, at, func(few uint32, at int64) int {
			return cmp.Compare(int64(few), at)
		})
		return append(dst, r.few[from:min(from+n, len(r.few))]...)
	}
	for w, end := int(at>>6), r.words(); w < end && n > 0; w++ {
		word := r.word(w)
		if w == int(at>>6) {
			word &= ^uint64(0) << (at & 63)
		}
		for ; word != 0 && n > 0; word &= word - 1 {
			dst = append(dst, uint32(w<<6+bits.TrailingZeros64(word)))
			n--
		}
	}
	return dst
}

// Bitmap returns the set in another form.
func (r *Rows) Bitmap() *roaring.Bitmap {
	if r.few != nil {
		return roaring.BitmapOf(r.few...)
	}
	all := make([]uint64, r.words())
	for w := range all {
		all[w] = r.word(w)
	}
	return roaring.FromDense(all, false)
}

// yieldEvery is the number of blocks after which an evaluation checks whether it should end or
// pause.
const yieldEvery = 256

// Find returns the rows of a table that satisfy the condition. It returns the context's error if
// ctx ends. It calls pause, which may be nil, from time to time, so that other work can run.
func (c *Condition) Find(ctx context.Context, t *column.Table, within Within, pause func() error) (*Rows, error) {
	if c.kind == all {
		return &Rows{table: t, within: within}, nil
	}
	e := c.prepare(t)
	rows := &Rows{bits: make([]uint64, t.Blocks()*words)}
	for block := range t.Blocks() {
		if err := yield(ctx, block, pause); err != nil {
			return nil, err
		}
		among := objects(t, within, block)
		if among.Empty() {
			continue
		}
		found := e.find(block, among)
		for w, word := range found {
			rows.bits[block*words+w] = word
			rows.count += bits.OnesCount64(word)
		}
	}
	return rows, nil
}

// yield lets other work run from time to time.
func yield(ctx context.Context, block int, pause func() error) error {
	if block%yieldEvery != 0 {
		return nil
	}
	if err := ctx.Err(); err != nil || pause == nil {
		return err
	}
	return pause()
}

// FindSome is Find for at least the first n rows after a row: it evaluates no more blocks than
// necessary. It reports whether there are no other rows after that row. With -1 for the row it
// begins with the first.
func (c *Condition) FindSome(
	ctx context.Context, t *column.Table, within Within, row int64, n int, pause func() error,
) (rows *Rows, all bool, err error) {
	e := c.prepare(t)
	rows = &Rows{few: []uint32{}}
	for block := int((row + 1) / column.BlockRows); block < t.Blocks(); block++ {
		if len(rows.few) >= n {
			return rows, false, nil
		}
		if err := yield(ctx, block, pause); err != nil {
			return nil, false, err
		}
		rows.add(e, block, behind(objects(t, within, block), row-int64(block)*column.BlockRows))
	}
	return rows, true, nil
}

// behind keeps the rows of a block after a row of it.
func behind(among column.Mask, row int64) column.Mask {
	for w := range among {
		among[w] &= ^uint64(0) << max(0, min(row+1-int64(w)*64, 64))
	}
	return among
}

// FindAmong is Find for some rows, ascending; it ignores all others.
func (c *Condition) FindAmong(t *column.Table, within Within, some []uint32) *Rows {
	e := c.prepare(t)
	rows := &Rows{few: []uint32{}}
	for len(some) > 0 && some[0] < t.Rows() {
		block := int(some[0] / column.BlockRows)
		among := objects(t, within, block)
		var asked column.Mask
		for len(some) > 0 && int(some[0]/column.BlockRows) == block {
			asked.Set(int(some[0] % column.BlockRows))
			some = some[1:]
		}
		for w := range among {
			among[w] &= asked[w]
		}
		rows.add(e, block, among)
	}
	return rows
}

// add adds to the few the rows of a block for which the condition is true.
func (r *Rows) add(e evaluator, block int, among column.Mask) {
	if among.Empty() {
		return
	}
	for w, word := range e.find(block, among) {
		for ; word != 0; word &= word - 1 {
			r.few = append(r.few, uint32(block*column.BlockRows+w<<6+bits.TrailingZeros64(word)))
		}
	}
}

func objects(t *column.Table, within Within, block int) column.Mask {
	if within == WithinDeleted {
		return t.Deleted(block)
	}
	return t.Live(block)
}

// Holds reports whether the condition is true for one object of a table.
func (c *Condition) Holds(t *column.Table, within Within, row uint32) bool {
	if row >= t.Rows() {
		return false
	}
	block, i := int(row/column.BlockRows), int(row%column.BlockRows)
	if among := objects(t, within, block); !among.Has(i) {
		return false
	}
	var only column.Mask
	only.Set(i)
	found := c.prepare(t).find(block, only)
	return found.Has(i)
}

// evaluator evaluates a condition for a block: it returns those of some rows for which it is true.
type evaluator interface {
	find(block int, among column.Mask) column.Mask
}

// prepare makes the evaluator of the condition for a table: it looks up everything that is the same
// for all blocks.
func (c *Condition) prepare(t *column.Table) evaluator {
	switch c.kind {
	case and, or:
		all := make([]evaluator, len(c.args))
		for i, arg := range c.cheapFirst(t) {
			all[i] = arg.prepare(t)
		}
		if c.kind == and {
			return conjunction(all)
		}
		return disjunction(all)
	case not:
		return negation{c.args[0].prepare(t)}
	case text:
		return matching{t.MatchText(c.column, &c.test)}
	case truth:
		return matching{t.MatchTruth(c.column, c.truth)}
	case moment:
		return matching{t.MatchTime(c.column, c.from, c.to)}
	case element:
		return matching{t.MatchAny(c.column, c.element)}
	case set:
		return densely(c.set, t.Blocks())
	case function:
		return rowByRow(c.holds)
	}
	return everything{}
}

type everything struct{}

func (everything) find(_ int, among column.Mask) column.Mask { return among }

type conjunction []evaluator

func (all conjunction) find(block int, among column.Mask) column.Mask {
	for _, e := range all {
		if among.Empty() {
			break
		}
		among = e.find(block, among)
	}
	return among
}

type disjunction []evaluator

func (all disjunction) find(block int, among column.Mask) (found column.Mask) {
	for _, e := range all {
		if among.Empty() {
			break
		}
		more := e.find(block, among)
		for w := range found {
			found[w] |= more[w]
			among[w] &^= more[w]
		}
	}
	return found
}

type negation struct{ of evaluator }

func (n negation) find(block int, among column.Mask) column.Mask {
	found := n.of.find(block, among)
	for w := range among {
		among[w] &^= found[w]
	}
	return among
}

type matching struct{ column.Matcher }

func (m matching) find(block int, among column.Mask) column.Mask {
	found := m.Match(block, among)
	for w := range among {
		among[w] &= found[w]
	}
	return among
}

// dense is a set as bits.
type dense []uint64

func densely(set *roaring.Bitmap, blocks int) dense {
	held := make(dense, blocks*words)
	if set.IsEmpty() {
		return held
	}
	if last := int(set.Maximum()) / 64; last >= len(held) { // it has objects that the table does not have
		held = make(dense, last+1)
	}
	set.WriteDenseTo(held)
	return held
}

func (d dense) find(block int, among column.Mask) column.Mask {
	for w := range among {
		among[w] &= d[block*words+w]
	}
	return among
}

type rowByRow func(row uint32) bool

func (holds rowByRow) find(block int, among column.Mask) (found column.Mask) {
	for w, word := range among {
		for ; word != 0; word &= word - 1 {
			i := w<<6 + bits.TrailingZeros64(word)
			if holds(uint32(block*column.BlockRows + i)) {
				found.Set(i)
			}
		}
	}
	return found
}
