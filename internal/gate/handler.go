package gate

import (
	"context"
	"net"
	"net/http"
)

type connKey struct{}

// Context is a server's ConnContext: it lets Handler find the connection of a request.
func (g *Gate) Context(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, of(conn))
}

// Of returns the connection of the request that a context is of; nil when it is not known.
func Of(ctx context.Context) *Conn {
	c, _ := ctx.Value(connKey{}).(*Conn)
	return c
}

// Handler bounds the requests that come over HTTP/2: an address may have as many under way as
// connections, since each costs as much as one. When there are as many in all as may be, it may
// have its part of that. For those beyond, the request of the address whose body is waited for
// longest is ended; when there is none, they are answered with 503. Requests whose connection was
// closed in the moment when they came are not begun.
func (g *Gate) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := Of(r.Context())
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
		defer g.requests.Add(-1)
		defer c.place.requests.Add(-1)
		if !g.mayBegin(c.place.requests.Add(1), g.requests.Add(1), c.place.trusted) && !g.endBody(c.place) {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "Too many requests are under way at once. Try again when some are answered.", http.StatusServiceUnavailable)
			return
		}
		defer g.watch(c, w, r)()
		next.ServeHTTP(w, r)
	})
}

// mayBegin says whether there may be so many requests under way of an address and in all.
func (g *Gate) mayBegin(ofAddress, all int64, trusted bool) bool {
	if !trusted && ofAddress > int64(g.limits.Address) {
		return false
	}
	return all <= int64(g.limits.All) || ofAddress <= max(1, int64(g.limits.All)/max(1, g.sources.Load()))
}
