package main

import (
	"errors"

	"github.com/spf13/cobra"

	"licensor/internal/server"
)

// Exit codes. What went wrong before a command began is wrong usage, an error that it returns is a
// failure; a command says the rest with usage and partly.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitPartial = 3
)

const exitCodes = `Exit codes: 0 done; 1 failed, nothing was changed by the step that failed; 2 wrong usage;
3 partly done, such as a file of which some rows were left out.`

// outcome is an error that knows its exit code.
type outcome struct {
	code int
	err  error
}

func (o *outcome) Error() string { return o.err.Error() }
func (o *outcome) Unwrap() error { return o.err }

// usage says that the command was called in a way that cannot work.
func usage(err error) error { return &outcome{exitUsage, err} }

// partly says that a command did what it could, and that err is what it could not do.
func partly(err error) error { return &outcome{exitPartial, err} }

// exitCode is that of the outermost outcome. An error without one comes from the parser of the
// command line.
func exitCode(err error) int {
	var o *outcome
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &o):
		return o.code
	default:
		return exitUsage
	}
}

// markFailures makes every error that a command returns a failure, unless it is an outcome already.
// This is what tells it apart from the parser's.
func markFailures(cmd *cobra.Command) {
	if begin := cmd.RunE; begin != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			err := begin(cmd, args)
			if o := (*outcome)(nil); err != nil && !errors.As(err, &o) {
				o = &outcome{exitFailed, err}
				if server.IsMisuse(err) {
					o.code = exitUsage
				}
				err = o
			}
			return err
		}
	}
	for _, sub := range cmd.Commands() {
		markFailures(sub)
	}
}
