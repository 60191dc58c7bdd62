//go:build !linux

package postgres

import "syscall"

// boundSilence does nothing where there is no such option: the deadlines of statements hold all the
// same.
func boundSilence(syscall.RawConn) error { return nil }
