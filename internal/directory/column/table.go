package column

import (
	"slices"
	"sync"

	"licensor/internal/licensing/vector"
)

// Table has the columns of all objects of a kind. It is immutable, so it is safe for concurrent
// use.
type Table struct {
	schema       *Schema
	rows         uint32
	blocks       vector.Vector[*block]
	dictionaries [][]*Dictionary // by column and field
}

// NewTable returns a table without rows.
func NewTable(schema *Schema) *Table {
	t := &Table{schema: schema, dictionaries: make([][]*Dictionary, len(schema.Columns))}
	for i := range schema.Columns {
		c := &schema.Columns[i]
		if c.Kind != KindText && c.Kind != KindTexts && c.Kind != KindObjects {
			continue
		}
		for range c.width() {
			t.dictionaries[i] = append(t.dictionaries[i], newDictionary())
		}
	}
	return t
}

// Schema returns the columns of the table.
func (t *Table) Schema() *Schema { return t.schema }

// Rows returns the number of rows, including those of purged objects, which have no values.
func (t *Table) Rows() uint32 { return t.rows }

// Blocks returns the number of blocks.
func (t *Table) Blocks() int { return t.blocks.Len() }

func (t *Table) block(n int) *block { return t.blocks.At(n) }

// Value returns a row's value in a column, by the column's place in the schema.
func (t *Table) Value(row uint32, column int) Value { return t.Row(row).Value(column) }

// Text returns a row's text in a column of texts; "" means null.
func (t *Table) Text(row uint32, column int) string {
	if s := t.Row(row).text(column); s.run != nil {
		return s.at(int(row % BlockRows))
	}
	return ""
}

// Folded returns the folded form of Text.
func (t *Table) Folded(row uint32, column int) string {
	if s := t.Row(row).text(column); s.run != nil {
		return s.folded(int(row % BlockRows))
	}
	return ""
}

// Truth returns a row's value in a column of booleans.
func (t *Table) Truth(row uint32, column int) Truth { return t.Row(row).Value(column).Truth }

// Time returns a row's time in a column of times, in the form of a Value.
func (t *Table) Time(row uint32, column int) int64 { return t.Row(row).Value(column).Time }

// Row returns a row, for reading several of its columns.
func (t *Table) Row(row uint32) Row {
	if row >= t.rows {
		return Row{t.schema, nil, 0}
	}
	return Row{t.schema, t.block(int(row / BlockRows)).cells, int(row % BlockRows)}
}

// Live returns the rows of a block whose objects are live.
func (t *Table) Live(block int) Mask { return t.block(block).live }

// Deleted returns the rows of a block whose objects are soft-deleted.
func (t *Table) Deleted(block int) Mask { return t.block(block).deleted }

// Draft begins a change of the table.
func (t *Table) Draft() *Draft {
	return &Draft{base: t, next: *t, owner: new(vector.Owner)}
}

// Draft is a change of a table in progress. Its changes are visible in the table that Finish
// returns. It is not safe for concurrent use.
type Draft struct {
	base    *Table
	next    Table
	owner   *vector.Owner
	blocks  map[uint32]*block // that belong to the draft
	pending []pending
}

// maxPending is the maximum number of pending values.
const maxPending = 1 << 16

// pending is a value that is set when the draft finishes, or when there are maxPending: setting
// many values of a block takes little more time than setting one.
type pending struct {
	row    uint32
	column int
	value  Value
}

// AddRow adds a row for a live object, without values, and returns its number.
func (d *Draft) AddRow() uint32 {
	row := d.next.rows
	d.next.rows++
	b := d.block(row)
	b.live.Set(int(row % BlockRows))
	return row
}

// Set sets a row's value in a column, by the column's place in the schema. Slices in the value must
// not be changed afterwards.
func (d *Draft) Set(row uint32, column int, v Value) {
	if len(d.pending) == maxPending {
		d.settle()
	}
	if d.pending == nil {
		d.pending = *spare.Get().(*[]pending)
	}
	d.pending = append(d.pending, pending{row, column, v})
}

// spare has arrays of pending values that drafts no longer need. A new one would be a fifth of the
// memory that loading a small tenant takes.
var spare = sync.Pool{New: func() any { return new([]pending) }}

