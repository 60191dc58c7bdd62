package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/pflag"

	"licensor/internal/loglimit"
)

// logFlags are the flags for logging, which all commands accept.
type logFlags struct{ format, level string }

func (f *logFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.format, "log-format", "text", "format of log lines: text or json")
	flags.StringVar(&f.level, "log-level", "info", "minimum log level: debug, info, warn or error")
}

// apply sets the default logger as the flags say.
func (f *logFlags) apply(w io.Writer) error {
	handler, err := f.handler(w)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(handler))
	return nil
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
