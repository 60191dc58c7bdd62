package tables

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// Format is the form in which rows are printed.
type Format int

// The formats.
const (
	Text Format = iota
	CSV
	JSON
)

// Writer prints rows. Errors of what it writes to come again with End.
type Writer struct {
	// None is printed in place of a table without rows, unless it is empty.
	None string

	columns []Column
	format  Format
	look    Look
	out     *bufio.Writer
	csv     *csv.Writer
	waiting []line // rows that are written when the widths are known
	layout  layout // nil: not known yet
	rows    int
	begun   bool // JSON has its first member
}

// NewWriter returns a Writer of rows with cells in columns.
func NewWriter(out io.Writer, format Format, look Look, columns ...Column) *Writer {
	w := &Writer{columns: columns, format: format, look: look, out: bufio.NewWriter(out)}
	w.csv = csv.NewWriter(w.out)
	return w
}

// JSON reports whether rows are written as JSON, so that cells are not needed.
func (w *Writer) JSON() bool { return w.format == JSON }

// Member adds a member to JSON, before the first row.
func (w *Writer) Member(name string, value any) {
	if w.format != JSON {
		return
	}
	_, _ = w.out.WriteString(w.separator("{\n  ", ",\n  ") + `"` + name + `": `)
	w.value(value, "  ")
}

// separator returns first the first time, and then next.
func (w *Writer) separator(first, next string) string {
	if w.begun {
		return next
	}
	w.begun = true
	return first
}

func (w *Writer) value(value any, indent string) {
	raw, ok := value.(json.RawMessage)
	if !ok {
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			panic(err) // the program's own values have JSON
		}
		raw = bytes.TrimSpace(b.Bytes())
	}
	var b bytes.Buffer
	if json.Indent(&b, raw, indent, "  ") != nil {
		b.Reset()
		b.Write(raw)
	}
	_, _ = w.out.Write(b.Bytes())
}

// layoutRows is the number of rows that the widths of a table are computed from.
const layoutRows = 1000

// Row prints a row: value as JSON, the cells otherwise, one for each column. A cell is a text, a
// number, nil, or a Cell.
func (w *Writer) Row(value any, cells ...any) error { return w.Noted(0, nil, value, cells...) }

// Noted is Row with notes about a column. A table has them below the row, each with an arrow; CSV
// has them in the column that Notes of that one names, separated by semicolons.
func (w *Writer) Noted(column int, notes []string, value any, cells ...any) error {
	w.rows++
	switch w.format {
	case JSON:
		if w.rows == 1 {
			_, _ = w.out.WriteString(w.separator("{\n  ", ",\n  ") + `"value": [`)
		} else {
			_ = w.out.WriteByte(',')
		}
		_, _ = w.out.WriteString("\n    ")
		w.value(value, "    ")
		_, err := w.out.Write(nil)
		return err
	case CSV:
		if w.rows == 1 {
			w.header()
		}
		return w.csv.Write(w.record(cells, notes))
	default:
		err := w.line(cells)
		for _, note := range notes {
			below := make([]any, len(w.columns))
			below[column] = "→ " + note
			err = errors.Join(err, w.line(below))
		}
		return err
	}
}

// record returns a line of CSV.
func (w *Writer) record(cells []any, notes []string) []string {
	row := make([]string, 0, len(cells)+1)
	for i := range cells {
		row = append(row, csvCell(cells[i]))
		if w.columns[i].Notes != "" {
			row = append(row, csvCell(strings.Join(notes, "; ")))
		}
	}
	return row
}

func (w *Writer) header() {
	var names []string
	for i := range w.columns {
		names = append(names, w.columns[i].Name)
		if notes := w.columns[i].Notes; notes != "" {
			names = append(names, notes)
		}
	}
	_ = w.csv.Write(names)
}

// line writes a line of a table, or keeps it until the widths are known.
func (w *Writer) line(cells []any) error {
	row := line{make([]string, len(cells)), make([]Sign, len(cells))}
	for i := range cells {
		row.cells[i], row.signs[i] = text(cells[i])
	}
	if w.layout == nil {
		if w.waiting = append(w.waiting, row); len(w.waiting) >= layoutRows {
			w.begin()
		}
		return nil
	}
	_, err := w.out.WriteString(w.layout.format(w.columns, row, w.look))
	return err
}

// begin writes the headings, and the rows that wait.
func (w *Writer) begin() {
	w.layout = newLayout(w.columns, w.waiting, w.look.Width)
	_, _ = w.out.WriteString(w.layout.head(w.columns, w.look))
	for _, row := range w.waiting {
		_, _ = w.out.WriteString(w.layout.format(w.columns, row, w.look))
	}
	w.waiting = nil
}

// End prints the end, and whether there are more rows that are not printed, which CSV does not say.
func (w *Writer) End(more bool) error {
	switch {
	case w.format == JSON:
		if w.rows == 0 {
			_, _ = w.out.WriteString(w.separator("{\n  ", ",\n  ") + `"value": []`)
		} else {
			_, _ = w.out.WriteString("\n  ]")
		}
		w.Member("more", more)
		_, _ = w.out.WriteString("\n}\n")
	case w.format == CSV:
		if w.rows == 0 {
			w.header()
		}
		w.csv.Flush()
	case w.rows == 0 && w.None != "":
		_, _ = w.out.WriteString(w.None + "\n")
	case w.rows == 0:
	case w.layout == nil:
		w.begin()
	}
	return w.out.Flush()
}
