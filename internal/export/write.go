package export

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/jsontext"
	"licensor/internal/sheet"
)

// Format is a form of text in which tables are written.
type Format string

// The formats.
const (
	FormatJSONLines Format = "jsonl"
	FormatCSV       Format = "csv"
)

// UnknownTableError is the name of a table that does not exist.
type UnknownTableError struct{ Name string }

func (e *UnknownTableError) Error() string {
	return fmt.Sprintf("there is no table %q; the tables are %s", e.Name, strings.Join(Tables(), ", "))
}

// writer writes the rows of tables.
type writer interface {
	begin(t *table) error
	write(t *table, row [][]byte) error
	end() error // of all tables
}

// Write writes tables to a stream, in the given order: any number of them as JSON lines, one as
// CSV. The error is an *UnknownTableError for the name of a table that does not exist.
func (t *Tenant) Write(w io.Writer, format Format, names ...string) error {
	if format == FormatCSV && len(names) != 1 {
		return errors.New("one table is written as CSV")
	}
	list, err := named(names)
	if err != nil {
		return err
	}
	t.begin(list)
	return t.write(newWriter(w, format), list)
}

func newWriter(w io.Writer, format Format) writer {
	buffered := bufio.NewWriterSize(w, 64<<10)
	if format == FormatCSV {
		return &csvWriter{out: buffered}
	}
	return &lineWriter{out: buffered}
}

// named returns tables by their names.
func named(names []string) (list []*table, err error) {
	for _, name := range names {
		t, ok := tableNamed(name)
		if !ok {
			return nil, &UnknownTableError{name}
		}
		if !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	return list, nil
}

func (t *Tenant) write(out writer, list []*table) error {
	for _, table := range list {
		if err := t.writeTable(out, table); err != nil {
			return err
		}
	}
	return out.end()
}

func (t *Tenant) writeTable(out writer, table *table) error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	if err := out.begin(table); err != nil {
		return err
	}
	if err := table.rows(t, &rowWriter{tenant: t, table: table, out: out}); err != nil {
		return fmt.Errorf("export the table %s: %w", table.name, err)
	}
	return nil
}

// lineWriter writes JSON lines.
type lineWriter struct {
	out  *bufio.Writer
	line []byte
}

func (w *lineWriter) begin(*table) error { return nil }

func (w *lineWriter) end() error { return w.out.Flush() }

func (w *lineWriter) write(t *table, row [][]byte) error {
	if t.imported != nil && !t.imported(row) {
		return nil
	}
	b := jsontext.AppendName(append(w.line[:0], '{'), t.line)
	b = append(b, '{')
	for i, c := range t.columns {
		if c.inJSON == "-" || isAbsent(row[i]) && !c.keep {
			continue
		}
		name := c.inJSON
		if name == "" {
			name = c.name
		}
		b = append(jsontext.AppendName(b, name), row[i]...)
	}
	w.line = append(b, "}}\n"...)
	_, err := w.out.Write(w.line)
	return err
}

// isAbsent reports whether documents do not have a value.
func isAbsent(value []byte) bool {
	return string(value) == "null" || string(value) == "[]" || string(value) == jsontext.ZeroTime
}

// csvWriter writes a table as spreadsheets read it: in UTF-8 with a byte order mark, as RFC 4180
// describes it.
type csvWriter struct {
	out   *bufio.Writer
	cells []string
	row   bytes.Buffer
}

func (w *csvWriter) begin(t *table) error {
	if _, err := w.out.WriteString("\ufeff"); err != nil {
		return err
	}
	w.cells = w.cells[:0]
	for _, c := range t.columns {
		w.cells = append(w.cells, c.name)
	}
	return w.flush()
}

func (w *csvWriter) end() error { return w.out.Flush() }

func (w *csvWriter) write(t *table, row [][]byte) error {
	w.cells = w.cells[:0]
	for i, c := range t.columns {
		cell, err := cellOf(c, row[i])
		if err != nil {
			return err
		}
		w.cells = append(w.cells, sheet.Harmless(cell))
	}
	return w.flush()
}

// flush writes the cells. Rows end with CR LF; line breaks in cells stay as they are.
func (w *csvWriter) flush() error {
	w.row.Reset()
	one := csv.NewWriter(&w.row)
	if err := one.Write(w.cells); err != nil {
		return err
	}
	one.Flush()
	row := bytes.TrimSuffix(w.row.Bytes(), []byte("\n"))
	_, err := w.out.Write(append(row, "\r\n"...))
	return err
}

// cellOf returns a value as the text of a cell. The texts of a list are separated by semicolons.
func cellOf(c column, value []byte) (text string, err error) {
	switch {
	case isAbsent(value):
		return "", nil
	case c.kind == directory.KindStringCollection:
		var list []string
		err = json.Unmarshal(value, &list)
		return strings.Join(list, ";"), err
	case value[0] == '"':
		return textOf(value)
	}
	return string(value), nil
}

// textOf reads a text in JSON.
func textOf(value []byte) (text string, err error) {
	if !bytes.Contains(value, []byte{'\\'}) {
		return string(value[1 : len(value)-1]), nil
	}
	err = json.Unmarshal(value, &text)
	return text, err
}
