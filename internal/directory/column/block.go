package column

import "slices"

// BlockRows is the number of rows of a block; the last block may have fewer.
const BlockRows = 256

// Mask is a set of rows of a block, a bit for each.
type Mask [BlockRows / 64]uint64

// Has reports whether a row is in the set.
func (m *Mask) Has(i int) bool { return m[i>>6]>>(i&63)&1 != 0 }

// Set adds a row to the set.
func (m *Mask) Set(i int) { m[i>>6] |= 1 << (i & 63) }

func (m *Mask) put(i int, is bool) {
	if is {
		m.Set(i)
	} else {
		m[i>>6] &^= 1 << (i & 63)
	}
}

// Empty reports whether no row is in the set.
func (m *Mask) Empty() bool { return m[0]|m[1]|m[2]|m[3] == 0 }

// block is 256 rows. It is immutable once its draft has finished.
type block struct {
	live, deleted Mask
	cells         []cells // by column; nil where no row has a value
}

// cells are the values of a block's rows in one column. They may be fewer than the rows: the other
// rows have no value.
type cells interface {
	value(i int) Value
	// with returns the cells with other values in some rows, nil if no value is left.
	with(changes []change, c *Column, dictionary []*Dictionary) cells
	size() int
}

// change is a new value of a row of a block.
type change struct {
	row   int
	value Value
}

// changed returns the result of changes to cells that may be nil.
func changed(was cells, changes []change, c *Column, dictionary []*Dictionary) cells {
	if was == nil {
		switch c.Kind {
		case KindText:
			was = scalars{}
		case KindBool:
			was = &truths{}
		case KindTime:
			was = &times{}
		default:
			was = &lists{}
		}
	}
	return was.with(changes, c, dictionary)
}

// scalars are a text for each row.
type scalars struct{ run }

func (s scalars) value(i int) Value {
	if i >= s.len() {
		return Value{}
	}
	return Value{Text: s.at(i)}
}

func (s scalars) with(changes []change, c *Column, dictionary []*Dictionary) cells {
	edits, all := make([]edit, len(changes)), make([]string, len(changes))
	for i, change := range changes {
		all[i] = change.value.Text
		edits[i] = edit{change.row, change.row + 1, all[i : i+1]}
	}
	if next := splice(s.run, edits, c, dictionary[0]); next != nil {
		return scalars{next}
	}
	return nil
}

func (s scalars) size() int { return s.bytes() }

// truths are two bits for each row: whether it has a value, and the value.
type truths struct{ known, is Mask }

func (t *truths) value(i int) Value {
	switch {
	case !t.known.Has(i):
		return Value{}
	case t.is.Has(i):
		return Value{Truth: TruthTrue}
	}
	return Value{Truth: TruthFalse}
}

func (t *truths) with(changes []change, _ *Column, _ []*Dictionary) cells {
	next := *t
	for _, c := range changes {
		next.known.put(c.row, c.value.Truth != TruthNull)
		next.is.put(c.row, c.value.Truth == TruthTrue)
	}
	if next.known.Empty() {
		return nil
	}
	return &next
}

func (t *truths) size() int { return 64 }

// times are seconds, stored as differences to a first one if all are close enough.
type times struct {
	base   int64
	near   []uint32 // the difference plus one; 0: null
	remote []int64  // if near is not enough: the Value's
}

func (t *times) at(i int) int64 {
	switch {
	case i < len(t.near) && t.near[i] != 0:
		return t.base + int64(t.near[i]) - 1
	case i < len(t.remote):
		return t.remote[i]
	}
	return 0
}

func (t *times) value(i int) Value { return Value{Time: t.at(i)} }

func (t *times) with(changes []change, _ *Column, _ []*Dictionary) cells {
	all := make([]int64, max(len(t.near), len(t.remote), changes[len(changes)-1].row+1))
	for i := range all {
		all[i] = t.at(i)
	}
	for _, c := range changes {
		all[c.row] = c.value.Time
	}
	return packedTimes(all)
}

func packedTimes(all []int64) cells {
	least, most := int64(0), int64(0)
	for _, at := range all {
		if at != 0 && (least == 0 || at < least) {
			least = at
		}
		if at != 0 && (most == 0 || at > most) {
			most = at
		}
	}
	switch {
	case most == 0 && least == 0:
		return nil
	case most-least >= 1<<32-1:
		return &times{remote: all}
	}
	t := &times{base: least, near: make([]uint32, len(all))}
	for i, at := range all {
		if at != 0 {
			t.near[i] = uint32(at-least) + 1
		}
	}
	return t
}

func (t *times) size() int { return 64 + 4*len(t.near) + 8*len(t.remote) }

// lists are a collection for each row: runs of elements, those of a row up to its end. Each field
// of the elements is a separate run, nil if no element has it.
type lists struct {
	ends   []uint32
	fields []run
}

func (l *lists) bounds(i int) (from, to int) {
	if i >= len(l.ends) {
		return 0, 0
	}
	if i > 0 {
		from = int(l.ends[i-1])
	}
	return from, int(l.ends[i])
}

func (l *lists) value(i int) Value {
	from, to := l.bounds(i)
	if from == to {
		return Value{}
	}
	all := make([]string, 0, (to-from)*len(l.fields))
	for e := from; e < to; e++ {
		for _, f := range l.fields {
			all = append(all, at(f, e))
		}
	}
	return Value{Texts: all}
}

func at(r run, i int) string {
	if r == nil || i >= r.len() {
		return ""
	}
	return r.at(i)
}

func (l *lists) with(changes []change, c *Column, dictionary []*Dictionary) cells {
	width := c.width()
	next := &lists{ends: l.newEnds(changes, width), fields: make([]run, width)}
	if next.ends[len(next.ends)-1] == 0 {
		return nil
	}
	for f := range next.fields {
		edits := make([]edit, len(changes))
		for i, change := range changes {
			from, to := l.bounds(change.row)
			if change.row >= len(l.ends) && len(l.ends) > 0 {
				from = int(l.ends[len(l.ends)-1])
				to = from
			}
			edits[i] = edit{from, to, field(change.value.Texts, f, width)}
		}
		var was run
		if len(l.fields) > 0 {
			was = l.fields[f]
		}
		next.fields[f] = splice(was, edits, c, dictionary[f])
	}
	return next
}

// newEnds returns where the rows' elements end after the changes.
func (l *lists) newEnds(changes []change, width int) []uint32 {
	ends := make([]uint32, max(len(l.ends), changes[len(changes)-1].row+1))
	total := uint32(0)
	for i := range ends {
		from, to := l.bounds(i)
		n := uint32(to - from)
		if len(changes) > 0 && changes[0].row == i {
			n, changes = uint32(len(changes[0].value.Texts)/width), changes[1:]
		}
		total += n
		ends[i] = total
	}
	return ends
}

// field returns the values of one field of consecutive elements.
func field(all []string, f, width int) []string {
	if width == 1 {
		return all
	}
	some := make([]string, 0, len(all)/width)
	for i := f; i < len(all); i += width {
		some = append(some, all[i])
	}
	return some
}

func (l *lists) size() int {
	n := 64 + 4*len(l.ends)
	for _, f := range l.fields {
		if f != nil {
			n += f.bytes()
		}
	}
	return n
}

// clone returns a copy of which the draft may change the list of cells, but not the cells.
func (b *block) clone() *block {
	return &block{live: b.live, deleted: b.deleted, cells: slices.Clone(b.cells)}
}
