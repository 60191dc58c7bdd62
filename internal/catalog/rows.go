package catalog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"licensor/internal/sheet"
)

const (
	maxLine     = 1 << 20 // bytes; the longest line of the published table has 400
	maxRowLines = 20      // maximum number of lines of a row, whose cells may contain line breaks
)

// rows splits a file into rows of cells.
type rows struct {
	*sheet.Reader
	width  int // columns of the header, 0 before it is known
	report *Report
}

type row struct {
	line  int
	cells []string
}

func newRows(r io.Reader, report *Report) *rows {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	lines.Split(splitLine)
	in := sheet.NewReader(lines, maxRowLines)
	in.Lazy = true
	return &rows{Reader: in, report: report}
}

// next returns io.EOF after the last row. A quotation mark that is not closed, or whose closing one
// would make a cell of whole rows, is treated as a mistake: the row then ends with its line.
func (r *rows) next() (row, error) {
	text, err := r.Next()
	if err != nil {
		return row{}, r.explained(err)
	}
	if r.width == 0 {
		r.Comma = sheet.Separator(text)
	}
	is := row{line: r.Line()}
	fits := func(whole string) bool {
		cells, all := r.split(whole)
		is.cells = cells
		return !sheet.Open(text) || all && !r.swallowed(cells)
	}
	if !r.Row(text, fits) {
		begin, _ := readable(text)
		r.report.note(is.line, "a quotation mark is not closed; the row was read to the end of its line: %s",
			shortened(begin))
		is.cells, _ = r.split(text)
	}
	return is, nil
}

// explained rewords an error of next for the owner of the file.
func (r *rows) explained(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return io.EOF
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("line %d is longer than %d bytes: is this a CSV file?", r.Line()+1, maxLine)
	default:
		return fmt.Errorf("after line %d: %w", r.Line(), err)
	}
}

// split splits one row into cells. whole reports whether all of the text was used, which is also
// true of an empty line.
func (r *rows) split(text string) (cells []string, whole bool) {
	cells, whole, err := r.Split(text)
	return cells, whole || err != nil // read lazily, only an empty line is an error
}

// swallowed reports whether a line of a cell looks like a row itself.
func (r *rows) swallowed(cells []string) bool {
	for _, cell := range cells {
		for line := range strings.Lines(cell) {
			if r.width > 1 && strings.Count(line, string(r.Comma)) >= r.width-1 {
				return true
			}
		}
	}
	return false
}

// splitLine ends lines at LF, CR LF and a single CR.
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
		return 0, nil, nil // the next byte, which may be an LF, is not known yet
	}
}
