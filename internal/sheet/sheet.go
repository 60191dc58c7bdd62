// Package sheet reads CSV as spreadsheets write it: with semicolons where the comma is the decimal
// point, and with rows that somebody has edited by hand.
//
// It cuts the rows apart itself, before encoding/csv takes them, because that cannot recover from a
// quotation mark that is never closed: it takes the rest of the file for one cell. Here only the
// line where it stands is lost, and the lines after it are rows of their own.
package sheet

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// Reader reads the lines of a file, and rows that go over several of them.
type Reader struct {
	Comma rune // stands between cells, see Separator
	// Lazy takes a quotation mark that is out of place for a character like others.
	Lazy bool

	lines  *bufio.Scanner
	most   int // lines of a row
	line   int
	ahead  []string // lines that were read and given back
	source strings.Reader
	buffer *bufio.Reader
}

// NewReader returns a Reader of lines. A cell with line breaks may make one row of most lines.
func NewReader(lines *bufio.Scanner, most int) *Reader {
	return &Reader{Comma: ',', lines: lines, most: most, buffer: bufio.NewReader(nil)}
}

// Line is the number of the line that was read last.
func (r *Reader) Line() int { return r.line }

// Next returns the next line, io.EOF after the last one, and the scanner's errors.
func (r *Reader) Next() (string, error) {
	if len(r.ahead) > 0 {
		text := r.ahead[0]
		r.ahead = r.ahead[1:]
		r.line++
		return text, nil
	}
	if !r.lines.Scan() {
		if err := r.lines.Err(); err != nil {
			return "", err
		}
		return "", io.EOF
	}
	r.line++
	return r.lines.Text(), nil
}

// Row takes the row that begins with a line: the line alone or, while a quotation mark is open,
// with the lines after it. It reports whether a row came to an end that fits. Otherwise only the
// first line is read, and a quotation mark was not closed unless fits said no to that line.
func (r *Reader) Row(first string, fits func(row string) bool) bool {
	if !Open(first) {
		return fits(first)
	}
	row := first
	var taken []string
	for Open(row) && len(taken) < r.most {
		line, err := r.Next()
		if err != nil {
			break // the end of the file, or what the next line will meet again
		}
		taken = append(taken, line)
		row += "\n" + line
	}
	if !Open(row) && fits(row) {
		return true
	}
	r.ahead = append(taken, r.ahead...)
	r.line -= len(taken)
	return false
}

// Open reports whether a quotation mark is not closed.
func Open(text string) bool { return strings.Count(text, `"`)%2 == 1 }

// Split cuts a row into cells, and reports whether that was the whole of it. Its errors are io.EOF
// for an empty row, and unless the Reader is Lazy *csv.ParseError.
func (r *Reader) Split(row string) (cells []string, whole bool, err error) {
	r.source.Reset(row)
	r.buffer.Reset(&r.source)
	reader := csv.NewReader(r.buffer)
	reader.Comma, reader.LazyQuotes, reader.FieldsPerRecord = r.Comma, r.Lazy, -1
	if cells, err = reader.Read(); err != nil {
		return nil, false, err
	}
	_, err = reader.Read()
	return cells, errors.Is(err, io.EOF), nil
}

// Separator is what stands between the headings of a header.
func Separator(header string) rune {
	best, most := ',', 0
	for _, c := range ",;\t" {
		if n := strings.Count(header, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}
