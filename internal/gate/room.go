package gate

import (
	"cmp"
	"maps"
	"slices"
)

// batch is how many connections are replaced at a time at the limit for all. More than one, because
// finding the idle ones goes through all connections.
func (g *Gate) batch() int { return g.limits.All/64 + 1 }

// seen is a connection in the state in which it was found.
type seen struct {
	*Conn
	since int64
}

// room makes room for one more connection of a place, and reports whether there is room. It returns
// the replaced connections, which the caller must close after releasing the lock.
func (g *Gate) room(p *place) (gone []*Conn, ok bool) {
	if !p.trusted && len(p.conns) >= g.limits.Address {
		if p.turnover.Allow() {
			gone = g.giveWay(1, p, idleAt(p))
		}
		return gone, len(gone) > 0
	}
	if g.all < g.limits.All {
		return nil, true
	}
	if g.idle.Load() > 0 {
		gone = g.giveWay(g.batch(), p, idleAt(slices.Collect(maps.Values(g.places))...))
	}
	return gone, len(gone) > 0
}

// idleAt returns the idle connections of each place that has any, the longest idle last.
func idleAt(places ...*place) map[*place][]seen {
	all := map[*place][]seen{}
	for _, p := range places {
		var idle []seen
		for c := range p.conns {
			if since := c.since.Load(); since > 0 {
				idle = append(idle, seen{c, since})
			}
		}
		if len(idle) > 0 {
			slices.SortFunc(idle, func(a, b seen) int { return cmp.Compare(b.since, a.since) })
			all[p] = idle
		}
	}
	return all
}

// giveWay removes up to n idle connections, for a newcomer at a place, or for the process itself if
// the place is nil.
func (g *Gate) giveWay(n int, to *place, idle map[*place][]seen) (gone []*Conn) {
	for len(gone) < n {
		p := first(idle, to)
		if p == nil {
			break
		}
		last := len(idle[p]) - 1
		c := idle[p][last]
		if idle[p] = idle[p][:last]; last == 0 {
			delete(idle, p)
		}
		if c.leave(c.since) {
			g.remove(c.Conn)
			gone = append(gone, c.Conn)
		}
	}
	g.ended.GaveWay += int64(len(gone))
	return gone
}

// first chooses the place whose connection is replaced: the heaviest that is not lighter than the
// newcomer's, proxies last.
func first(idle map[*place][]seen, to *place) *place {
	var chosen *place
	for p := range idle {
		if to != nil && !to.trusted && weigh(p, to) < 0 {
			continue
		}
		if chosen == nil || before(p, chosen, idle) {
			chosen = p
		}
	}
	return chosen
}

func before(p, q *place, idle map[*place][]seen) bool {
	if p.trusted != q.trusted {
		return q.trusted
	}
	longest := func(p *place) int64 { return idle[p][len(idle[p])-1].since }
	return cmp.Or(weigh(q, p), cmp.Compare(longest(p), longest(q))) < 0
}

// cut removes the oldest active connection of the heaviest place that has more connections than the
// newcomer's will have.
func (g *Gate) cut(to *place) *Conn {
	var from *place
	var oldest seen
	for _, p := range g.places {
		if p.trusted || !overweight(p, to) {
			continue
		}
		c := oldestActive(p)
		if c.Conn != nil && (from == nil || cmp.Or(weigh(p, from), cmp.Compare(c.since, oldest.since)) > 0) {
			from, oldest = p, c
		}
	}
	if from == nil || !oldest.leave(oldest.since) {
		return nil
	}
	g.remove(oldest.Conn)
	g.ended.Cut++
	return oldest.Conn
}

// oldestActive returns no connection if the place has no active one.
func oldestActive(p *place) (oldest seen) {
	for c := range p.conns {
		if since := c.since.Load(); since < 0 && (oldest.Conn == nil || since > oldest.since) {
			oldest = seen{c, since}
		}
	}
	return oldest
}

func overweight(p, to *place) bool {
	if p.area != to.area {
		return p.area.conns > to.area.conns+1
	}
	return len(p.conns) > len(to.conns)+1
}
