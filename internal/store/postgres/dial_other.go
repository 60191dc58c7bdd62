//go:build !linux

package postgres

import "syscall"

// boundSilence does nothing on systems without such an option. The deadlines of statements hold
// anyway.
func boundSilence(syscall.RawConn) error { return nil }
