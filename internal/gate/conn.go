package gate

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
)

// Conn is a connection that was let in, or that waits for that.
type Conn struct {
	net.Conn
	gate  *Gate
	place *place
	since atomic.Int64 // idle since then; active since then when negative; outside or left when 0
}

// Close closes the connection, and makes room for another.
func (c *Conn) Close() error {
	for was := c.since.Load(); was != 0; was = c.since.Load() {
		if c.leave(was) {
			c.gate.mu.Lock()
			c.gate.remove(c)
			c.gate.mu.Unlock()
			c.gate.wake(c.place)
			break
		}
	}
	return c.Conn.Close()
}

// Network is the address that the connection comes from, or the range of addresses that counts as
// one.
func (c *Conn) Network() netip.Prefix { return c.place.network }

// Gone says whether the connection has been closed.
func (c *Conn) Gone() bool { return c.since.Load() == 0 }

// CloseWrite tells the client that no more is sent.
func (c *Conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// Waits says that the server waits for the client, which is to send more of a body, or goes on. A
// connection that waits is idle, so it gives way to newcomers. It is for HTTP/1; c may be nil.
func (c *Conn) Waits(waits bool) {
	if c != nil {
		c.turn(waits)
	}
}

// leave takes a connection out of the state that it was seen in, and says whether it still was: one
// that has become active meanwhile is not cut off for having been idle.
func (c *Conn) leave(was int64) bool {
	if was == 0 || !c.since.CompareAndSwap(was, 0) {
		return false
	}
	if was > 0 {
		c.gate.idle.Add(-1)
	}
	return true
}

// turn makes a connection idle or active, unless it has left.
func (c *Conn) turn(idle bool) {
	now := c.gate.now()
	if !idle {
		now = -now
	}
	for {
		was := c.since.Load()
		if was == 0 {
			return
		}
		if !c.since.CompareAndSwap(was, now) {
			continue
		}
		if idle && was < 0 {
			c.gate.idle.Add(1)
			c.gate.wake(c.place)
		} else if !idle && was > 0 {
			c.gate.idle.Add(-1)
		}
		return
	}
}

// of returns the connection of the gate beneath those that a server sees.
func of(conn net.Conn) *Conn {
	for {
		switch c := conn.(type) {
		case *Conn:
			return c
		case *tls.Conn:
			conn = c.NetConn()
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			return nil
		}
	}
}

// Note is a server's ConnState: it tells the gate when a connection becomes idle or active. With
// HTTP/2 it is active as long as any request is.
func (g *Gate) Note(conn net.Conn, state http.ConnState) {
	c := of(conn)
	if c == nil {
		return
	}
	switch state {
	case http.StateActive:
		c.turn(false)
	case http.StateIdle:
		c.turn(true)
	}
}
