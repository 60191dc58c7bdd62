//go:build !linux

package postgrestest

import "syscall"

// endWithParent does nothing on systems without such a signal: a test binary that is killed leaves
// its server running.
func endWithParent(*syscall.SysProcAttr) {}
