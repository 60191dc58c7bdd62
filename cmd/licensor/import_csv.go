package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"licensor/internal/excerpt"
)

// table is rows of CSV. It cuts the rows apart itself, because encoding/csv cannot recover from a
// quotation mark that is never closed: it takes the rest of the file for one cell.
type table struct {
	scanner *bufio.Scanner
	line    int      // number of the line read last
	ahead   []string // lines that were read and given back
	comma   rune
	header  []string
	columns []column // as settle finds them
	said    []string
	source  strings.Reader
	buffer  *bufio.Reader
}

// maxRowLines is how many lines a cell with line breaks may make one row of.
const maxRowLines = 50

func newTable(in io.Reader) (*table, error) {
	t := &table{scanner: bufio.NewScanner(in), buffer: bufio.NewReader(nil)}
	t.scanner.Buffer(make([]byte, 64<<10), maxRow)
	first, err := t.nextLine()
	if separator, ok := strings.CutPrefix(first, "sep="); ok && err == nil && len(separator) == 1 { // how spreadsheets are told
		t.comma = rune(separator[0])
		first, err = t.nextLine()
	}
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty; it begins with a header such as userPrincipalName,displayName,…")
	}
	if err != nil {
		return nil, err
	}
	if t.comma == 0 {
		t.comma = separatorOf(first)
	}
	if t.header, err = t.split(first); err != nil {
		return nil, fmt.Errorf("line %d: the header cannot be read: %w", t.line, err)
	}
	for i, name := range t.header {
		t.header[i] = strings.TrimSpace(name)
	}
	return t, nil
}

// separatorOf is what stands between the names of the header: spreadsheets write semicolons where
// the comma is the decimal point.
func separatorOf(header string) rune {
	best, most := ',', 0
	for _, c := range ",;\t" {
		if n := strings.Count(header, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}

func (t *table) names() []string { return t.header }

func (t *table) notes() []string { return t.said }

func (t *table) nextLine() (string, error) {
	for {
		if len(t.ahead) > 0 {
			text := t.ahead[0]
			t.ahead = t.ahead[1:]
			t.line++
			return text, nil
		}
		if !t.scanner.Scan() {
			return "", ended(t.scanner, t.line)
		}
		t.line++
		if text := t.scanner.Text(); strings.TrimSpace(text) != "" {
			return text, nil
		}
	}
}

func (t *table) next() (record, error) {
	text, err := t.nextLine()
	if err != nil {
		return record{}, err
	}
	r := record{line: t.line}
	cells, err := t.cells(text)
	if err == nil {
		r.object, err = t.object(cells)
	}
	r.fault = err
	return r, nil
}

// cells reads on while a quotation mark is open. When none closes it, or the one that does is the
// beginning of another cell, only the line where it stands is lost, and the lines after it are rows
// of their own.
func (t *table) cells(text string) ([]string, error) {
	if !open(text) {
		return t.whole(text)
	}
	var taken []string
	row := text
	for open(row) && len(taken) < maxRowLines {
		line, err := t.readOn()
		if err != nil {
			break // the end of the file, or what the next row will meet again
		}
		taken = append(taken, line)
		row += "\n" + line
	}
	if !open(row) {
		if cells, err := t.whole(row); err == nil {
			return cells, nil
		}
	}
	t.ahead = append(taken, t.ahead...)
	t.line -= len(taken)
	return nil, errors.New("a quotation mark is not closed")
}

// readOn is nextLine, but returns empty lines, too: within a cell they belong to it.
func (t *table) readOn() (string, error) {
	if len(t.ahead) > 0 {
		return t.nextLine()
	}
	if !t.scanner.Scan() {
		return "", ended(t.scanner, t.line)
	}
	t.line++
	return t.scanner.Text(), nil
}

func open(text string) bool { return strings.Count(text, `"`)%2 == 1 }

// whole splits a row, which must have as many cells as the header has names; empty ones beyond do
// no harm.
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
		return nil, fmt.Errorf("it has %d cells, and the header %d; a cell with %q in it needs quotation marks", len(cells), len(t.header), t.comma)
	}
	return cells, nil
}

func (t *table) split(row string) ([]string, error) {
	t.source.Reset(row)
	t.buffer.Reset(&t.source)
	reader := csv.NewReader(t.buffer)
	reader.Comma = t.comma
	cells, err := reader.Read()
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return nil, fmt.Errorf("a quotation mark is out of place near column %d: %w", e.Column, e.Err)
	}
	return cells, err
}

// settle finds the properties of the columns, once the kind is known.
func (t *table) settle(k kind) error {
	t.columns = make([]column, len(t.header))
	for i, name := range t.header {
		c, ok := columnOf(k, name)
		switch {
		case name == "":
			continue
		case !ok:
			t.said = append(t.said, fmt.Sprintf("column %q is no property of %s and is not read", name, k))
			continue
		case slices.Contains(t.columns[:i], c):
			return fmt.Errorf("column %s stands there twice", c.name)
		}
		t.columns[i] = c
	}
	for _, need := range required[k] {
		if !slices.ContainsFunc(t.columns, func(c column) bool { return c.name == need }) {
			return fmt.Errorf("the header has no column %s, which %s must have; it has %s", need, k, excerpt.Of(strings.Join(t.header, ", "), 200))
		}
	}
	return nil
}

// object writes a row as JSON.
func (t *table) object(cells []string) ([]byte, error) {
	b := []byte{'{'}
	for i, c := range t.columns {
		cell := strings.TrimSpace(cells[i])
		if c.name == "" || cell == "" {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		var err error
		b = append(append(append(b, '"'), c.name...), '"', ':')
		if b, err = c.append(b, cell); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}
