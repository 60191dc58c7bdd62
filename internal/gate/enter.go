package gate

import (
	"net"
	"slices"
	"time"
)

// So many newcomers wait at once, of one address and in all. Others are closed.
const (
	waitingOfAddress = 4
	waitingInAll     = 256
)

// newcomer is a connection that waits for room.
type newcomer struct {
	at   *place
	room chan struct{} // has one when it is worth looking again
}

// enter lets a connection in, or returns nil: then it is closed.
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

// admit adds a connection if there is room, or room can be made. The caller holds the lock.
func (g *Gate) admit(c *Conn) (gone []*Conn, ok bool) {
	if gone, ok = g.room(c.place); ok {
		g.add(c)
	}
	return gone, ok
}

// queue has a newcomer wait; nil: there wait enough. The caller holds the lock.
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

// await lets a newcomer in as soon as there is room. When its time is over, the oldest request of
// an address that has more may be cut off for it.
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

// wake tells the first that waits for room that a connection of a place leaves or has become idle.
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
		default: // it has been told, so this is for the next
		}
	}
}

// refuse closes a newcomer for which there is no room.
func (g *Gate) refuse(c *Conn) {
	g.mu.Lock()
	g.ended.Refused++
	network := c.place.network
	g.forget(c.place)
	g.mu.Unlock()
	g.limits.Log.Warn("a newcomer was closed: there are as many connections as may be, of its address or in all, and none gives way", "address", network)
	_ = c.Conn.Close() // nothing was sent
}

func closeAll(gone []*Conn) {
	for _, c := range gone {
		_ = c.Conn.Close() // it has no request, or loses it
	}
}
