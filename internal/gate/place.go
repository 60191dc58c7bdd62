package gate

import (
	"cmp"
	"net"
	"net/netip"
	"sync/atomic"

	"golang.org/x/time/rate"
)

// place is an address with its connections. The gate's lock guards all fields except the last two.
type place struct {
	network  netip.Prefix
	area     *area
	trusted  bool
	conns    map[*Conn]struct{}
	waiting  int
	turnover *rate.Limiter // of connections replaced by others of the same address
	requests atomic.Int64  // of HTTP/2
	bodies   map[*body]struct{}
}

// The rate and burst at which new connections of an address at its limit replace its own: an
// address that opens connections continuously must not keep the server busy with opening and
// closing them.
const (
	turnoverRate  = 50
	turnoverBurst = 50
)

// area is an address range that one subscriber may have all of.
type area struct {
	network netip.Prefix
	places  int
	conns   int
}

// place returns the place of an address, which is dropped when it has no more connections. The
// caller must hold the lock.
func (g *Gate) place(remote net.Addr) *place {
	network, wide, trusted := g.whence(remote)
	if p := g.places[network]; p != nil {
		return p
	}
	a := g.ranges[wide]
	if a == nil {
		a = &area{network: wide}
		g.ranges[wide] = a
	}
	a.places++
	p := &place{
		network:  network,
		area:     a,
		trusted:  trusted,
		conns:    map[*Conn]struct{}{},
		turnover: rate.NewLimiter(turnoverRate, turnoverBurst),
	}
	g.places[network] = p
	g.sources.Add(1)
	return p
}

// forget drops a place without connections. The caller must hold the lock.
func (g *Gate) forget(p *place) {
	if len(p.conns) > 0 || p.waiting > 0 || g.places[p.network] != p {
		return
	}
	delete(g.places, p.network)
	g.sources.Add(-1)
	if p.area.places--; p.area.places == 0 {
		delete(g.ranges, p.area.network)
	}
}

// whence returns the network of an address, and the range within which a client can probably change
// it. A proxy is a network and a range of its own.
func (g *Gate) whence(remote net.Addr) (network, wide netip.Prefix, trusted bool) {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}, netip.Prefix{}, false
	}
	address := tcp.AddrPort().Addr().Unmap().WithZone("")
	if g.limits.Trusted(address) {
		alone := netip.PrefixFrom(address, address.BitLen())
		return alone, alone, true
	}
	if address.Is4() {
		return within(address, 32), within(address, 24), false
	}
	return within(address, 64), within(address, 48), false
}

func within(address netip.Addr, bits int) netip.Prefix {
	return netip.PrefixFrom(address, bits).Masked()
}

// weigh compares the number of connections of two places: first of their ranges, then of the
// addresses.
func weigh(a, b *place) int {
	if a.area != b.area {
		return cmp.Compare(a.area.conns, b.area.conns)
	}
	return cmp.Compare(len(a.conns), len(b.conns))
}
