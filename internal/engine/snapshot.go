package engine

import (
	"context"
	"sync"
	"time"

	"licensor/internal/tenant"
)

// snapshots takes snapshots in the background. It keeps no image, since an old one would keep alive
// all that has changed since.
type snapshots struct {
	taking  sync.Mutex       // one at a time; guards parts and sizes
	parts   tenant.PartNames // of the last snapshot
	sizes   map[string]int   // bytes of its parts before they are compressed, by name
	running sync.WaitGroup

	mu      sync.Mutex // guards what follows
	stale   staleness
	pending int  // bytes of effects since the last snapshot
	size    int  // bytes of the last snapshot before it is compressed
	newDay  bool // a day has begun since the last snapshot

	due bool // take one as soon as the tenant is running
}

// staleness has the parts that have changed since they were saved, by piece.
type staleness map[string][]bool

// add marks a part as changed.
func (s staleness) add(piece string, part int) {
	for len(s[piece]) <= part {
		s[piece] = append(s[piece], false)
	}
	s[piece][part] = true
}

func (s staleness) has(piece string, part int) bool { return part < len(s[piece]) && s[piece][part] }

// changed marks the parts that differ between two images.
func (s *snapshots) changed(was, is *tenant.Image) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stale == nil {
		s.stale = staleness{}
	}
	for _, p := range tenant.Pieces {
		for part := range p.Parts(is) {
			if p.Changed(was, is, part) && !s.stale.has(p.Name, part) {
				s.stale.add(p.Name, part)
			}
		}
	}
}

// take returns the changed parts and resets the counts.
func (s *snapshots) take() staleness {
	s.mu.Lock()
	defer s.mu.Unlock()
	stale := s.stale
	s.stale, s.pending, s.newDay = nil, 0, false
	return stale
}

// giveBack reverts take, if no snapshot was saved.
func (s *snapshots) giveBack(stale staleness) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stale == nil {
		s.stale = staleness{}
	}
	for piece, parts := range stale {
		for part, is := range parts {
			if is {
				s.stale.add(piece, part)
			}
		}
	}
}

func (s *snapshots) waiting(more int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending += more
	return s.pending
}

// enough returns how many bytes of effects a snapshot is taken for: a quarter of the size that the
// next one has if it grows by all of them, so that the data written for snapshots stays in
// proportion to that of commits; 0 for a snapshot that takes no noticeable time.
func (s *snapshots) enough() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size < 1<<20 {
		return 0
	}
	return s.size / 3 // which is a quarter of size + size/3
}

// took records the parts of the last snapshot. The caller holds taking, or is the only user.
func (s *snapshots) took(names tenant.PartNames, sizes map[string]int) {
	s.parts, s.sizes = names, sizes
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size = 0
	for _, n := range sizes {
		s.size += n
	}
}

// note counts what the next start would have to replay, and takes a snapshot in the background if
// that is enough, or if these are the first commits of a day (UTC), so that each day has one.
func (s *snapshots) note(t *Tenant, was *tenant.Image, bytes int) {
	is := t.Image()
	s.changed(was, is)
	newDay := s.dayBegan(was.Seq > 0 && dayOf(was.At).Before(dayOf(is.At)))
	if newDay || s.waiting(bytes) >= max(t.options.SnapshotAfter, s.enough()) {
		s.begin(t)
	}
}

// dayBegan reports whether a day has begun since the last snapshot, now or before.
func (s *snapshots) dayBegan(now bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newDay = s.newDay || now
	return s.newDay
}

func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// begin takes a snapshot in the background, unless one is in progress. If a day begins meanwhile,
// it takes another one.
func (s *snapshots) begin(t *Tenant) {
	if !s.taking.TryLock() {
		return
	}
	stale, img := s.take(), t.Image()
	s.running.Go(func() {
		if err := t.snapshot(context.Background(), img, stale); err != nil {
			t.options.Log.Error("no snapshot could be taken; the next start will take longer", "tenant", t.id, "error", err)
		}
		s.taking.Unlock()
		if s.dayBegan(false) {
			s.begin(t)
		}
	})
}
