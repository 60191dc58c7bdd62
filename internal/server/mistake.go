package server

import (
	"errors"
	"fmt"
)

// OptionError reports an invalid field of Options, or of a tenant to create. The root package has
// the same.
type OptionError struct {
	Type    string // "Options" or "Tenant"
	Option  string // name of the field
	Problem string // what is wrong with it and how to fix it, beginning with its value
	Err     error  // the reason, such as an error of the file system; nil if there is none
}

func (e *OptionError) Error() string { return e.Type + "." + e.Option + " " + e.Problem }

// Unwrap returns the reason, if there is one.
func (e *OptionError) Unwrap() error { return e.Err }

func wrong(option, problem string, args ...any) error {
	return &OptionError{Type: "Options", Option: option, Problem: fmt.Sprintf(problem, args...)}
}

// unusable reports a value that does not fit the existing data or files; err is the reason.
func unusable(of, option string, value any, err error) error {
	return &OptionError{Type: of, Option: option, Problem: fmt.Sprintf("is %q: %s", value, err), Err: err}
}

func wrongTenant(field, problem string, args ...any) error {
	return &OptionError{Type: "Tenant", Option: field, Problem: fmt.Sprintf(problem, args...)}
}

// misuseError is an error caused by invalid arguments of the caller.
type misuseError struct{ error }

func (m *misuseError) Unwrap() error { return m.error }

// Misuse marks an error as caused by invalid arguments of the caller, as an *OptionError is.
func Misuse(err error) error { return &misuseError{err} }

// IsMisuse reports whether an error was caused by invalid arguments of the caller.
func IsMisuse(err error) bool {
	var m *misuseError
	var o *OptionError
	return errors.As(err, &m) || errors.As(err, &o)
}
