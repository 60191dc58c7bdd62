package column

// Reader reads one column row by row. Reading consecutive rows of a block takes no more time than
// reading the values. A Reader is not safe for concurrent use.
type Reader struct {
	column int
	first  *cells // of the block that was read last

	// The block's values in the column; all fields are nil if no row has a value.
	codes  *codes
	texts  *texts
	truths *truths
	times  *times
	lists  *lists
}

// NewReader returns a Reader of a column, by its place in the schema.
func NewReader(column int) Reader { return Reader{column: column} }

// move selects a row's block.
func (r *Reader) move(row *Row) {
	if len(row.cells) == 0 {
		*r = Reader{column: r.column}
		return
	}
	if r.first == &row.cells[0] {
		return
	}
	*r = Reader{column: r.column, first: &row.cells[0]}
	switch c := row.cells[r.column].(type) {
	case scalars:
		r.codes, _ = c.run.(*codes)
		r.texts, _ = c.run.(*texts)
	case *truths:
		r.truths = c
	case *times:
		r.times = c
	case *lists:
		r.lists = c
	}
}

// AppendText appends the row's text in a column of texts; nothing for null. If it returns true, the
// text is plain, as in Word; otherwise it may be plain or not.
func (r *Reader) AppendText(dst []byte, row *Row) (text []byte, plain bool) {
	r.move(row)
	switch {
	case r.codes != nil && row.i < r.codes.len():
		word := &r.codes.words[r.codes.code(row.i)]
		return append(dst, word.Text...), word.Plain
	case r.texts != nil && row.i < r.texts.len():
		return r.texts.appendTo(dst, row.i), r.texts.plain
	}
	return dst, true
}

// Truth returns the row's value in a column of booleans.
func (r *Reader) Truth(row *Row) Truth {
	if r.move(row); r.truths == nil {
		return TruthNull
	}
	return r.truths.value(row.i).Truth
}

// Time returns the row's time in a column of times, in the form of a Value.
func (r *Reader) Time(row *Row) int64 {
	if r.move(row); r.times == nil {
		return 0
	}
	return r.times.at(row.i)
}

// Elements returns the number of the row's elements in a column of collections.
func (r *Reader) Elements(row *Row) int {
	if r.move(row); r.lists == nil {
		return 0
	}
	from, to := r.lists.bounds(row.i)
	return to - from
}

// AppendElement appends element i of the row in a column of KindTexts.
func (r *Reader) AppendElement(dst []byte, row *Row, i int) []byte {
	if r.move(row); r.lists == nil {
		return dst
	}
	if from, _ := r.lists.bounds(row.i); r.lists.fields[0] != nil && from+i < r.lists.fields[0].len() {
		return r.lists.fields[0].appendTo(dst, from+i)
	}
	return dst
}
