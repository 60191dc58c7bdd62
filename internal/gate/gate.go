package gate

import (
	"cmp"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Limits are the limits of a Gate.
type Limits struct {
	All     int           // connections at once
	Address int           // connections of one address; at most half of All
	Wait    time.Duration // how long a newcomer waits when no connection is idle

	Trusted func(netip.Addr) bool // reports whether an address is a proxy's
	Log     *slog.Logger          // nil: slog.Default()
}

// Gate limits all admitted connections. It is safe for concurrent use.
type Gate struct {
	limits   Limits
	begun    time.Time
	idle     atomic.Int64 // connections
	requests atomic.Int64 // of HTTP/2
	sources  atomic.Int64 // len(places)
	crowded  atomic.Bool  // len(waiting) > 0

	bodies sync.Mutex // guards those of all places

	mu      sync.Mutex
	all     int
	places  map[netip.Prefix]*place
	ranges  map[netip.Prefix]*area
	waiting []*newcomer
	ended   Ended
}

// Ended counts the connections that the gate has closed.
type Ended struct {
	GaveWay int64 // idle, for a newcomer
	Cut     int64 // active, for a newcomer
	Refused int64 // newcomers without room
}

// Open counts the open connections.
type Open struct{ Idle, Active, Waiting int }

// New returns a gate with the given limits.
func New(limits Limits) *Gate {
	limits.Log = cmp.Or(limits.Log, slog.Default())
	limits.Address = max(1, min(limits.Address, limits.All/2))
	return &Gate{limits: limits, begun: time.Now(), places: map[netip.Prefix]*place{}, ranges: map[netip.Prefix]*area{}}
}

// Count returns the number of open connections, and of those that the gate has closed.
func (g *Gate) Count() (Open, Ended) {
	g.mu.Lock()
	defer g.mu.Unlock()
	idle := int(g.idle.Load())
	return Open{Idle: idle, Active: max(0, g.all-idle), Waiting: len(g.waiting)}, g.ended
}

// now returns the time since the gate was made, in nanoseconds, and never 0.
func (g *Gate) now() int64 { return int64(time.Since(g.begun)) + 1 }

// add admits a connection. The caller must hold the lock, and must have made room.
func (g *Gate) add(c *Conn) {
	c.since.Store(g.now())
	g.idle.Add(1)
	g.all++
	c.place.conns[c] = struct{}{}
	c.place.area.conns++
}

// remove forgets a connection that has left. The caller must hold the lock.
func (g *Gate) remove(c *Conn) {
	g.all--
	delete(c.place.conns, c)
	c.place.area.conns--
	g.forget(c.place)
}
