package framing

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Limits bound the head of a request.
type Limits struct {
	Bytes int           // of a head
	Time  time.Duration // for a head, from its first byte on
}

// Conn is a connection of a client that speaks HTTP/1. Reads of it return good requests only; see
// the package's comment.
type Conn struct {
	net.Conn
	limits  Limits
	stream  stream
	buf     []byte // that the client has sent and that is not handed on yet
	cleared int    // of these, from the first
	err     error  // of all reads to come, behind what is cleared
	refusal atomic.Pointer[RefusalError]

	mu    sync.Mutex
	until time.Time // what the server has set for reads
	head  time.Time // by when the head that has begun must be there; zero when none has
}

// secured is a Conn over TLS. By its method net/http finds the state of the connection, which is
// what it sets Request.TLS to.
type secured struct{ *Conn }

func (s secured) ConnectionState() tls.ConnectionState {
	return s.Conn.Conn.(*tls.Conn).ConnectionState()
}

// New reads along on a connection; on one of TLS, when its handshake has been made.
func New(c net.Conn, limits Limits) net.Conn {
	conn := &Conn{Conn: c, limits: limits, stream: stream{most: limits.Bytes}}
	if _, ok := c.(*tls.Conn); ok {
		return secured{conn}
	}
	return conn
}

// NetConn returns the connection beneath.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Read returns the next bytes of good requests. When it fails for a deadline, it can be called
// again.
func (c *Conn) Read(p []byte) (int, error) {
	for len(p) > 0 {
		if c.cleared > 0 {
			return c.handOn(p), nil
		}
		if c.err != nil {
			return 0, c.err
		}
		if len(c.buf) == 0 {
			if n, err := c.readInto(p); n > 0 || err != nil {
				return n, err
			}
			continue
		}
		if err := c.readMore(); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// handOn returns what is cleared.
func (c *Conn) handOn(p []byte) int {
	n := copy(p, c.buf[:c.cleared])
	c.buf, c.cleared = c.buf[n:], c.cleared-n
	if len(c.buf) == 0 {
		c.buf = nil // connections are idle for most of their time
	}
	return n
}

// readInto reads without a copy what is good as a whole, as most requests are. What is not it
// keeps.
func (c *Conn) readInto(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n == 0 {
		return 0, err
	}
	good, refusal := c.stream.clear(p[:n])
	if good < n || refusal != nil {
		c.buf = append(make([]byte, 0, max(2*(n-good), pieceSize)), p[good:n]...)
		c.judge(refusal)
	}
	return good, nil // an error will be there again
}

const pieceSize = 512

// readMore reads more of what is not there as a whole. What is kept is never larger than a head may
// be, and a little more.
func (c *Conn) readMore() error {
	if cap(c.buf)-len(c.buf) < pieceSize/2 {
		c.buf = append(make([]byte, 0, min(2*cap(c.buf), c.limits.Bytes)+pieceSize), c.buf...)
	}
	n, err := c.Conn.Read(c.buf[len(c.buf):cap(c.buf)])
	if n == 0 {
		return err
	}
	c.buf = c.buf[:len(c.buf)+n]
	good, refusal := c.stream.clear(c.buf)
	c.cleared = good
	c.judge(refusal)
	return nil
}

// refused is what net/http gets in place of a head that is refused. Handler knows it by its method;
// a client that sends it hears of an earlier or later refusal on the same connection, or that there
// is no such method.
const (
	refusedMethod  = "REFUSED"
	refusedRequest = refusedMethod + " / HTTP/1.1\r\nHost: refused\r\nConnection: close\r\n\r\n"
)

// judge puts the refused request behind what is good, in place of what is not. In the middle of a
// body there is nobody to tell but who reads it. And it watches how long a head is under way.
func (c *Conn) judge(refusal *RefusalError) {
	if refusal == nil {
		c.watch(c.stream.part == inHead && len(c.buf) > c.cleared)
		return
	}
	c.watch(false)
	c.refusal.Store(refusal)
	c.buf, c.err = c.buf[:c.cleared:c.cleared], refusal
	if c.stream.part == inHead {
		c.buf = append(c.buf, refusedRequest...)
		c.cleared, c.err = len(c.buf), io.EOF
	}
}

// watch sets, or ends, the time for a head. A server sets one for the first head of a connection
// only, since it does not see when the next one begins.
func (c *Conn) watch(underWay bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if underWay != c.head.IsZero() {
		return // as it was
	}
	if c.head = (time.Time{}); underWay {
		c.head = time.Now().Add(c.limits.Time)
	}
	_ = c.Conn.SetReadDeadline(c.deadline()) // fails when it is closed, and so will the read
}

// deadline is the earlier of the two. While a request is answered the server sets none, and the
// next head may take as long as that.
func (c *Conn) deadline() time.Time {
	if c.until.IsZero() || c.head.IsZero() || c.until.Before(c.head) {
		return c.until
	}
	return c.head
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = t
	return c.Conn.SetReadDeadline(c.deadline())
}

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// CloseWrite tells the client that no more is sent.
func (c *Conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// Linger times: for a client to read why it is refused, before the connection is closed with some
// of what it has sent unread, which would have its system throw the answer away.
const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 256 << 10
)

// linger waits until the client closes the connection, but not for long.
func (c *Conn) linger() {
	if c.CloseWrite() != nil || c.Conn.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)
}
