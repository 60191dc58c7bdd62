package gate

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// body is the body of a request over HTTP/2. While the server waits for more of it, it may be ended
// in favor of another request from the same address.
type body struct {
	io.ReadCloser
	conn   *Conn
	now    func() int64
	since  atomic.Int64 // time since when the server waits; 0 if it does not
	stream *http.ResponseController
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	b.since.Store(b.now())
	b.conn.Waits(true)
	n, err := b.ReadCloser.Read(p)
	b.conn.Waits(false)
	b.since.Store(0)
	return n, err
}

// watch registers the body of a request until the returned function is called.
func (g *Gate) watch(c *Conn, w http.ResponseWriter, r *http.Request) (done func()) {
	if r.ContentLength == 0 {
		return func() {}
	}
	b := &body{ReadCloser: r.Body, conn: c, now: g.now, stream: http.NewResponseController(w)}
	r.Body = b
	g.bodies.Lock()
	defer g.bodies.Unlock()
	if c.place.bodies == nil {
		c.place.bodies = map[*body]struct{}{}
	}
	c.place.bodies[b] = struct{}{}
	return func() {
		g.bodies.Lock()
		defer g.bodies.Unlock()
		delete(c.place.bodies, b)
	}
}

// endBody ends the body from an address that the server has waited for longest, and reports whether
// there was one.
func (g *Gate) endBody(p *place) bool {
	if !p.turnover.Allow() {
		return false
	}
	g.bodies.Lock()
	defer g.bodies.Unlock()
	var oldest *body
	var least int64
	for b := range p.bodies {
		if since := b.since.Load(); since > 0 && (oldest == nil || since < least) {
			oldest, least = b, since
		}
	}
	if oldest == nil {
		return false
	}
	delete(p.bodies, oldest)
	return oldest.stream.SetReadDeadline(time.Unix(0, 0)) == nil
}
