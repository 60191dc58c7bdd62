package framing

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Limits are the limits for the head of a request.
type Limits struct {
	Bytes int           // of a head
	Time  time.Duration // for a head, from its first byte on

	// Waits is called with true when a read begins to wait for more of a body, and with false when it
	// no longer does. It may be nil.
	Waits func(bool)
}

// Conn is a connection of a client that speaks HTTP/1. Read returns valid requests only; see the
// package comment.
type Conn struct {
	net.Conn
	limits  Limits
	stream  stream
	buf     []byte // sent by the client and not yet returned
	cleared int    // of these, from the first
	next    bool   // the others begin with the next request, which has not been checked
	err     error  // of all later reads, after the cleared bytes
	refusal atomic.Pointer[RefusalError]

	fill     filling
	dropping bool        // the rest of a body, after the filling
	dropped  int64       // bytes
	unread   atomic.Bool // the client may still send a body whose request was answered

	mu    sync.Mutex
	until time.Time // as set by the server for reads
	head  time.Time // when the current head must be complete; zero if no head has begun
}

// secured is a Conn over TLS. net/http calls its method to set Request.TLS.
type secured struct{ *Conn }

func (s secured) ConnectionState() tls.ConnectionState {
	return s.Conn.Conn.(*tls.Conn).ConnectionState()
}

// New returns a Conn over a connection. A connection with TLS must have completed its handshake.
func New(c net.Conn, limits Limits) net.Conn {
	conn := &Conn{Conn: c, limits: limits, stream: stream{most: limits.Bytes}}
	if _, ok := c.(*tls.Conn); ok {
		return secured{conn}
	}
	return conn
}

// NetConn returns the underlying connection.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Read returns the next bytes of valid requests. If it fails because of a deadline, it can be
// called again.
func (c *Conn) Read(p []byte) (int, error) {
	for len(p) > 0 {
		if c.cleared > 0 {
			return c.handOn(p), nil
		}
		if n := c.fill.read(p); n > 0 {
			return n, nil
		}
		if c.err != nil {
			return 0, c.err
		}
		if c.dropping {
			if err := c.drop(p); err != nil {
				return 0, err
			}
			continue
		}
		if c.next {
			c.check()
			continue
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

// handOn returns the cleared bytes.
func (c *Conn) handOn(p []byte) int {
	n := copy(p, c.buf[:c.cleared])
	c.buf, c.cleared = c.buf[n:], c.cleared-n
	if len(c.buf) == 0 {
		c.buf = nil // connections are idle most of the time
	}
	return n
}

// readInto reads data that is valid as a whole, as most requests are, without a copy. It keeps
// other data.
func (c *Conn) readInto(p []byte) (int, error) {
	n, err := c.receive(p)
	if n == 0 {
		return 0, err
	}
	good, refusal := c.stream.clear(p[:n])
	if good < n || refusal != nil {
		c.buf = append(make([]byte, 0, max(2*(n-good), pieceSize)), p[good:n]...)
		c.next = c.endsAt(good)
		c.judge(refusal)
	}
	return good, nil // an error will occur again
}

// check clears what is in buf.
func (c *Conn) check() {
	good, refusal := c.stream.clear(c.buf)
	c.cleared, c.next = good, good < len(c.buf) && c.endsAt(good)
	c.judge(refusal)
}

// endsAt reports whether the request ends after the bytes that were cleared. What follows them is
// passed on only when net/http reads the next request: until then, the stream must describe the
// request that is served.
func (c *Conn) endsAt(good int) bool { return good > 0 && c.stream.part == inHead }

const pieceSize = 512

// waits notes that the connection waits for the client until the returned function is called.
func (c *Conn) waits() (done func()) {
	if c.limits.Waits == nil {
		return func() {}
	}
	c.limits.Waits(true)
	return func() { c.limits.Waits(false) }
}

// receive reads from the client. Within a body, its end is an error.
func (c *Conn) receive(p []byte) (int, error) {
	if c.stream.part == inHead {
		return c.Conn.Read(p)
	}
	defer c.waits()()
	n, err := c.Conn.Read(p)
	if err == io.EOF { // net/http takes that for the end of the body
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// readMore reads the rest of a partial request. The kept data is never much larger than a head may
// be.
func (c *Conn) readMore() error {
	if cap(c.buf)-len(c.buf) < pieceSize/2 {
		c.buf = append(make([]byte, 0, min(2*cap(c.buf), c.limits.Bytes)+pieceSize), c.buf...)
	}
	n, err := c.receive(c.buf[len(c.buf):cap(c.buf)])
	if n == 0 {
		return err
	}
	c.buf = c.buf[:len(c.buf)+n]
	c.check()
	return nil
}

// refused replaces a refused head for net/http. Handler recognizes it by its method. A client that
// sends it gets an earlier or later refusal on the same connection, or an error that there is no
// such method.
const (
	refusedMethod  = "REFUSED"
	refusedRequest = refusedMethod + " / HTTP/1.1\r\nHost: refused\r\nConnection: close\r\n\r\n"
)

// judge replaces invalid data by the refused request, after the valid data. In the middle of a
// body, only its reader can be told. It also watches how long a head takes.
func (c *Conn) judge(refusal *RefusalError) {
	if refusal == nil {
		c.watch(c.stream.part == inHead && len(c.buf) > c.cleared && !c.next)
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

// watch sets or removes the deadline for a head. A server sets one for the first head of a
// connection only, since it cannot see when the next one begins.
func (c *Conn) watch(underWay bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if underWay != c.head.IsZero() {
		return // as before
	}
	if c.head = (time.Time{}); underWay {
		c.head = time.Now().Add(c.limits.Time)
	}
	_ = c.Conn.SetReadDeadline(c.deadline()) // fails if it is closed, and so will the read
}

// deadline returns the earlier of the two deadlines. While a request is answered the server sets
// none, and the next head may take as long as the answer.
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

// CloseWrite tells the client that no more data follows.
func (c *Conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// Times of linger. A client needs time to read the reason of a refusal: if the connection is closed
// with unread data, the client's system discards the response.
const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 256 << 10
)

// linger waits for a limited time until the client closes the connection.
func (c *Conn) linger() {
	if c.CloseWrite() == nil {
		c.drain(lingerBytes, lingerTime, lingerTime)
	}
}

// drain drops what the client sends: at most so many bytes, for so long without any, and for so
// long in total.
func (c *Conn) drain(most int64, silent, total time.Duration) {
	defer c.waits()()
	end, p := time.Now().Add(total), make([]byte, pieceSize)
	for most > 0 {
		until := time.Now().Add(silent)
		if until.After(end) {
			until = end
		}
		if c.Conn.SetReadDeadline(until) != nil {
			return
		}
		n, err := c.Conn.Read(p)
		if err != nil {
			return
		}
		if most -= int64(n); n == len(p) && n < drainPiece { // much is coming
			p = make([]byte, drainPiece)
		}
	}
}

const drainPiece = 32 << 10
