package postgres

import (
	"context"
	"net"
	"syscall"
	"time"
)

// silence is the maximum time without a response at the level of TCP.
const silence = 5 * time.Second

// dial opens a connection that fails within a few seconds if the other end does not respond.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence, Interval: time.Second, Count: 5},
	}
	if network != "unix" {
		d.Control = func(_, _ string, raw syscall.RawConn) error { return boundSilence(raw) }
	}
	return d.DialContext(ctx, network, address)
}
