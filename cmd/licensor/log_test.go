package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
)

// TestTheLogOfTheProgramIsLimited in both of its formats.
func TestTheLogOfTheProgramIsLimited(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		var out output
		handler, err := (&logFlags{format: format, level: "warn"}).handler(&out)
		if err != nil {
			t.Fatal(err)
		}
		log := slog.New(handler)
		log.Info("not this")
		for range 100 {
			log.WithGroup("g").Warn("this")
		}
		got := strings.Count(out.String(), "msg=this") + strings.Count(out.String(), `"msg":"this"`)
		if got != linesPerSecond || handler.Enabled(context.Background(), slog.LevelInfo) {
			t.Errorf("%s: %d lines", format, got)
		}
	}
}
