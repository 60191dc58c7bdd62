// Package loglimit bounds the lines that a log gets of each kind, so that callers cannot fill it.
package loglimit

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Limits that keep lines caused by callers from filling the log: how many lines of each kind are
// written in a second, after which only their number is logged, and how many kinds are
// distinguished. All further kinds count as one.
const (
	linesPerSecond = 10
	knownKinds     = 500
)

// Handler is a slog.Handler that limits the number of lines of each kind.
type Handler struct {
	slog.Handler
	counts *lineCounts // shared by the handlers that are derived from one
}

// lineCounts counts the lines of each kind in the current second.
type lineCounts struct {
	to    slog.Handler // without attributes
	mu    sync.Mutex
	kinds map[lineKind]*lineCount
}

type lineKind struct {
	level slog.Level
	text  string
}

type lineCount struct {
	since   time.Time
	written int
	leftOut int
}

// New returns a handler that limits the lines written to another.
func New(to slog.Handler) *Handler {
	return &Handler{to, &lineCounts{to: to, kinds: map[lineKind]*lineCount{}}}
}

// kindOf returns the kind of a line: its message up to the first part that varies. Messages of
// net/http contain addresses.
func kindOf(r slog.Record) lineKind {
	text := r.Message
	if varying := strings.IndexAny(text, `0123456789["`); varying > 0 {
		text = text[:varying]
	}
	return lineKind{r.Level, text}
}

// Handle implements slog.Handler.
func (s *Handler) Handle(ctx context.Context, r slog.Record) error {
	if !s.counts.take(kindOf(r), r.Time) {
		return nil
	}
	return s.Handler.Handle(ctx, r)
}

// take counts a line and reports whether it may be written. For the first line beyond the limit, it
// schedules a line with the number of omitted lines at the end of the second.
func (c *lineCounts) take(kind lineKind, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	count, ok := c.kinds[kind]
	if !ok && len(c.kinds) >= knownKinds {
		kind = lineKind{level: kind.level}
		count, ok = c.kinds[kind]
	}
	if !ok {
		count = &lineCount{since: now}
		c.kinds[kind] = count
	}
	if age := now.Sub(count.since); (age < 0 || age >= time.Second) && count.leftOut == 0 {
		count.since, count.written = now, 0
	}
	if count.written < linesPerSecond {
		count.written++
		return true
	}
	if count.leftOut++; count.leftOut == 1 {
		time.AfterFunc(time.Second, func() { c.report(kind, c.end(kind)) })
	}
	return false
}

// end ends the second of a kind, and returns the number of omitted lines.
func (c *lineCounts) end(kind lineKind) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	leftOut := c.kinds[kind].leftOut
	delete(c.kinds, kind)
	return leftOut
}

func (c *lineCounts) report(kind lineKind, leftOut int) {
	r := slog.NewRecord(time.Now(), kind.level, "too many lines of one kind: some were left out", 0)
	r.AddAttrs(slog.String("kind", strings.TrimSpace(kind.text)), slog.Int("leftOut", leftOut))
	_ = c.to.Handle(context.Background(), r) // there is nowhere else to report it
}

// WithAttrs implements slog.Handler.
func (s *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{s.Handler.WithAttrs(attrs), s.counts}
}

// WithGroup implements slog.Handler.
func (s *Handler) WithGroup(name string) slog.Handler {
	return &Handler{s.Handler.WithGroup(name), s.counts}
}
