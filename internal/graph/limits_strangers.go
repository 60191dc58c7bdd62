package graph

import (
	"net/netip"
)

// strangersShare is how much less than an application an address may ask for without a token that
// is good.
const strangersShare = 10

// admitStranger counts a request without a good token against the address that it comes from.
// Whoever has a good token is not touched by what others do at the same address. Loopback is not
// counted: that is the machine's own, or a proxy on it behind which everybody is, whom one stranger
// would shut out. A proxy that is not known as one (--trusted-proxy) has one bucket for all
// strangers behind it: its X-Forwarded-For is anybody's word.
func (api *API) admitStranger(r *request) error {
	l := api.limits
	if l.PerApplication <= 0 {
		return nil
	}
	from, ok := addressOf(r.RemoteAddr)
	if !ok {
		return nil
	}
	b := bucketOf(l, l.strangers, from, max(1, l.PerApplication/strangersShare))
	if _, ok := b.take(r.now, 1); !ok {
		return b.tooMany(r.now, 1, "Address "+from.Addr().String()+" without a token")
	}
	return nil
}

// addressOf is the address of a client, of IPv6 the network that one client has; none for loopback.
func addressOf(remote string) (netip.Prefix, bool) {
	at, err := netip.ParseAddrPort(remote)
	if err != nil || at.Addr().Unmap().IsLoopback() {
		return netip.Prefix{}, false
	}
	address, bits := at.Addr().Unmap().WithZone(""), 64
	if address.Is4() {
		bits = 32
	}
	from, err := address.Prefix(bits)
	return from, err == nil
}
