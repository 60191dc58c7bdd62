package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"licensor/internal/loglimit"
)

// logFlags are the flags for logging, which all commands accept.
type logFlags struct{ format, level string }

func (f *logFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.format, "log-format", "text", "format of log lines: text or json")
	flags.StringVar(&f.level, "log-level", "info", "minimum log level: debug, info, warn or error")
}

// apply gives a command the logger that the flags describe.
func (f *logFlags) apply(cmd *cobra.Command) error {
	handler, err := f.handler(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	cmd.SetContext(withLogger(cmd.Context(), slog.New(handler)))
	return nil
}

type loggerKey struct{}

// withLogger returns a context with the logger of a command. There is no default logger for the
// whole process, so that commands that run side by side do not get each other's lines.
func withLogger(ctx context.Context, log *slog.Logger) context.Context {
	return context.WithValue(ctx, loggerKey{}, log)
}

// logger returns the logger of the command that the context is of.
func logger(ctx context.Context) *slog.Logger {
	if log, ok := ctx.Value(loggerKey{}).(*slog.Logger); ok {
		return log
	}
	return slog.Default()
}

func (f *logFlags) handler(w io.Writer) (slog.Handler, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.level)); err != nil {
		return nil, fmt.Errorf("--log-level is %q: it must be debug, info, warn or error", f.level)
	}
	options := &slog.HandlerOptions{Level: level}
	switch f.format {
	case "text":
		return loglimit.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return loglimit.New(slog.NewJSONHandler(w, options)), nil
	default:
		return nil, fmt.Errorf("--log-format is %q: it must be text or json", f.format)
	}
}
