package gate

import (
	"context"
	"net"
	"net/http"
)

type connKey struct{}

// Context is the ConnContext of a server: it lets Handler find the connection of a request.
func (g *Gate) Context(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, of(conn))
}

// connOf returns the connection of a request by its context; nil if it is unknown.
func connOf(ctx context.Context) *Conn {
	c, _ := ctx.Value(connKey{}).(*Conn)
	return c
}

// Handler limits the requests over HTTP/2: an address may have as many in progress as connections,
// since each costs as much as a connection. At the limit for all addresses, it may have its share
// of that. For each request beyond, the request of the address whose body the server has waited for
// longest is ended; if there is none, the new request is answered with 503. Requests are not begun
// if their connection has just been closed.
func (g *Gate) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := connOf(r.Context())
		if c == nil {
			next.ServeHTTP(w, r)
			return
		}
		if c.Gone() {
			panic(http.ErrAbortHandler)
		}
		if r.ProtoMajor < 2 {
			next.ServeHTTP(w, r)
			return
		}
		c.handles(true)
		defer c.handles(false)
		defer g.requests.Add(-1)
		defer c.place.requests.Add(-1)
		if !g.mayBegin(c.place.requests.Add(1), g.requests.Add(1), c.place.trusted) && !g.endBody(c.place) {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "Too many requests are in progress. Try again later.",
				http.StatusServiceUnavailable)
			return
		}
		defer g.watch(c, w, r)()
		next.ServeHTTP(w, r)
	})
}

// mayBegin reports whether an address may have this many requests in progress.
func (g *Gate) mayBegin(ofAddress, all int64, trusted bool) bool {
	if !trusted && ofAddress > int64(g.limits.Address) {
		return false
	}
	return all <= int64(g.limits.All) || ofAddress <= max(1, int64(g.limits.All)/max(1, g.sources.Load()))
}
