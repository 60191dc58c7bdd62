package postgres

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// boundSilence makes the system close a connection if sent data is not acknowledged for a while.
func boundSilence(raw syscall.RawConn) error {
	var err error
	failed := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(silence.Milliseconds()))
	})
	if failed != nil {
		return failed
	}
	return err
}
