package throttle

import (
	"net/netip"
	"time"
)

// strangersShare is how much less than an application an address may ask for without a token that
// is good.
const strangersShare = 10

// AdmitStranger counts a request without a good token against the address that it comes from.
// Whoever has a good token is not touched by what others do at the same address. Loopback is not
// counted: that is the machine's own, or a proxy on it behind which everybody is, whom one stranger
// would shut out. A proxy that is not known as one (--trusted-proxy) has one bucket for all
// strangers behind it: its X-Forwarded-For is anybody's word. remote is the address with a port.
func (l *Buckets) AdmitStranger(remote string, now time.Time) error {
	if l.PerApplication <= 0 {
		return nil
	}
	from, ok := addressOf(remote)
	if !ok {
		return nil
	}
	b := bucketOf(l.strangers, from, max(1, l.PerApplication/strangersShare), l.Window)
	if _, ok := b.take(now, 1); !ok {
		return b.tooMany(now, 1, "Address "+from.Addr().String()+" without a token")
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
