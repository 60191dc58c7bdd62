//go:build unix

package server

import (
	"math"
	"syscall"
)

// openFiles is how many files the process may have open at once. Go has raised that to what the
// system allows.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxUint64 // then the system says so when there are too many
	}
	return uint64(limit.Cur)
}
