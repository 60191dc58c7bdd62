package gate

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
)

// Conn is a connection that was admitted, or that waits for admission.
type Conn struct {
	net.Conn
	gate  *Gate
	place *place
	// since is the time since which the connection is idle, negated while it is active; 0 outside the
	// gate.
	since atomic.Int64

	mu      sync.Mutex
	active  bool // has a request
	streams int  // requests over HTTP/2 that a handler has
	waits   int  // bodies that the server waits for
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

// Network returns the remote address, or the address range that counts as one address.
func (c *Conn) Network() netip.Prefix { return c.place.network }

// Gone reports whether the connection has been closed.
func (c *Conn) Gone() bool { return c.since.Load() == 0 }

// CloseWrite tells the client that no more data follows.
func (c *Conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// Waits sets whether the server waits for the client to send more of a body, of one request of
// those over HTTP/2. A connection is idle while all of its requests wait, so new connections may
// replace it.
func (c *Conn) Waits(waits bool) {
	c.note(func() { c.waits += one(waits) })
}

// handles sets whether a handler has a request over HTTP/2.
func (c *Conn) handles(request bool) {
	c.note(func() { c.streams += one(request) })
}

func one(more bool) int {
	if more {
		return 1
	}
	return -1
}

// note changes what the connection does, and makes it idle or active if that follows.
func (c *Conn) note(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.idle()
	if change(); c.idle() != was {
		c.turn(!was)
	}
}

// idle reports whether there is no request, or all of them wait for their bodies.
func (c *Conn) idle() bool {
	return !c.active || c.waits > 0 && c.waits >= c.streams
}

// leave removes a connection from the state that it was seen in, and reports whether it still was
// in that state: a connection that has become active since is not closed as idle.
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

// of returns the gate's connection beneath a connection of the server.
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

// Note is a server's ConnState: it tells the gate when a connection has a request. An HTTP/2
// connection is active while any of its requests does not wait for its body.
func (g *Gate) Note(conn net.Conn, state http.ConnState) {
	c := of(conn)
	if c == nil {
		return
	}
	switch state {
	case http.StateActive:
		c.note(func() { c.active = true })
	case http.StateIdle:
		c.note(func() { c.active = false })
	}
}
