package server

import "errors"

// misuse is an error caused by invalid arguments of the caller.
type misuse struct{ error }

func (m *misuse) Unwrap() error { return m.error }

// Misuse marks an error as caused by invalid arguments of the caller, as an *OptionError is.
func Misuse(err error) error { return &misuse{err} }

// IsMisuse reports whether an error was caused by invalid arguments of the caller.
func IsMisuse(err error) bool {
	var m *misuse
	var o *OptionError
	return errors.As(err, &m) || errors.As(err, &o)
}
