package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// parts shows how much of an operation is done, its rate and the time that is left: a bar on a
// terminal, a line from time to time elsewhere.
type parts struct {
	out   io.Writer
	quiet bool
	now   func() time.Time
	bar   *progressbar.ProgressBar // nil: not a terminal
	doing string
	began time.Time // of what is done now
	next  time.Time // of the next line
}

// barSteps is how many steps the bar has.
const barSteps = 1000

func newParts(out io.Writer, quiet bool) *parts {
	return &parts{out: out, quiet: quiet, now: time.Now}
}

// at shows that a part, from 0 to 1, is done, and so many rows. A part that is not known is less
// than 0.
func (p *parts) at(doing string, part float64, rows int64) {
	if p.quiet {
		return
	}
	now := p.now()
	if doing != p.doing {
		p.end()
		p.doing, p.began, p.next = doing, now, now.Add(lineEvery)
		if isTerminal(p.out) {
			p.bar = progressbar.NewOptions(barSteps, progressbar.OptionSetWriter(p.out),
				progressbar.OptionThrottle(barEvery), progressbar.OptionFullWidth(),
				progressbar.OptionSetPredictTime(false), progressbar.OptionClearOnFinish())
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

func (p *parts) text(part float64, rows int64, took time.Duration) string {
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

// end removes the bar.
func (p *parts) end() {
	if p.bar != nil {
		_ = p.bar.Exit()
		_ = p.bar.Clear()
		p.bar = nil
	}
}
