package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"licensor/bench/load"
)

// budget is the memory for tenants with which requests go to many at random.
const budget = "256MiB"

// many measures tenants of 100 users each, on SQLite.
func (s *scale) many(ctx context.Context, count int) (err error) {
	h := s.file("many.db")
	defer func() { err = errors.Join(err, removeDatabase(h.at)) }()
	start := time.Now()
	err = h.within(ctx, func() error {
		for n := range count {
			if err := h.small(ctx, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.log("%d tenants were made in %s", count, time.Since(start).Round(time.Second))
	none := s.file("none.db")
	var empty int64
	err = none.within(ctx, func() error {
		empty = heap()
		return nil
	})
	if err := errors.Join(err, removeDatabase(none.at)); err != nil {
		return err
	}
	var tokens []string
	err = h.within(ctx, func() (err error) {
		known := heap()
		for n := range count {
			if _, err := h.tenant(ctx, id('t', n)); err != nil {
				return err
			}
		}
		loaded := heap()
		if got := h.tenants.LoadStats().Loaded; got != count {
			return fmt.Errorf("%d of %d tenants are loaded", got, count)
		}
		s.addValue("memory-unloaded", onSQLite, float64(known-empty)/float64(count))
		s.addValue("memory-small", onSQLite, float64(loaded-known)/float64(count)/(1<<10))
		s.addValue("memory-many", onSQLite, float64(loaded-empty)/(1<<20))
		tokens, err = h.tokens(ctx, count)
		return err
	})
	if err != nil {
		return err
	}
	return s.atRandom(ctx, h, tokens)
}

// atRandom reads users of tenants at random, with little memory for them.
func (s *scale) atRandom(ctx context.Context, h *house, tokens []string) error {
	v, err := s.serve(ctx, h, "--memory", budget)
	if err != nil {
		return err
	}
	s.addValue("many-ready", h.name, v.ready.Seconds())
	l := load.Load{Callers: 8, Cycle: true, Time: 2 * s.time}
	for range 20_000 {
		l.Requests = append(l.Requests, v.oneUser(rand.IntN(smallTenant), tokens[rand.IntN(len(tokens))]))
	}
	o, err := load.Put(ctx, v.Address, l)
	if err == nil {
		s.add("many-random", h.name, o)
		var resident int64
		resident, err = v.Resident()
		s.addValue("many-resident", h.name, float64(resident)/(1<<20))
	}
	return errors.Join(err, v.Stop())
}
