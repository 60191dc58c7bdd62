package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/spf13/cobra"
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

// TestEveryCommandHasItsOwnLog: one that still runs does not log to one that started later.
func TestEveryCommandHasItsOwnLog(t *testing.T) {
	t.Parallel()
	root := rootCommand()
	root.AddCommand(&cobra.Command{Use: "outer", RunE: func(cmd *cobra.Command, _ []string) error {
		if code, _, stderr := call(t, rootCommand(), "version"); code != 0 || stderr != "" {
			t.Errorf("version: code %d, %q", code, stderr)
		}
		logger(cmd.Context()).Warn("still here")
		return nil
	}})
	if code, _, stderr := call(t, root, "outer"); code != 0 || !strings.Contains(stderr, "still here") {
		t.Errorf("code %d, the log is %q", code, stderr)
	}
}
