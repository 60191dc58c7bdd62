package server

import (
	"io"
	"net/http"
	"time"

	"licensor/internal/gate"
)

// Limits for reading the rest of a body after a response that did not wait for it: more than the
// largest body that any operation accepts, and the time that such a body may take.
const (
	drainBytes = 64 << 20
	drainTime  = 30 * time.Second
)

// draining reads the rest of a body after a response that did not wait for it, such as a 401, a 413
// or a 429. Many clients send the whole body before they read. If the connection is closed
// meanwhile, their system discards the response, and they only see a broken connection. HTTP/2 can
// close one direction.
func draining(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor >= 2 || r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		c := http.NewResponseController(w)
		_ = c.EnableFullDuplex() // without one, net/http reads some of the body before it responds
		body := &watched{ReadCloser: r.Body, conn: gate.Of(r.Context()), header: w.Header()}
		r.Body = body
		next.ServeHTTP(w, r)
		if body.ended || !body.begun && r.Header.Get("Expect") != "" { // then the client waits for permission to send it
			return
		}
		if c.Flush() != nil || c.SetReadDeadline(time.Now().Add(drainTime)) != nil {
			return
		}
		_, _ = io.CopyN(io.Discard, body, drainBytes) // any error closes the connection
	})
}

// watched is a body that records how far it has been read. While the server waits for it, new
// connections may replace the connection. If the body cannot be read to its end, the connection is
// closed, and the response says so.
type watched struct {
	io.ReadCloser
	conn         *gate.Conn
	header       http.Header // of the response
	begun, ended bool
}

func (b *watched) Read(p []byte) (int, error) {
	b.begun = true
	b.conn.Waits(true)
	n, err := b.ReadCloser.Read(p)
	b.conn.Waits(false)
	b.ended = b.ended || err != nil
	if err != nil && err != io.EOF {
		b.header.Set("Connection", "close")
	}
	return n, err
}
