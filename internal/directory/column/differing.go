package column

import (
	"iter"
	"math/bits"
)

// Differing yields the rows of the table, ascending, that are live in only one of it and another
// table of the schema, or differ in the value of one of some columns. Rows that a table lacks are
// not live and have no values. What the tables share, as states of one table do, is skipped.
func (t *Table) Differing(from *Table, columns []int) iter.Seq[uint32] {
	none := &block{cells: make([]cells, len(t.schema.Columns))}
	return func(yield func(uint32) bool) {
		for n := range t.Blocks() {
			now, was := t.block(n), none
			if n < from.Blocks() {
				was = from.block(n)
			}
			if now == was {
				continue
			}
			for w, word := range now.differing(was, columns) {
				for ; word != 0; word &= word - 1 {
					if !yield(uint32(n*BlockRows + w*64 + bits.TrailingZeros64(word))) {
						return
					}
				}
			}
		}
	}
}

func (b *block) differing(was *block, columns []int) (rows Mask) {
	for w := range rows {
		rows[w] = b.live[w] ^ was.live[w]
	}
	for _, column := range columns {
		x, y := b.cells[column], was.cells[column]
		if x == y {
			continue
		}
		for i := range BlockRows {
			if !rows.Has(i) && !valueIn(x, i).Equal(valueIn(y, i)) {
				rows.Set(i)
			}
		}
	}
	return rows
}

// valueIn returns the value of a row of cells that may be nil.
func valueIn(c cells, i int) Value {
	if c == nil {
		return Value{}
	}
	return c.value(i)
}
