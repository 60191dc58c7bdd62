//go:build !linux

package postgrestest

import "syscall"

// endWithParent does nothing where there is no such signal: a test binary that is killed leaves its
// server.
func endWithParent(*syscall.SysProcAttr) {}
