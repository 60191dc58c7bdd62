package importing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
)

// Limits of a piece, which is one request: large enough for efficient writes of the server, small
// enough that little is repeated after an interruption.
const (
	PieceRows  = 10_000
	stopRows   = 1000 // if the import stops at the first refused row
	pieceBytes = 16 << 20

	// If the API is in this process, and after the first piece, for which it waits.
	localRows  = 300_000
	localBytes = 27 << 20 // with one more row less than the API accepts
)

// API is the import of a tenant's API.
type API interface {
	// Import posts lines to /licensor/v1/import and decodes the response. When ctx ends it may send
	// fewer of them, but receives the response for those that it has sent.
	Import(ctx context.Context, query url.Values, lines []byte, response any) error
}

// Options are those of an import.
type Options struct {
	Restart bool // send every row, including those that an interrupted import has processed, and count existing ones
	Stop    bool // stop after the first refused row, and the rows that are sent together with it
	Exact   bool // import an export as it is: licenses are not evaluated
	Local   bool // the API is in this process: pieces are larger

	Progress func(read int64, rows int) // of the file, after each piece; may be nil
	Refused  func(Fault)                // for each refused row; may be nil
	Note     func(string)               // for each message about the whole file; may be nil
}

// Result is the result of a file. Rows that are not Skipped, Refused or Existing were imported,
// which Imported counts.
type Result struct {
	File     string   `json:"file"`
	Kind     Kind     `json:"kind"`
	Rows     int      `json:"rows"`
	Imported int      `json:"imported"`
	Skipped  int      `json:"skipped"` // accepted or refused by an earlier import of the file
	Refused  int      `json:"refused"`
	Existing int      `json:"existing"` // what a Restart has found there already
	Problems []Fault  `json:"problems"` // of the first refused rows
	Notes    []string `json:"notes"`    // about the whole file
}

// Fault is the reason that a row was refused.
type Fault struct {
	Line    int    `json:"line"`
	Message string `json:"message"`
}

// MaxFaults is the maximum number of Problems in a Result.
const MaxFaults = 1000

// transfer sends one file to the server, piece by piece.
type transfer struct {
	Options
	api    API
	file   *File
	id     string
	result *Result

	skippedTo int // the line of the last row that was skipped
}

// Import sends a file, which can be done once, to a tenant. Refused rows are not an error. If the
// file or the API has an error, the result covers what was imported before it.
func Import(ctx context.Context, api API, file *File, o Options) (*Result, error) {
	t := transfer{
		Options: o, api: api, file: file, id: file.id,
		result: &Result{File: file.Name, Kind: file.Kind, Problems: []Fault{}, Notes: []string{}},
	}
	if o.Restart {
		t.id = ""
	}
	err := t.run(ctx)
	t.summarize()
	return t.result, err
}

// piece is a range of rows. Row n of the file is line n of the import, so that the server's
// progress is valid whatever the pieces are. A row that cannot be read is sent as an empty line,
// which the server ignores.
type piece struct {
	first  int   // number of the first row
	rows   []int // their places in the file
	sent   []int // which of them have a line that is not empty
	body   []byte
	faults []rowFault
	notes  []string // about the file so far
	end    error    // why it is the last: io.EOF, or an error of the file
}

// rowFault is the fault of a row of a piece.
type rowFault struct {
	at int // in its rows
	Fault
}

// add adds a row, whose line write appends to the body.
func (c *piece) add(r record, write func(body, object []byte) ([]byte, error)) {
	c.rows = append(c.rows, r.line)
	if r.fault == nil {
		var body []byte
		if body, r.fault = write(c.body, r.object); r.fault == nil {
			c.body = body
		}
	}
	c.body = append(c.body, '\n')
	at := len(c.rows) - 1
	if r.fault != nil {
		c.faults = append(c.faults, rowFault{at, Fault{r.line, r.fault.Error()}})
	} else {
		c.sent = append(c.sent, at)
	}
}