// release gives back the array of the pending values, which are set.
func (d *Draft) release() {
	if all := d.pending; all != nil {
		spare.Put(&all)
	}
	d.pending = nil
}

// SetDeleted sets whether the object of a row is soft-deleted. Its values do not change.
func (d *Draft) SetDeleted(row uint32, deleted bool) {
	b, i := d.block(row), int(row%BlockRows)
	b.live.put(i, !deleted)
	b.deleted.put(i, deleted)
}

// Purge removes all values of a row, whose object is neither live nor deleted afterwards.
func (d *Draft) Purge(row uint32) {
	b, i := d.block(row), int(row%BlockRows)
	b.live.put(i, false)
	b.deleted.put(i, false)
	for column := range b.cells {
		d.Set(row, column, Value{})
	}
}

// block returns the block of a row, for changing.
func (d *Draft) block(row uint32) *block {
	number := row / BlockRows
	if b := d.blocks[number]; b != nil {
		return b
	}
	if d.blocks == nil {
		d.blocks = map[uint32]*block{}
	}
	var b *block
	if int(number) < d.next.blocks.Len() {
		b = d.next.block(int(number)).clone()
		d.next.blocks.Set(d.owner, int(number), b)
	} else {
		b = &block{cells: make([]cells, len(d.next.schema.Columns))}
		d.next.blocks.Append(d.owner, b)
	}
	d.blocks[number] = b
	return b
}

// Finish returns the table of the draft. The draft must not be used afterwards.
func (d *Draft) Finish() *Table {
	d.settle()
	d.release()
	if d.blocks == nil {
		return d.base
	}
	t := d.next
	return &t
}

// settle sets the pending values: for each block and column all rows together, and the last value
// of each row.
func (d *Draft) settle() {
	if len(d.pending) == 0 {
		return
	}
	order := d.order()
	changes := make([]change, 0, min(len(order), BlockRows))
	for i, key := range order {
		p := &d.pending[key&(maxPending-1)]
		if i+1 < len(order) && order[i+1]/maxPending == key/maxPending {
			continue // it was set again
		}
		changes = append(changes, change{int(p.row % BlockRows), p.value})
		if i+1 < len(order) && order[i+1]/maxPending/BlockRows == key/maxPending/BlockRows {
			continue // there are more of this block and column
		}
		b := d.block(p.row)
		if b.cells[p.column] != nil || slices.ContainsFunc(changes, func(c change) bool { return !c.value.IsNull() }) {
			b.cells[p.column] = changed(b.cells[p.column], changes,
				&d.next.schema.Columns[p.column], d.next.dictionaries[p.column])
		}
		changes = changes[:0]
	}
	clear(d.pending)
	d.pending = d.pending[:0]
}

// order returns the places of the pending values in the order in which they are set, each combined
// with its sort key: block, column, row.
func (d *Draft) order() []uint64 {
	order := make([]uint64, len(d.pending))
	for i, p := range d.pending {
		block, row := uint64(p.row/BlockRows), uint64(p.row%BlockRows)
		order[i] = ((block<<16|uint64(p.column))*BlockRows+row)*maxPending + uint64(i)
	}
	slices.Sort(order)
	return order
}

// Size returns the approximate size of the table in bytes.
func (t *Table) Size() int {
	n := 0
	for _, b := range t.blocks.All() {
		n += 96 + 16*len(b.cells)
		for _, c := range b.cells {
			if c != nil {
				n += c.size()
			}
		}
	}
	for _, all := range t.dictionaries {
		for _, d := range all {
			d.mu.RLock()
			n += 2*d.bytes + 96*len(d.words)
			d.mu.RUnlock()
		}
	}
	return n
}

// PartRows is the number of rows in a part of a snapshot; the last one may have fewer.
const PartRows = vector.ChunkLen * BlockRows

// Parts returns the number of parts of a snapshot of the table.
func (t *Table) Parts() int { return t.blocks.Chunks() }

// PartChanged reports whether a part may differ from that of an older table that t was made from.
func (t *Table) PartChanged(older *Table, part int) bool {
	return !t.blocks.SameChunk(&older.blocks, part)
}
