package gate

import (
	"cmp"
	"net"
	"net/netip"
	"sync/atomic"

	"golang.org/x/time/rate"
)

// place is an address with its connections. The gate's lock guards all fields but the last two.
type place struct {
	network  netip.Prefix
	area     *area
	trusted  bool
	conns    map[*Conn]struct{}
	waiting  int
	turnover *rate.Limiter // of connections that give way to others of the same address
	requests atomic.Int64  // of HTTP/2
	bodies   map[*body]struct{}
}

// At its bound, an address has so many connections a second give way to its own newcomers, and so
// many at once. One that opens connections without end must not keep the server busy with beginning
// and ending them.
const (
	turnoverRate  = 50
	turnoverBurst = 50
)

// area is a range of addresses, which one subscriber may have all of.
type area struct {
	network netip.Prefix
	places  int
	conns   int
}

// place returns that of an address, which is forgotten when nobody is there any more. The caller
// holds the lock.
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

// forget drops a place that nobody is at. The caller holds the lock.
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

// whence returns the network of an address, and the range that it is likely to be changed within. A
// proxy stands for itself.
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

// weigh compares how many connections two places have: their ranges, and within a range the
// addresses.
func weigh(a, b *place) int {
	if a.area != b.area {
		return cmp.Compare(a.area.conns, b.area.conns)
	}
	return cmp.Compare(len(a.conns), len(b.conns))
}
