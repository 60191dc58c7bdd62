package importing

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"licensor/internal/excerpt"
	"licensor/internal/jsontext"
	"licensor/internal/sheet"
)

// table is rows of CSV.
type table struct {
	rows    *sheet.Reader
	header  []string
	columns []column // set by settle
	said    []string
}

// maxRowLines is the maximum number of lines of one row, whose cells may contain line breaks.
const maxRowLines = 50

func newTable(in io.Reader) (*table, error) {
	t := &table{rows: sheet.NewReader(newLineScanner(in), maxRowLines)}
	t.rows.Longest = maxRow
	first, err := t.nextLine()
	separator, told := strings.CutPrefix(first, "sep=") // tells spreadsheets the separator
	if told = told && err == nil && len(separator) == 1; told {
		first, err = t.nextLine()
	}
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty; it begins with a header such as userPrincipalName,displayName,…")
	}
	if err != nil {
		return nil, err
	}
	if len(first) > maxRow {
		return nil, fmt.Errorf("line %d is longer than %d MB: it must be a header such as userPrincipalName,"+
			"displayName,…", t.rows.Line(), maxRow>>20)
	}
	if t.rows.Comma = sheet.Separator(first); told {
		t.rows.Comma = rune(separator[0])
	}
	if t.header, err = t.split(first); err != nil {
		return nil, fmt.Errorf("line %d: the header cannot be read: %w", t.rows.Line(), err)
	}
	for i, name := range t.header {
		t.header[i] = strings.TrimSpace(name)
	}
	return t, nil
}

func (t *table) names() []string { return t.header }

func (t *table) notes() []string { return t.said }

// nextLine returns the next line that is not empty.
func (t *table) nextLine() (string, error) {
	for {
		text, err := t.rows.Next()
		if err != nil {
			return "", ended(err, t.rows.Line())
		}
		if strings.TrimSpace(text) != "" {
			return text, nil
		}
	}
}

func (t *table) next() (record, error) {
	text, err := t.nextLine()
	if err != nil {
		return record{}, err
	}
	r := record{line: t.rows.Line()}
	if len(text) > maxRow {
		r.fault = errLong
		return r, nil
	}
	cells, err := t.cells(text)
	if err == nil {
		r.object, err = t.object(cells)
	}
	r.fault = err
	return r, nil
}

// cells returns the cells of the row that begins with a line.
func (t *table) cells(first string) (cells []string, err error) {
	fits := func(row string) bool {
		cells, err = t.whole(row)
		return err == nil
	}
	if !t.rows.Row(first, fits) && sheet.Open(first) {
		return nil, errors.New("a quotation mark is not closed")
	}
	return cells, err
}

// whole splits a row, which must have as many cells as the header. Additional empty cells are
// ignored.
func (t *table) whole(row string) ([]string, error) {
	if !utf8.ValidString(row) {
		return nil, errors.New(`it is not UTF-8; save the file as "CSV UTF-8"`)
	}
	cells, err := t.split(row)
	if err != nil {
		return nil, err
	}
	for len(cells) > len(t.header) && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	if len(cells) != len(t.header) {
		return nil, fmt.Errorf("it has %d cells, and the header %d; a cell with %q in it needs quotation marks",
			len(cells), len(t.header), t.rows.Comma)
	}
	return cells, nil
}

func (t *table) split(row string) ([]string, error) {
	cells, _, err := t.rows.Split(row)
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return nil, fmt.Errorf("a quotation mark is out of place near column %d: %w", e.Column, e.Err)
	}
	return cells, err
}

// settle determines the properties of the columns, once the kind is known.
func (t *table) settle(k Kind) error {
	t.columns = make([]column, len(t.header))
	for i, name := range t.header {
		c, ok := columnOf(k, name)
		switch {
		case name == "":
			continue
		case !ok:
			t.said = append(t.said, fmt.Sprintf("column %q is not a property of %s and is not read", name, k))
			continue
		case slices.Contains(t.columns[:i], c):
			return fmt.Errorf("duplicate column %s", c.name)
		}
		t.columns[i] = c
	}
	for _, need := range required[k] {
		if !slices.ContainsFunc(t.columns, func(c column) bool { return c.name == need }) {
			return fmt.Errorf("the header has no column %s, which %s must have; it has %s",
				need, k, excerpt.Of(strings.Join(t.header, ", "), 200))
		}
	}
	return nil
}

// object writes a row as JSON.
func (t *table) object(cells []string) ([]byte, error) {
	size := 2
	for i, c := range t.columns {
		size += len(c.name) + len(cells[i]) + len(`"":"",`)
	}
	b := append(make([]byte, 0, size), '{')
	for i, c := range t.columns {
		cell := strings.TrimSpace(cells[i])
		if c.name == "" || cell == "" {
			continue
		}
		var err error
		if b, err = c.append(jsontext.AppendName(b, c.name), cell); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}