// run imports the file, and reads the next piece while the previous one is sent. If the file has an
// error, the rows before it are imported. When ctx ends, the rows in progress are still accounted.
func (t *transfer) run(ctx context.Context) error {
	next := t.read(1, nil)
	var sent []byte // a body whose memory can be used again
	for {
		var c *piece
		select {
		case c = <-next:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if c.end == nil {
			next = t.read(c.first+len(c.rows), sent)
		}
		if err := t.send(ctx, c); err != nil {
			return err
		}
		sent = c.body[:0]
		if t.Progress != nil {
			t.Progress(t.file.read.Load(), t.result.Rows)
		}
		if c.end != nil || t.Stop && t.result.Refused > 0 {
			for _, note := range c.notes {
				t.note(note)
			}
			if errors.Is(c.end, io.EOF) {
				return nil
			}
			return c.end
		}
	}
}

// read reads a piece in the background, with a body in memory that is no longer used. It does not
// block if no one receives the piece, so an import can stop without waiting for a slow file.
func (t *transfer) read(first int, body []byte) <-chan *piece {
	done := make(chan *piece, 1)
	go func() {
		c := &piece{first: first, body: body}
		c.end = t.fill(c)
		c.notes = slices.Clone(t.file.rows.notes())
		done <- c
	}()
	return done
}

// wireTimes is how many times as large as a row its line usually is, at most.
const wireTimes = 2

// fill reads rows until the piece is full.
func (t *transfer) fill(c *piece) error {
	rows, most := PieceRows, pieceBytes
	switch {
	case t.Stop:
		rows = stopRows
	case t.Local && c.first > 1:
		rows, most = localRows, localBytes
	}
	if t.file.Size > 0 {
		if size := int(min(int64(most), wireTimes*t.file.Size)); cap(c.body) < size {
			c.body = make([]byte, 0, size)
		}
	}
	for len(c.rows) < rows && len(c.body) < most {
		r, err := t.file.rows.next()
		if err != nil {
			return err
		}
		c.add(r, t.write)
		if t.Stop && len(c.faults) > 0 {
			break
		}
	}
	return nil
}

// write appends a row as a line of the API's import, without the line break.
func (t *transfer) write(body, object []byte) ([]byte, error) {
	if t.file.line {
		return append(body, object...), nil
	}
	return appendLine(body, t.file.Kind, object)
}

// answer is the API's response to a piece.
type answer struct {
	Rows     int // that have arrived
	Skipped  int
	Existing int
	Refused  int
	Problems []Fault // of the first refused rows
}

func (t *transfer) send(ctx context.Context, c *piece) error {
	var got answer
	var stopped error
	if len(c.sent) > 0 {
		query := url.Values{"line": {strconv.Itoa(c.first + c.leading())}}
		if t.id != "" {
			query.Set("id", t.id)
		}
		if t.Exact {
			query.Set("exact", "true")
		}
		if t.Restart {
			query.Set("existing", "true")
		}
		if err := t.api.Import(ctx, query, c.body, &got); err != nil {
			return err
		}
		if ctx.Err() != nil && got.Rows < len(c.sent) {
			stopped = ctx.Err()
			c.cut(c.sent[got.Rows])
		}
	}
	for _, p := range got.Problems {
		if at := p.Line - c.first; at >= 0 && at < len(c.rows) {
			c.faults = append(c.faults, rowFault{at, Fault{c.rows[at], p.Message}})
		}
	}
	if got.Skipped > 0 {
		t.skippedTo = c.rows[c.sent[got.Skipped-1]]
	}
	t.account(c, &got)
	return stopped
}

// cut removes the rows from a place on, which have not been sent.
func (c *piece) cut(at int) {
	c.rows = c.rows[:at]
	c.faults = slices.DeleteFunc(c.faults, func(f rowFault) bool { return f.at >= at })
}

// leading counts the empty lines at the beginning. The server trims white space from the body, so
// it does not count them.
func (c *piece) leading() int {
	return len(c.body) - len(bytes.TrimLeft(c.body, "\n"))
}

// account adds the response for a piece to the result. If very many rows were refused, only the
// number of some of them is known.
func (t *transfer) account(c *piece, got *answer) {
	untold := got.Refused - len(got.Problems)
	slices.SortFunc(c.faults, func(a, b rowFault) int { return a.at - b.at })
	for _, fault := range c.faults {
		t.result.Refused++
		if t.result.Refused <= MaxFaults {
			t.result.Problems = append(t.result.Problems, fault.Fault)
		}
		if t.Refused != nil {
			t.Refused(fault.Fault)
		}
	}
	t.result.Rows += len(c.rows)
	t.result.Skipped += got.Skipped
	t.result.Existing += got.Existing
	t.result.Refused += untold
	t.result.Imported += len(c.rows) - got.Skipped - got.Existing - len(c.faults) - untold
}

// summarize adds messages about rows that were imported before.
func (t *transfer) summarize() {
	if t.result.Skipped > 0 {
		t.note(fmt.Sprintf("rows up to line %d were sent by an earlier run and are skipped. It has reported those "+
			"that were refused, unless it was killed or has lost its connection: --restart sends them again and "+
			"reports them", t.skippedTo))
	}
	if t.result.Existing > 0 {
		t.note(fmt.Sprintf("%d rows are there already and stay as they are", t.result.Existing))
	}
}

// note adds a message about the whole file.
func (t *transfer) note(text string) {
	t.result.Notes = append(t.result.Notes, text)
	if t.Note != nil {
		t.Note(text)
	}
}
