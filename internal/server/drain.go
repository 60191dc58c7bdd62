package server

import (
	"io"
	"net/http"
	"time"

	"licensor/internal/gate"
)

// What is read of a body behind an answer that did not wait for it: more than the largest body that
// any operation takes, and for as long as that may take.
const (
	drainBytes = 64 << 20
	drainTime  = 30 * time.Second
)

// draining reads the rest of a body behind an answer that has come before it, such as 401, 413 or
// 429. Many clients send all of a body before they read; a connection that is closed meanwhile has
// their system throw the answer away, and they learn of a broken connection only. HTTP/2 ends one
// direction by itself.
func draining(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor >= 2 || r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		c := http.NewResponseController(w)
		_ = c.EnableFullDuplex() // where there is none, net/http waits for some of the body before it answers
		body := &watched{ReadCloser: r.Body, conn: gate.Of(r.Context()), header: w.Header()}
		r.Body = body
		next.ServeHTTP(w, r)
		if body.ended || !body.begun && r.Header.Get("Expect") != "" { // then the client waits to be asked for it
			return
		}
		if c.Flush() != nil || c.SetReadDeadline(time.Now().Add(drainTime)) != nil {
			return
		}
		_, _ = io.CopyN(io.Discard, body, drainBytes) // whatever ends it ends the connection
	})
}

// watched is a body that knows how far it has been read. While it is waited for, the connection
// gives way to newcomers. One that cannot be read to its end ends the connection, and the answer
// says so.
type watched struct {
	io.ReadCloser
	conn         *gate.Conn
	header       http.Header // of the answer
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
