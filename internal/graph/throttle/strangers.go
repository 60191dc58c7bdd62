package throttle

import (
	"net/netip"
	"time"
)

// strangersShare is the ratio of the limit of an application to that of an address without a valid
// token.
const strangersShare = 10

// AdmitStranger counts a request without a valid token against its remote address. Callers with a
// valid token are not affected by others at the same address. Loopback is not counted: it is the
// machine itself, or a proxy on it for all clients, which one stranger would lock out. A proxy that
// is not configured (--trusted-proxy) has one bucket for all strangers behind it, because its
// X-Forwarded-For cannot be trusted. remote is the address with a port.
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

// addressOf returns the address of a client, or for IPv6 the network of one client; none for
// loopback.
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
