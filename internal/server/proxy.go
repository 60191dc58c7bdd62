package server

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// proxies are those that stand before the server and are believed when they say whom they forward
// for. Without them everybody behind a proxy has one address, and one who guesses passwords there
// slows the sign-ins of all.
type proxies []netip.Prefix

func (p proxies) trusts(a netip.Addr) bool {
	a = a.Unmap()
	return slices.ContainsFunc(p, func(r netip.Prefix) bool { return r.Contains(a) })
}

// before serves requests with the address of the client that the proxies name.
func (p proxies) before(next http.Handler) http.Handler {
	if len(p) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && p.trusts(peer.Addr()) {
			if client := p.client(r.Header.Values("X-Forwarded-For")); client.IsValid() {
				r.RemoteAddr = net.JoinHostPort(client.String(), "0")
			}
		}
		next.ServeHTTP(w, r)
	})
}

// client is the last one named that is no trusted proxy itself: what stands before it, the client
// may have written. It is invalid when that is no address.
func (p proxies) client(header []string) (client netip.Addr) {
	named := strings.Split(strings.Join(header, ","), ",")
	for _, text := range slices.Backward(named) {
		text = strings.TrimSpace(text)
		address, err := netip.ParseAddr(text)
		if withPort, other := netip.ParseAddrPort(text); other == nil {
			address, err = withPort.Addr(), nil
		}
		if err != nil {
			return netip.Addr{}
		}
		if client = address.Unmap(); !p.trusts(client) {
			break
		}
	}
	return client
}
