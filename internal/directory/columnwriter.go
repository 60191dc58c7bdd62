package directory

import (
	"licensor/internal/directory/column"
	"licensor/internal/jsontext"
)

// ColumnWriter writes rows' values in a column as JSON, in the form of Property.Append. It is not
// safe for concurrent use.
type ColumnWriter struct {
	reader column.Reader
	place  int
}

// NewColumnWriter returns a ColumnWriter of a column, by its place in the schema.
func NewColumnWriter(place int) ColumnWriter { return ColumnWriter{column.NewReader(place), place} }

// Append appends a row's value.
func (w *ColumnWriter) Append(dst []byte, row *column.Row) []byte {
	start := len(dst)
	switch row.Schema().Columns[w.place].Kind {
	case column.KindText:
		text, plain := w.reader.AppendText(append(dst, '"'), row)
		switch {
		case len(text) == start+1:
			return append(text[:start], "null"...)
		case plain:
			return append(text, '"')
		}
		return quoted(text, start)
	case column.KindTime:
		return jsontext.AppendTime(dst, column.AsTime(w.reader.Time(row)))
	case column.KindBool:
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

var truths = [...]string{column.TruthNull: "null", column.TruthFalse: "false", column.TruthTrue: "true"}

// quoted completes a JSON string at the end of dst: it escapes the text if necessary, and appends
// the last quotation mark.
func quoted(dst []byte, start int) []byte {
	for _, c := range dst[start+1:] {
		if c < ' ' || c == '"' || c == '\\' {
			return jsontext.AppendText(dst[:start], string(dst[start+1:]))
		}
	}
	return append(dst, '"')
}
