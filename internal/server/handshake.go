package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"syscall"
	"time"

	"licensor/internal/framing"
	"licensor/internal/gate"
	"licensor/internal/turns"
)

// prepared completes the handshake and returns the connection that net/http serves: an HTTP/2
// connection unchanged, since net/http recognizes no other type as such, and any other with its
// framing checked. The handshake determines the protocol.
func (l *Listening) prepared(config *tls.Config, log *slog.Logger) func(*gate.Conn) (net.Conn, error) {
	limits := framing.Limits{Bytes: maxHeader, Time: l.bounds.header}
	computing := turns.New(runtime.GOMAXPROCS(0)-1, (runtime.GOMAXPROCS(0)+1)/2)
	return func(c *gate.Conn) (net.Conn, error) {
		limits := limits
		limits.Waits = c.Waits
		if config == nil {
			return framing.New(c, limits), nil
		}
		conn, err := handshake(c, config, l.bounds.header, computing)
		if err != nil {
			logHandshake(c, err, log)
			return nil, err
		}
		if conn.ConnectionState().NegotiatedProtocol == "h2" {
			return conn, nil
		}
		return framing.New(conn, limits), nil
	}
}

// handshake completes a handshake in limited time. A handshake costs as much as many requests, so
// addresses take turns at computing: an address that begins thousands delays only itself.
func handshake(c *gate.Conn, config *tls.Config, within time.Duration, computing *turns.Turns) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	paced := &pacedConn{
		Conn: c, begin: func() (*turns.Turn, error) { return computing.Begin(ctx, c.Network().Addr().As16()) },
	}
	conn := tls.Server(paced, config)
	err := errors.Join(conn.SetDeadline(time.Now().Add(within)), conn.Handshake(), conn.SetDeadline(time.Time{}))
	paced.end()
	return conn, err
}

// pacedConn is the underlying connection of a handshake. It holds a turn between reads, while the
// handshake computes.
type pacedConn struct {
	*gate.Conn
	begin func() (*turns.Turn, error) // nil after the handshake
	turn  *turns.Turn
}

func (p *pacedConn) Read(b []byte) (int, error) {
	if p.begin == nil {
		return p.Conn.Read(b)
	}
	if p.turn != nil {
		p.turn.End()
	}
	n, err := p.Conn.Read(b)
	if err != nil {
		return n, err
	}
	if p.turn, err = p.begin(); err == nil && p.Gone() {
		err = net.ErrClosed
	}
	return n, err
}

func (p *pacedConn) end() {
	if p.begin = nil; p.turn != nil {
		p.turn.End()
	}
}

// NetConn returns the underlying connection.
func (p *pacedConn) NetConn() net.Conn { return p.Conn }

// logHandshake logs why a handshake failed, unless the gate has closed the connection, and
// answers clients that speak plain HTTP. That a client has disconnected, as port scanners do, is
// not worth a warning.
func logHandshake(c net.Conn, err error, log *slog.Logger) {
	if errors.Is(err, net.ErrClosed) {
		return
	}
	level := slog.LevelWarn
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
		level = slog.LevelDebug
	}
	log.Log(context.Background(), level, "a TLS handshake failed", "address", c.RemoteAddr().String(), "error", err)
	var record tls.RecordHeaderError
	if errors.As(err, &record) && record.Conn != nil && plainHTTP(record.RecordHeader) {
		_, _ = io.WriteString(c, "HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\n"+
			"The request was plain HTTP, and this server requires https.\n")
	}
}

// plainHTTP reports whether the first bytes are those of an unencrypted request.
func plainHTTP(first [5]byte) bool {
	switch string(first[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "PATCH", "DELET", "OPTIO":
		return true
	}
	return false
}
