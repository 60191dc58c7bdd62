package catalog

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	maxLine     = 1 << 20 // bytes; the longest line of the published table has 400
	maxRowLines = 20      // lines that a cell with line breaks may make one row of
)

// rows cuts a file into rows of cells. It stands before encoding/csv because that cannot recover
// from a quotation mark that is never closed: it takes the rest of the file for one cell.
type rows struct {
	lines  *bufio.Scanner
	line   int      // number of the line read last
	ahead  []string // lines that were read and given back
	comma  rune     // as the header has it
	width  int      // columns of the header, 0 before it is known
	report *Report
	source strings.Reader
	buffer *bufio.Reader
}

type row struct {
	line  int
	cells []string
}

func newRows(r io.Reader, report *Report) *rows {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	lines.Split(splitLine)
	return &rows{lines: lines, report: report, buffer: bufio.NewReader(nil)}
}

// next returns io.EOF after the last row.
func (r *rows) next() (row, error) {
	text, err := r.nextLine()
	if err != nil {
		return row{}, err
	}
	if r.width == 0 {
		r.comma = separator(text)
	}
	start := r.line
	if !open(text) {
		cells, _ := r.split(text)
		return row{start, cells}, nil
	}
	cells, err := r.joined(text)
	return row{start, cells}, err
}

func (r *rows) nextLine() (string, error) {
	if len(r.ahead) > 0 {
		line := r.ahead[0]
		r.ahead = r.ahead[1:]
		r.line++
		return line, nil
	}
	if !r.lines.Scan() {
		return "", r.ended()
	}
	r.line++
	return r.lines.Text(), nil
}

func (r *rows) ended() error {
	switch err := r.lines.Err(); {
	case err == nil:
		return io.EOF
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("line %d is longer than %d bytes: is this a CSV file?", r.line+1, maxLine)
	default:
		return fmt.Errorf("after line %d: %w", r.line, err)
	}
}

// joined reads on while a quotation mark is open. If none closes it, or the one that does would
// make a cell of whole rows, it is taken for a slip: the row then ends with its line, and the lines
// after it are rows of their own.
func (r *rows) joined(first string) ([]string, error) {
	text := first
	var taken []string
	for open(text) && len(taken) < maxRowLines {
		line, err := r.nextLine()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		taken = append(taken, line)
		text += "\n" + line
	}
	if cells, whole := r.split(text); !open(text) && whole && !r.swallowed(cells) {
		return cells, nil
	}
	r.ahead = append(taken, r.ahead...)
	r.line -= len(taken)
	begin, _ := readable(first)
	r.report.note(r.line, "a quotation mark is not closed; the row was read to the end of its line: %s", shortened(begin))
	cells, _ := r.split(first)
	return cells, nil
}

// split cuts one row; whole says that nothing of the text was left over.
func (r *rows) split(text string) (cells []string, whole bool) {
	r.source.Reset(text)
	r.buffer.Reset(&r.source)
	reader := csv.NewReader(r.buffer)
	reader.Comma = r.comma
	reader.LazyQuotes = true
	reader.FieldsPerRecord = -1
	cells, err := reader.Read()
	if err != nil {
		return nil, true // an empty line; lazily read, nothing else is an error
	}
	_, err = reader.Read()
	return cells, errors.Is(err, io.EOF)
}

// swallowed says that a line of a cell looks like a row itself.
func (r *rows) swallowed(cells []string) bool {
	for _, cell := range cells {
		for line := range strings.Lines(cell) {
			if r.width > 1 && strings.Count(line, string(r.comma)) >= r.width-1 {
				return true
			}
		}
	}
	return false
}

func open(text string) bool { return strings.Count(text, `"`)%2 == 1 }

// separator is what stands between the headings: spreadsheets write semicolons where the comma is
// the decimal point.
func separator(header string) rune {
	best, most := ',', 0
	for _, c := range ",;\t" {
		if n := strings.Count(header, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}

// splitLine ends lines at LF, CR LF and at a CR of its own.
func splitLine(data []byte, atEOF bool) (advance int, token []byte, err error) {
	at := bytes.IndexAny(data, "\r\n")
	switch {
	case at < 0 && atEOF && len(data) > 0:
		return len(data), data, nil
	case at < 0:
		return 0, nil, nil
	case data[at] == '\n':
		return at + 1, data[:at], nil
	case at+1 < len(data) && data[at+1] == '\n':
		return at + 2, data[:at], nil
	case at+1 < len(data) || atEOF:
		return at + 1, data[:at], nil
	default:
		return 0, nil, nil // whether an LF follows is not known yet
	}
}
