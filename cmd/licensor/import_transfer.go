package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// Limits of a request: large enough for efficient writes of the server, small enough that little is
// repeated after an interruption.
const (
	chunkRows  = 10_000
	stopRows   = 1000 // if the import stops at the first refused row
	chunkBytes = 16 << 20
)

// transfer sends one file to the server, chunk by chunk.
type transfer struct {
	*connection
	source   *source
	result   *imported
	progress *progress
	id       string
	stop     bool // stop at the first refused row
	mute     bool // report faults in the result only
	exact    bool // as an export has it
}

// chunk is a range of rows. Row n of the file is line n of the import, so that the server's
// progress is valid whatever the chunks are. A row that cannot be read is sent as an empty line,
// which the server ignores.
type chunk struct {
	first  int   // number of the first row
	rows   []int // their places in the file
	sent   int
	body   bytes.Buffer
	faults []rowFault
	notes  []string // about the file so far
	end    error    // why it is the last: io.EOF, or an error of the file
}

func (c *chunk) add(line int, wire []byte, fault error) {
	c.rows = append(c.rows, line)
	c.body.Write(wire)
	c.body.WriteByte('\n')
	if fault != nil {
		c.faults = append(c.faults, rowFault{line, fault.Error()})
	} else {
		c.sent++
	}
}

// run imports the file, and reads the next chunk while the previous one is sent. If the file has an
// error, the rows before it are imported.
func (t *transfer) run(ctx context.Context) error {
	next := t.read(1)
	for {
		c := <-next
		if c.end == nil {
			next = t.read(c.first + len(c.rows))
		}
		if err := t.send(ctx, c); err != nil {
			return err
		}
		t.progress.at(t.source.read.Load(), t.result.Rows)
		if c.end != nil || t.stop && t.result.Refused > 0 {
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

// read reads a chunk in the background. It does not block if no one receives the chunk, so an
// import can stop without waiting for a slow file.
func (t *transfer) read(first int) <-chan *chunk {
	done := make(chan *chunk, 1)
	go func() {
		c := &chunk{first: first}
		c.end = t.fill(c)
		c.notes = slices.Clone(t.source.rows.notes())
		done <- c
	}()
	return done
}

// fill reads rows until the chunk is full.
func (t *transfer) fill(c *chunk) error {
	rows := chunkRows
	if t.stop {
		rows = stopRows
	}
	for len(c.rows) < rows && c.body.Len() < chunkBytes {
		r, err := t.source.rows.next()
		if err != nil {
			return err
		}
		var wire []byte
		if wire = r.object; r.fault == nil && !t.source.line {
			wire, r.fault = wireLine(t.source.kind, r.object)
		}
		c.add(r.line, wire, r.fault)
		if t.stop && r.fault != nil {
			break
		}
	}
	return nil
}

// importAnswer is the API's response to a chunk.
type importAnswer struct {
	Skipped  int
	Refused  int
	Problems []rowFault // of the first refused rows
}

func (t *transfer) send(ctx context.Context, c *chunk) error {
	var answer importAnswer
	if c.sent > 0 {
		query := url.Values{"line": {strconv.Itoa(c.first + c.leading())}}
		if t.id != "" {
			query.Set("id", t.id)
		}
		if t.exact {
			query.Set("exact", "true")
		}
		err := t.do(ctx, http.MethodPost, "/licensor/v1/import?"+query.Encode(), "application/x-ndjson", c.body.Bytes(), &answer)
		if err != nil {
			return err
		}
	}
	for _, p := range answer.Problems {
		if at := p.Line - c.first; at >= 0 && at < len(c.rows) {
			c.faults = append(c.faults, rowFault{c.rows[at], p.Message})
		}
	}
	t.account(c, answer.Skipped, answer.Refused-len(answer.Problems))
	return nil
}

// leading counts the empty lines at the beginning. The server trims white space from the body, so
// it does not count them.
func (c *chunk) leading() int {
	body := c.body.Bytes()
	return len(body) - len(bytes.TrimLeft(body, "\n"))
}

// account adds the response for a chunk to the result. If very many rows were refused, only the
// number of some of them is known.
func (t *transfer) account(c *chunk, skipped, untold int) {
	slices.SortFunc(c.faults, func(a, b rowFault) int { return a.Line - b.Line })
	for _, fault := range c.faults {
		t.result.Refused++
		if t.result.Refused <= maxFaults {
			t.result.Problems = append(t.result.Problems, fault)
		}
		if t.result.Refused <= maxShown {
			t.say("%s:%d: %s", t.source.name, fault.Line, fault.Message)
		} else if t.result.Refused == maxShown+1 {
			t.say("%s: more rows are refused; --json lists the first %d", t.source.name, maxFaults)
		}
	}
	t.result.Rows += len(c.rows)
	t.result.Skipped += skipped
	t.result.Refused += untold
	t.result.Imported += len(c.rows) - skipped - len(c.faults) - untold
}

// note adds a message about the whole file.
func (t *transfer) note(text string) {
	t.result.Notes = append(t.result.Notes, text)
	t.say("%s: %s", t.source.name, text)
}

func (t *transfer) say(format string, args ...any) {
	if !t.mute {
		t.progress.say(fmt.Sprintf(format, args...))
	}
}
