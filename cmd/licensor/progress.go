package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how much of an operation is done, its rate and the time that is left: a bar on a
// terminal, a line from time to time elsewhere.
type progress struct {
	out   io.Writer
	quiet bool
	now   func() time.Time
	bar   *progressbar.ProgressBar // nil: not a terminal
	doing string
	began time.Time // of what is done now
	next  time.Time // of the next line
}

const (
	barSteps  = 1000 // of the bar
	barEvery  = 100 * time.Millisecond
	lineEvery = 5 * time.Second
)

func newProgress(out io.Writer, quiet bool) *progress {
	return &progress{out: out, quiet: quiet, now: time.Now}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// at shows that a part, from 0 to 1, is done, and so many rows. A part that is not known is less
// than 0.
func (p *progress) at(doing string, part float64, rows int64) {
	if p.quiet {
		return
	}
	now := p.now()
	if doing != p.doing {
		p.end()
		p.doing, p.began, p.next = doing, now, now.Add(lineEvery)
		if isTerminal(p.out) {
			steps := barSteps
			if part < 0 {
				steps = -1 // which only moves
			}
			p.bar = progressbar.NewOptions(steps, progressbar.OptionSetWriter(p.out),
				progressbar.OptionThrottle(barEvery), progressbar.OptionFullWidth(),
				progressbar.OptionSetPredictTime(false), progressbar.OptionClearOnFinish())
			_ = p.bar.RenderBlank()
		}
	}
	text := p.text(part, rows, now.Sub(p.began))
	if p.bar != nil {
		p.bar.Describe(text)
		_ = p.bar.Set(int(max(part, 0) * barSteps))
	} else if now.After(p.next) {
		p.next = now.Add(lineEvery)
		fmt.Fprintln(p.out, text)
	}
}

func (p *progress) text(part float64, rows int64, took time.Duration) string {
	text := p.doing
	if part >= 0 {
		text += fmt.Sprintf(": %.0f %%", part*100)
	}
	if rows > 0 && took > 0 {
		text += fmt.Sprintf(", %d rows, %.0f a second", rows, float64(rows)/took.Seconds())
	}
	if part > 0.01 && took > time.Second {
		left := time.Duration(float64(took) * (1 - part) / part)
		text += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	return text
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
		p.bar = nil
	}
}
