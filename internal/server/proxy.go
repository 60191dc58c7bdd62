package server

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// proxies are the trusted proxies before the server, whose headers name the client. Without them,
// all clients behind a proxy have the same address, and one that guesses passwords slows the
// sign-ins of all.
type proxies []netip.Prefix

func (p proxies) trusts(a netip.Addr) bool {
	a = a.Unmap()
	return slices.ContainsFunc(p, func(r netip.Prefix) bool { return r.Contains(a) })
}

// before serves requests with the address of the client that the proxies report.
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

// client returns the last address in the header that is not a trusted proxy's: the client may have
// written the ones before it. It is invalid if that is not an address.
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
