package framing

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
)

type connKey struct{}

// Context is the ConnContext of a server: it lets Handler find the connection of a request.
func Context(ctx context.Context, conn net.Conn) context.Context {
	switch c := conn.(type) {
	case *Conn:
		return context.WithValue(ctx, connKey{}, c)
	case secured:
		return context.WithValue(ctx, connKey{}, c.Conn)
	}
	return ctx
}

// Handler answers refused requests with the reason, and closes their connection. It calls refused
// for each. If a handler responds without reading the whole body, the rest is dropped.
func Handler(next http.Handler, refused func(*http.Request, *RefusalError)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var conn *Conn
		var refusal *RefusalError
		if r.ProtoMajor >= 2 {
			refusal = contradicting(r)
		} else if conn, _ = r.Context().Value(connKey{}).(*Conn); conn != nil && r.Method == refusedMethod {
			refusal = conn.refusal.Load()
		}
		if refusal == nil && conn != nil && r.ContentLength != 0 {
			conn.serveBody(next, w, r)
			return
		}
		if refusal == nil {
			next.ServeHTTP(w, r)
			return
		}
		refused(r, refusal)
		answer(w, refusal)
		if conn != nil && http.NewResponseController(w).Flush() == nil {
			conn.linger()
		}
	})
}

// answer sends the reason, with a length: the client must get all of it before the connection is
// closed.
func answer(w http.ResponseWriter, refusal *RefusalError) {
	text := fmt.Sprintf("%d %s: %s\n", refusal.Status, http.StatusText(refusal.Status), refusal.Reason)
	h := w.Header()
	h.Set("Connection", "close")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(refusal.Status)
	_, _ = io.WriteString(w, text) // fails if the client has disconnected
}

// contradicting refuses HTTP/2 requests whose headers contradict the frames (RFC 9113, 8.1.1 and
// 8.3.1). net/http compares a single Content-Length with the data, and refuses connection headers.
func contradicting(r *http.Request) *RefusalError {
	if len(r.Header) > mostFields {
		return tooMany
	}
	if lengths := r.Header["Content-Length"]; len(lengths) > 0 {
		if _, ok := decimal(lengths[0]); !ok || len(lengths) > 1 {
			return bad("Content-Length is %q, which is not a number of bytes", strings.Join(lengths, ", "))
		}
	}
	if hosts := r.Header["Host"]; len(hosts) > 1 || len(hosts) == 1 && !strings.EqualFold(hosts[0], r.Host) {
		return bad("the request is for the host %q, its Host header for %q", r.Host, strings.Join(hosts, ", "))
	}
	return nil
}
