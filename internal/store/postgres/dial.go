package postgres

import (
	"context"
	"net"
	"syscall"
	"time"
)

// silence is how long the other end may be silent where it should have answered, at the level of
// TCP.
const silence = 5 * time.Second

// dial makes a connection that notices within a few seconds when the other end does not answer.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence, Interval: time.Second, Count: 5},
	}
	if network != "unix" {
		d.Control = func(_, _ string, raw syscall.RawConn) error { return boundSilence(raw) }
	}
	return d.DialContext(ctx, network, address)
}
