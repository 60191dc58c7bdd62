package main

import (
	"errors"

	"github.com/spf13/cobra"

	"licensor/internal/durable"
	"licensor/internal/server"
)

// Exit codes. An error before a command begins is a usage error, and an error that the command
// returns is a failure. A command selects the other codes with usage, partly and damaged.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitPartial = 3
	exitDamaged = 4
)

const exitCodes = `Exit codes: 0 done; 1 failed, the failed step has changed nothing; 2 wrong usage;
3 partly done, for example if some rows of a file were skipped; 4 something was found: damage (verify), something that
is in the way of commands (doctor) or changes (swap), a rule that is not valid (rule), something wrong with the result of changes
(check), or licenses that are not as they should be (drift).`

// outcomeError is an error that knows its exit code.
type outcomeError struct {
	code int
	err  error
}

func (o *outcomeError) Error() string { return o.err.Error() }
func (o *outcomeError) Unwrap() error { return o.err }

// usage marks an error as a usage error: the command cannot work as it was called.
func usage(err error) error { return &outcomeError{exitUsage, err} }

// partly marks an error that prevented only a part of the command.
func partly(err error) error { return &outcomeError{exitPartial, err} }

// damaged marks the result that what was examined is not right: stored data, a configuration, a
// rule, or changes.
func damaged(err error) error { return &outcomeError{exitDamaged, err} }

// exitCode returns the code of the outermost outcome. An error without one comes from the parser of
// the command line.
func exitCode(err error) int {
	var o *outcomeError
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
// This distinguishes it from errors of the parser.
func markFailures(cmd *cobra.Command) {
	if begin := cmd.RunE; begin != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			err := begin(cmd, args)
			if o := (*outcomeError)(nil); err != nil && !errors.As(err, &o) {
				o = &outcomeError{exitFailed, err}
				if _, names := errors.AsType[*durable.DatabaseError](err); names || server.IsMisuse(err) {
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
