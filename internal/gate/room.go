package gate

import (
	"cmp"
	"maps"
	"slices"
)

// batch is how many connections give way at a time at the bound in all: going through all of them
// to find the idle ones is worth more than one.
func (g *Gate) batch() int { return g.limits.All/64 + 1 }

// seen is a connection as it was when it was looked at.
type seen struct {
	*Conn
	since int64
}

// room makes room for one more connection of a place, and says whether there is. It returns the
// connections that gave way, which the caller closes after it has let go of the lock.
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

// idleAt returns the idle connections of each place that has some, the longest idle last.
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

// giveWay takes up to n idle connections out, for a newcomer at a place; nil: for the process's own
// sake.
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

// first chooses whose connection gives way: the heaviest place's that is not lighter than the
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

// cut takes the oldest active connection out of the heaviest place that has more than the
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

// oldestActive has no connection when the place has none that is active.
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
