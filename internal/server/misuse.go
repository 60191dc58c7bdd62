package server

import "errors"

// misuse is an error of whoever asked for what cannot be.
type misuse struct{ error }

func (m *misuse) Unwrap() error { return m.error }

// Misuse makes an error one of whoever asked for what cannot be, as *OptionError is.
func Misuse(err error) error { return &misuse{err} }

// IsMisuse reports whether an error is one of whoever asked for what cannot be.
func IsMisuse(err error) bool {
	var m *misuse
	var o *OptionError
	return errors.As(err, &m) || errors.As(err, &o)
}
