package directory

import (
	"encoding/binary"

	"licensor/directory/column"
)

// ColumnWriter writes what rows have in a column as JSON, as Property.Append writes the property of the object. It is for one goroutine.
type ColumnWriter struct {
	reader column.Reader
	place  int
}

// NewColumnWriter returns a ColumnWriter of a column, by its place in the schema.
func NewColumnWriter(place int) ColumnWriter { return ColumnWriter{column.NewReader(place), place} }

// Append writes what a row has.
func (w *ColumnWriter) Append(dst []byte, row *column.Row) []byte {
	start := len(dst)
	switch row.Schema().Columns[w.place].Kind {
	case column.Text:
		if dst = w.reader.AppendText(append(dst, '"'), row); len(dst) == start+1 {
			return append(dst[:start], "null"...)
		}
		return quoted(dst, start)
	case column.Time:
		return appendTime(dst, column.AsTime(w.reader.Time(row)))
	case column.Bool:
		return append(dst, truths[w.reader.Truth(row)]...)
	}
	dst = append(dst, '[')
	for i := range w.reader.Elements(row) {
		if i > 0 {
			dst = append(dst, ',')
		}
		start := len(dst)
		dst = quoted(w.reader.AppendElement(append(dst, '"'), row, i), start)
	}
	return append(dst, ']')
}

var truths = [...]string{column.Null: "null", column.False: "false", column.True: "true"}

// quoted completes a string of JSON of which all but the last quotation mark stands from a place on as it is.
func quoted(dst []byte, start int) []byte {
	if mustEscape(dst[start+1:]) {
		return appendString(dst[:start], string(dst[start+1:]))
	}
	return append(dst, '"')
}

// mustEscape says whether a text has control characters, quotation marks or backslashes. It looks at eight bytes in one go.
func mustEscape(text []byte) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; len(text) >= 8; text = text[8:] {
		word := binary.LittleEndian.Uint64(text)
		quote, slash := word^ones*'"', word^ones*'\\'
		if ((word-ones*' ')&^word|(quote-ones)&^quote|(slash-ones)&^slash)&highs != 0 {
			return true
		}
	}
	for _, c := range text {
		if c < ' ' || c == '"' || c == '\\' {
			return true
		}
	}
	return false
}
