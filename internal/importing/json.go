package importing

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"licensor/internal/directory"
)

// maxRow limits the size of a row, so that a file of another type does not fill the memory.
const maxRow = 4 << 20

var (
	errLong = fmt.Errorf("it is longer than %d MB, and no object can be: shorten its values, or put each object on "+
		"a line of its own", maxRow>>20)
	errEncoding = errors.New("it is not UTF-8; save the file as UTF-8")
)

// lines are rows of JSON, an object a line.
type lines struct {
	scanner *lineScanner
	line    int
	first   *record // read ahead for its names
}

func newLines(in io.Reader) (*lines, error) {
	l := &lines{scanner: newLineScanner(in)}
	first, err := l.next()
	first.object = bytes.Clone(first.object) // its names are read later
	l.first = &first
	return l, err
}

func (l *lines) notes() []string { return nil }

func (l *lines) names() []string { return namesOf(l.first.object) }

func namesOf(object []byte) []string {
	var properties map[string]json.RawMessage
	_ = json.Unmarshal(object, &properties) // a row that is not an object has no names
	return slices.Sorted(maps.Keys(properties))
}

func (l *lines) next() (record, error) {
	if l.first != nil {
		r := *l.first
		l.first = nil
		return r, nil
	}
	for l.scanner.Scan() {
		l.line++
		switch text := bytes.TrimSpace(l.scanner.Bytes()); {
		case len(text) > maxRow:
			return record{line: l.line, fault: errLong}, nil
		case utf8.Valid(text) && directory.IsObject(text):
			return record{line: l.line, object: text}, nil
		case len(text) > 0:
			return newRecord(l.line, text), nil
		}
	}
	return record{}, ended(cmp.Or(l.scanner.Err(), io.EOF), l.line)
}

// ended returns the reason that there was no further line.
func ended(err error, line int) error {
	switch {
	case errors.Is(err, io.EOF):
		return io.EOF
	default:
		return fmt.Errorf("after line %d: %w", line, err)
	}
}

// newRecord checks that a text is a JSON object, and copies it without its line breaks.
func newRecord(line int, text []byte) record {
	if !utf8.Valid(text) {
		return record{line: line, fault: errEncoding}
	}
	var flat bytes.Buffer
	flat.Grow(len(text))
	if err := json.Compact(&flat, text); err != nil {
		return record{line: line, fault: fmt.Errorf("it is not JSON: %w", err)}
	}
	if text[0] != '{' {
		return record{line: line, fault: errors.New("it is not a JSON object")}
	}
	return record{line: line, object: flat.Bytes()}
}

// list is rows of JSON in a list, or in several consecutive responses of Graph, or objects in
// several lines each. It holds only one row in memory.
type list struct {
	decoder *json.Decoder
	lines   *lineCounter
	bare    bool // the objects follow each other without a list
	open    bool // within a list
	answer  bool // within a response
	more    bool // the last response had a link to the next page
	first   *record
}

func newList(in io.Reader, bare bool) (*list, error) {
	counter := &lineCounter{in: in, line: 1}
	l := &list{lines: counter, decoder: json.NewDecoder(counter), bare: bare}
	first, err := l.next()
	switch {
	case errors.Is(err, io.EOF):
		return l, nil
	case err != nil:
		return nil, err
	}
	l.first = &first
	return l, nil
}

func (l *list) names() []string {
	if l.first == nil {
		return nil
	}
	return namesOf(l.first.object)
}

func (l *list) notes() []string {
	if l.more {
		return []string{"the file is not the whole list: its last page has an @odata.nextLink, and what that leads " +
			"to is not in the file"}
	}
	return nil
}

func (l *list) next() (record, error) {
	if l.first != nil {
		r := *l.first
		l.first = nil
		return r, nil
	}
	for !l.bare && (!l.open || !l.decoder.More()) {
		if err := l.enter(); err != nil {
			return record{}, l.place(err)
		}
	}
	var object json.RawMessage
	if err := l.decoder.Decode(&object); err != nil {
		return record{}, l.place(err)
	}
	line := l.lines.at(l.decoder.InputOffset() - int64(len(object)))
	if len(object) > maxRow {
		return record{line: line, fault: errLong}, nil
	}
	return newRecord(line, object), nil
}

// enter advances to the beginning of the next list.
func (l *list) enter() error {
	token, err := l.decoder.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('['):
		l.open = true
	case json.Delim(']'):
		l.open = false
	case json.Delim('{'):
		l.answer, l.more = true, false
	case json.Delim('}'):
		l.answer = false
	case "value":
	default:
		name, ok := token.(string)
		if !l.answer || !ok {
			return fmt.Errorf("%v is not a list of objects", token)
		}
		l.more = l.more || strings.EqualFold(name, "@odata.nextLink")
		var skipped json.RawMessage
		return l.decoder.Decode(&skipped)
	}
	return nil
}

// place adds the position to a JSON syntax error. The rest of the file cannot be read, because the
// beginning of the next row is unknown.
func (l *list) place(err error) error {
	if errors.Is(err, io.EOF) && !l.open && !l.answer {
		return io.EOF
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	at := l.decoder.InputOffset()
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = max(at, e.Offset)
	}
	return fmt.Errorf("line %d: the JSON is broken, and nothing after it can be read: %w", l.lines.at(at), err)
}

// lineCounter finds the line of a position in what was read through it. Positions must be requested
// in ascending order.
type lineCounter struct {
	in     io.Reader
	offset int64
	line   int
	breaks []int64 // positions of the line breaks after the last requested position
}

func (c *lineCounter) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	for i, x := range b[:n] {
		if x == '\n' {
			c.breaks = append(c.breaks, c.offset+int64(i))
		}
	}
	c.offset += int64(n)
	return n, err
}

func (c *lineCounter) at(offset int64) int {
	passed := 0
	for passed < len(c.breaks) && c.breaks[passed] < offset {
		passed++
	}
	c.line += passed
	c.breaks = append(c.breaks[:0], c.breaks[passed:]...)
	return c.line
}
