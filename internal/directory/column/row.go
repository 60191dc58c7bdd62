package column

// Row is one row of a table. It is immutable.
type Row struct {
	schema *Schema
	cells  []cells // nil for a row that does not exist
	i      int     // of the block's rows
}

// Schema returns the columns of the row.
func (r Row) Schema() *Schema { return r.schema }

func (r Row) in(column int) cells {
	if r.cells == nil {
		return nil
	}
	return r.cells[column]
}

// Value returns the row's value in a column.
func (r Row) Value(column int) Value {
	if c := r.in(column); c != nil {
		return c.value(r.i)
	}
	return Value{}
}

// text returns the run that has the row's text; none if it has no text.
func (r Row) text(column int) scalars {
	if s, ok := r.in(column).(scalars); ok && r.i < s.len() {
		return s
	}
	return scalars{}
}
