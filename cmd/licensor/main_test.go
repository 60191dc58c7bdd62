package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// call runs a command line as the shell would.
func call(t *testing.T, root *cobra.Command, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err output // a server that the command started may still log
	code = execute(t.Context(), root, args, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

// withCommand is the command line with one more command, which returns err.
func withCommand(err error) *cobra.Command {
	root := rootCommand()
	cmd := &cobra.Command{Use: "try FILE", Args: cobra.ExactArgs(1), RunE: func(*cobra.Command, []string) error { return err }}
	cmd.Flags().String("tenant", "", "")
	_ = cmd.MarkFlagRequired("tenant")
	root.AddCommand(cmd)
	return root
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	try := []string{"try", "file", "--tenant", "contoso"}
	tests := []struct {
		name   string
		err    error
		args   []string
		code   int
		stderr string
	}{
		{"done", nil, try, exitDone, ""},
		{"help", nil, []string{"--help"}, exitDone, ""},
		{"nothing asked shows help", nil, nil, exitDone, ""},
		{"failed", errors.New("no disk"), try, exitFailed, "licensor: no disk\n"},
		{"the command says that the usage was wrong", usage(errors.New("no such tenant")), try, exitUsage, "licensor: no such tenant\nSee licensor try --help.\n"},
		{"partly done", fmt.Errorf("import: %w", partly(errors.New("3 rows skipped"))), try, exitPartial, "licensor: import: 3 rows skipped\n"},
		{"an unknown command", nil, []string{"fly"}, exitUsage, "licensor: unknown command \"fly\" for \"licensor\"\nSee licensor --help.\n"},
		{"an unknown flag", nil, []string{"version", "--fly"}, exitUsage, "licensor: unknown flag: --fly\nSee licensor version --help.\n"},
		{"too few arguments", nil, []string{"try", "--tenant", "contoso"}, exitUsage, "licensor: accepts 1 arg(s), received 0\nSee licensor try --help.\n"},
		{"a flag that must be given", nil, []string{"try", "file"}, exitUsage, "licensor: required flag(s) \"tenant\" not set\nSee licensor try --help.\n"},
		{"a bad log level", nil, []string{"version", "--log-level", "loud"}, exitUsage, "licensor: --log-level is \"loud\": it must be debug, info, warn or error\nSee licensor version --help.\n"},
		{"a bad log format", nil, []string{"version", "--log-format", "xml"}, exitUsage, "licensor: --log-format is \"xml\": it must be text or json\nSee licensor version --help.\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := call(t, withCommand(test.err), test.args...)
			if code != test.code || stderr != test.stderr {
				t.Errorf("exit code %d, stderr %q; want %d, %q", code, stderr, test.code, test.stderr)
			}
		})
	}
}

func TestACommandStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	root := rootCommand()
	root.AddCommand(&cobra.Command{Use: "wait", RunE: func(cmd *cobra.Command, _ []string) error {
		cancel()
		<-cmd.Context().Done()
		return cmd.Context().Err()
	}})
	var stderr bytes.Buffer
	if code := execute(ctx, root, []string{"wait"}, nil, &stderr, &stderr); code != exitFailed {
		t.Errorf("exit code %d, %s", code, stderr.String())
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	code, stdout, _ := call(t, rootCommand(), "version")
	if code != exitDone || !strings.HasPrefix(stdout, "licensor ") {
		t.Errorf("exit code %d, %q", code, stdout)
	}
}

func TestVersionNamesTheCommit(t *testing.T) {
	t.Parallel()
	info := &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: "v1.2.3"}}
	if got := describe(info); got != "v1.2.3, go1.26.0" {
		t.Error(got)
	}
	info.Settings = []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}}
	if got := describe(info); got != "v1.2.3, commit abc with changes, go1.26.0" {
		t.Error(got)
	}
}

func TestLogFormats(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ format, want string }{
		{"text", "level=WARN msg=full seats=0\n"},
		{"json", `"level":"WARN","msg":"full","seats":0}` + "\n"},
	} {
		var out bytes.Buffer
		flags := logFlags{test.format, "warn"}
		handler, err := flags.handler(&out)
		if err != nil {
			t.Fatal(err)
		}
		log := slog.New(handler)
		log.Info("not said")
		log.Warn("full", "seats", 0)
		if !strings.HasSuffix(out.String(), test.want) || strings.Contains(out.String(), "not said") {
			t.Errorf("%s: %q", test.format, out.String())
		}
	}
}
