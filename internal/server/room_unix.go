//go:build unix

package server

import (
	"math"
	"syscall"
)

// openFiles returns how many files the process may have open. Go has raised the limit to the
// maximum of the system.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxUint64 // then the system reports an error if there are too many
	}
	return uint64(limit.Cur)
}
