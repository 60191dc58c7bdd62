package framing

import (
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// A handler may respond without reading the whole body, for example with 401 or 413. Many clients
// send all of the body before they read: if the connection was closed meanwhile, their system would
// discard the response. So the rest of the body is read and dropped.
//
// Conn does that, not the handler. From the end of the handler on, net/http gets a rest of the body
// that Conn makes up, as fast as it can read it. So net/http completes the response at once, and
// the connection is idle for it. What the client sends of the body is dropped when net/http reads
// the next request, within the time that it allows for an idle connection.
//
// net/http itself either reads the body before it responds, or after the handler (full duplex).
// The latter fails if the body ends there: it then reads the connection twice at the same time.

// mostDropped is the maximum size of the rest of a body that is dropped. It is larger than any body
// that an operation accepts.
const mostDropped = 64 << 20

// errAbandoned is of a type that net/http takes for a lost connection: it sends no response.
var errAbandoned = &net.OpError{Op: "read", Err: errors.New("the rest of the body is not read")}

// filling is the rest of a body that net/http gets in place of the client's.
type filling struct {
	zeros int64
	end   string
}

// skip drops the rest of the body, and reports whether it may. If the connection is closed after
// the response, Close drops it. No one may read the connection at the same time.
func (c *Conn) skip(closes bool) bool {
	if c.err != nil || c.stream.left > mostDropped {
		return false
	}
	switch c.stream.part {
	case inHead: // the body has arrived
		return true
	case inBody:
		c.fill = filling{c.stream.left, ""}
	case inChunkSize:
		c.fill = filling{0, "0\r\n\r\n"}
	case inChunk:
		c.fill = filling{c.stream.left, "\r\n0\r\n\r\n"}
	case afterChunk:
		c.fill = filling{0, "\r\n0\r\n\r\n"}
	case inTrailers:
		c.fill = filling{0, "\r\n"}
	}
	c.dropping, c.dropped = true, 0
	c.unread.Store(closes)
	return true
}

// abandon makes all later reads fail. An error other than io.EOF, because net/http takes that for
// the end of the body.
func (c *Conn) abandon() {
	c.err, c.buf, c.cleared, c.next, c.fill, c.dropping = errAbandoned, nil, 0, false, filling{}, false
}

// read returns the next bytes of the filling; 0 at its end.
func (f *filling) read(p []byte) int {
	if f.zeros > 0 {
		n := min(int64(len(p)), f.zeros)
		clear(p[:n])
		f.zeros -= n
		return int(n)
	}
	n := copy(p, f.end)
	f.end = f.end[n:]
	return n
}

// drop reads more of the body and drops it. The buffer is only used meanwhile.
func (c *Conn) drop(p []byte) error {
	begun := len(c.buf)
	if begun > 0 { // part of a line
		p = append(c.buf, make([]byte, pieceSize)...)
	}
	received, err := c.receive(p[begun:])
	if received == 0 {
		return err
	}
	data := p[:begun+received]
	n, refusal := c.stream.clear(data)
	c.buf = append([]byte(nil), data[n:]...)
	c.dropped += int64(n)
	switch {
	case refusal != nil:
		c.err = refusal
	case c.dropped > mostDropped:
		c.err = errAbandoned
	case c.stream.part == inHead:
		c.dropping, c.next = false, len(c.buf) > 0
		c.unread.Store(false)
	}
	return nil
}

// serveBody serves a request with a body.
func (c *Conn) serveBody(next http.Handler, w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex() // otherwise net/http reads some of the body before it responds
	body := &watched{body: r.Body, header: w.Header()}
	defer func() {
		if !body.ended {
			c.abandon()
		}
	}()
	original := r.Body
	r.Body = body
	if r.ContentLength > mostDropped || !r.ProtoAtLeast(1, 1) {
		w.Header().Set("Connection", "close") // before the response is begun
	}
	next.ServeHTTP(w, r)
	r.Body = original // by which net/http sees that it was not read to its end
	switch {
	case body.ended:
	case !body.failed && c.skip(r.Close || w.Header().Get("Connection") == "close"):
		_, _ = w.Write(nil) // begins the response, so that net/http does not ask for a body after Expect
		_, _ = io.Copy(io.Discard, body)
	default:
		w.Header().Set("Connection", "close")
		c.unread.Store(true)
		_, _ = w.Write(nil) // begins the response; see above
		c.abandon()
		// What net/http has received of the body already must not be the next request for it.
		_, _ = io.Copy(io.Discard, body)
	}
}

// A client that sends a body which is not read has this time to read the response before the
// connection is closed: without sending anything, and in total.
const (
	drainSilence = 10 * time.Second
	drainTime    = 2 * time.Minute // as long as a body may take
)

// Close closes the connection. After the last response, if its request's body was not read to its
// end, it first waits until the client has read the response, within bounds.
func (c *Conn) Close() error {
	if c.unread.Swap(false) && c.CloseWrite() == nil {
		c.drain(mostDropped, drainSilence, drainTime)
	}
	return c.Conn.Close()
}

// watched is a body that records how far it was read.
type watched struct {
	body          io.Reader
	header        http.Header // of the response
	ended, failed bool
}

func (b *watched) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	switch {
	case err == io.EOF:
		b.ended = true
	case err != nil:
		b.failed = true
		b.header.Set("Connection", "close")
	}
	return n, err
}

// Close does nothing: net/http closes its own body.
func (b *watched) Close() error { return nil }
