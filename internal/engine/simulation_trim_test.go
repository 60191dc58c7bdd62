package engine_test

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"licensor/internal/engine"
	"licensor/internal/store"
)

// archived is an engine.Archive: the commits that were removed from the log, or may have been.
type archived map[uint64]store.Commit

// Keep implements engine.Archive.
func (a archived) Keep(
	_ context.Context, _ uuid.UUID, _ time.Time, first, last uint64, read func(yield func(store.Commit) error) error,
) error {
	next := first
	err := read(func(c store.Commit) error {
		if was, ok := a[c.Seq]; c.Seq != next || ok && was.Chain != c.Chain {
			return fmt.Errorf("commit %d is archived as %d, chain %x, and was before with chain %x", next, c.Seq, c.Chain, was.Chain)
		}
		a[c.Seq] = c
		next++
		return nil
	})
	if err == nil && next != last+1 {
		err = fmt.Errorf("commits %d to %d were announced, and the last one was %d", first, last, next-1)
	}
	return err
}

// trim removes the commits of the days before from the log, as far as the weather allows.
func (s *simulation) trim(id uuid.UUID, load bool) {
	s.tb.Helper()
	s.clock.Add(26 * 60 * 60)
	fails := s.random.IntN(2) == 0
	if s.weather.calm(); fails {
		s.weather.bad()
	}
	what := engine.Trimming{Keep: time.Hour, Load: load, Archive: s.archive}
	_, err := s.tenants.Trim(context.Background(), id, what)
	if s.weather.calm(); err != nil && !fails {
		s.tb.Fatalf("trimming the log: %v", err)
	}
}

// evict drops the tenant, as for lack of memory, and loads it again, both as far as the weather
// allows. Its log may be trimmed in between.
func (s *simulation) evict() {
	s.tb.Helper()
	id, was := s.ID(), s.Image()
	s.weather.bad()
	s.Release()
	if !s.tenants.DropIdle(id) {
		s.tb.Fatal("a tenant that is not used cannot be dropped")
	}
	if s.random.IntN(2) == 0 {
		s.trim(id, false)
		s.weather.bad()
	}
	for tries := 0; ; tries++ {
		if tries == 3 {
			s.weather.calm()
		}
		t, err := s.tenants.Tenant(context.Background(), id)
		if err == nil {
			s.Tenant = t
			break
		}
		if tries >= 3 {
			s.tb.Fatalf("loading the tenant again: %v", err)
		}
	}
	s.weather.calm()
	if now := s.Image(); now.Seq < was.Seq { // there may be more, from appends whose responses were lost
		s.tb.Fatalf("the tenant is as of commit %d, and was as of %d before it was dropped", now.Seq, was.Seq)
	}
	s.checkReplay()
}
