package column

// Row is one row of a table. It never changes.
type Row struct {
	schema *Schema
	cells  []cells // nil for a row that there is not
	i      int     // of the block's rows
}

// Schema returns the columns that the row has.
func (r Row) Schema() *Schema { return r.schema }

func (r Row) in(column int) cells {
	if r.cells == nil {
		return nil
	}
	return r.cells[column]
}

// Value returns what the row has in a column.
func (r Row) Value(column int) Value {
	if c := r.in(column); c != nil {
		return c.value(r.i)
	}
	return Value{}
}

// text returns the run that has the row's text; none when it has no text.
func (r Row) text(column int) scalars {
	if s, ok := r.in(column).(scalars); ok && r.i < s.len() {
		return s
	}
	return scalars{}
}

// AppendText appends the text that the row has in a column of texts; nothing for null.
func (r Row) AppendText(dst []byte, column int) []byte {
	if s := r.text(column); s.run != nil {
		return s.appendTo(dst, r.i)
	}
	return dst
}

// Truth returns what the row has in a column of booleans.
func (r Row) Truth(column int) Truth {
	if c, ok := r.in(column).(*truths); ok {
		return c.value(r.i).Truth
	}
	return Null
}

// Time returns the time that the row has in a column of times, as a Value has it.
func (r Row) Time(column int) int64 {
	if c, ok := r.in(column).(*times); ok {
		return c.at(r.i)
	}
	return 0
}

// Elements returns how many elements the row has in a column of collections.
func (r Row) Elements(column int) int {
	if l, ok := r.in(column).(*lists); ok {
		from, to := l.bounds(r.i)
		return to - from
	}
	return 0
}

// AppendElement appends element i of the row in a column of Texts.
func (r Row) AppendElement(dst []byte, column, i int) []byte {
	l, ok := r.in(column).(*lists)
	if !ok {
		return dst
	}
	if from, _ := l.bounds(r.i); l.fields[0] != nil && from+i < l.fields[0].len() {
		return l.fields[0].appendTo(dst, from+i)
	}
	return dst
}
