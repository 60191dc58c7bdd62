package gate

import (
	"net"
	"slices"
	"time"
)

// The maximum number of new connections that wait at the same time, of one address and in all.
// Further ones are closed.
const (
	waitingOfAddress = 4
	waitingInAll     = 256
)

// newcomer is a connection that waits for room.
type newcomer struct {
	at   *place
	room chan struct{} // receives when another attempt may succeed
}

// enter admits a connection, or returns nil if it was closed.
func (g *Gate) enter(conn net.Conn) *Conn {
	c := &Conn{Conn: conn, gate: g}
	g.mu.Lock()
	c.place = g.place(conn.RemoteAddr())
	gone, ok := g.admit(c)
	var waits *newcomer
	if !ok {
		waits = g.queue(c.place)
	}
	g.mu.Unlock()
	closeAll(gone)
	if waits != nil {
		ok = g.await(c, waits)
	}
	if ok {
		return c
	}
	g.refuse(c)
	return nil
}

// admit adds a connection if there is room, or room can be made. The caller must hold the lock.
func (g *Gate) admit(c *Conn) (gone []*Conn, ok bool) {
	if gone, ok = g.room(c.place); ok {
		g.add(c)
	}
	return gone, ok
}

// queue makes a newcomer wait. It returns nil if too many wait. The caller must hold the lock.
func (g *Gate) queue(p *place) *newcomer {
	if len(g.waiting) >= waitingInAll || p.waiting >= waitingOfAddress {
		return nil
	}
	n := &newcomer{at: p, room: make(chan struct{}, 1)}
	p.waiting++
	g.waiting = append(g.waiting, n)
	g.crowded.Store(true)
	return n
}

// await admits a newcomer as soon as there is room. When its time is over, the oldest request of an
// address with more connections may be aborted for it.
func (g *Gate) await(c *Conn, n *newcomer) bool {
	timer := time.NewTimer(g.limits.Wait)
	defer timer.Stop()
	for last := false; ; {
		select {
		case <-n.room:
		case <-timer.C:
			last = true
		}
		g.mu.Lock()
		gone, ok := g.admit(c)
		if !ok && last && len(c.place.conns) < g.limits.Address {
			if victim := g.cut(c.place); victim != nil {
				gone, ok = append(gone, victim), true
				g.add(c)
			}
		}
		if ok || last {
			g.unqueue(n)
		}
		g.mu.Unlock()
		closeAll(gone)
		if ok || last {
			return ok
		}
	}
}

func (g *Gate) unqueue(n *newcomer) {
	i := slices.Index(g.waiting, n)
	g.waiting = slices.Delete(g.waiting, i, i+1)
	n.at.waiting--
	g.crowded.Store(len(g.waiting) > 0)
}

// wake notifies the first waiting newcomer when a connection of a place leaves or becomes idle.
func (g *Gate) wake(p *place) {
	if !g.crowded.Load() {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, n := range g.waiting {
		full := !n.at.trusted && len(n.at.conns) >= g.limits.Address
		if full && n.at != p {
			continue
		}
		select {
		case n.room <- struct{}{}:
			return
		default: // it was notified, so this is for the next
		}
	}
}

// refuse closes a newcomer without room.
func (g *Gate) refuse(c *Conn) {
	g.mu.Lock()
	g.ended.Refused++
	network := c.place.network
	g.forget(c.place)
	g.mu.Unlock()
	g.limits.Log.Warn("connection closed: the limit, of its address or in total, is reached and no connection is idle",
		"address", network)
	_ = c.Conn.Close() // nothing was sent
}

func closeAll(gone []*Conn) {
	for _, c := range gone {
		_ = c.Conn.Close() // it has no request, or loses it
	}
}
