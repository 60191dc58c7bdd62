package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows the progress of an operation: a bar on a terminal, a line from time to time
// elsewhere.
type progress struct {
	out  io.Writer
	bar  *progressbar.ProgressBar // nil: not a terminal, or quiet
	name string
	size int64
	next time.Time // of the next line; never when quiet
}

const (
	barEvery  = 100 * time.Millisecond
	lineEvery = 5 * time.Second
)

// newProgress starts the progress of an operation on so many bytes, -1 if unknown.
func newProgress(out io.Writer, size int64, name string, quiet bool) *progress {
	p := &progress{out: out, name: name, size: size}
	switch {
	case quiet:
	case isTerminal(out):
		p.bar = progressbar.NewOptions64(size, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(name),
			progressbar.OptionShowBytes(true), progressbar.OptionThrottle(barEvery), progressbar.OptionFullWidth(),
			progressbar.OptionClearOnFinish())
	default:
		p.next = time.Now().Add(lineEvery)
	}
	return p
}

// waiting shows that an operation of unknown length continues.
func waiting(out io.Writer, name string, quiet bool) *progress {
	p := newProgress(out, -1, name, quiet || !isTerminal(out))
	if p.bar != nil {
		_ = p.bar.RenderBlank()
	}
	return p
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// at sets the number of bytes and rows that are done.
func (p *progress) at(bytes int64, rows int) {
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%s, %d rows", p.name, rows))
		_ = p.bar.Set64(bytes)
		return
	}
	if now := time.Now(); !p.next.IsZero() && now.After(p.next) {
		p.next = now.Add(lineEvery)
		part := ""
		if p.size > 0 {
			part = fmt.Sprintf(", %d %%", bytes*100/p.size)
		}
		fmt.Fprintf(p.out, "%s: %d rows%s\n", p.name, rows, part)
	}
}

// say prints a line without disturbing the bar.
func (p *progress) say(line string) {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	fmt.Fprintln(p.out, line)
}

// end removes the bar.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Exit()
		_ = p.bar.Clear()
	}
}
