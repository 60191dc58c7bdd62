package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/bench/load"
	"licensor/internal/store"
	"licensor/internal/store/postgres"
	"licensor/internal/tenant"
)

// batch is the number of callers that change a tenant at once, and of commits in a raw append.
const batch = 64

// changed counts the changes of this run, so that each sets a value that was not set before.
var changed atomic.Int64

// changes measures single durable changes of one tenant in this process, by one caller and by many.
func (s *scale) changes(ctx context.Context, h *house, users int) error {
	t, err := h.tenant(ctx, bigTenant)
	if err != nil {
		return err
	}
	if err := s.settle(ctx, h); err != nil {
		return err
	}
	for _, callers := range []int{1, batch} {
		o, err := inLoop(callers, s.time, func() error {
			p, err := patch(fmt.Appendf(nil, `{"officeLocation":"Desk %d-%d"}`, s.began.UnixNano(), changed.Add(1)))
			if err != nil {
				return err
			}
			_, err = t.Do(ctx, "scale", tenant.UpdateUser{User: rand.Uint32N(uint32(users)), Patch: p})
			return err
		})
		if err != nil {
			return err
		}
		s.add(fmt.Sprintf("change-%d", callers), h.name, o)
	}
	return nil
}

// inLoop measures calls by several callers, each after the end of its previous one.
func inLoop(callers int, limit time.Duration, do func() error) (*load.Outcome, error) {
	times, errs := make([][]time.Duration, callers), make([]error, callers)
	var wait sync.WaitGroup
	until := time.Now().Add(limit)
	for n := range callers {
		wait.Go(func() {
			for start := time.Now(); start.Before(until) && errs[n] == nil; {
				errs[n] = do()
				now := time.Now()
				times[n] = append(times[n], now.Sub(start))
				start = now
			}
		})
	}
	wait.Wait()
	all := slices.Concat(times...)
	slices.Sort(all)
	return &load.Outcome{Times: all, Callers: callers}, errors.Join(errs...)
}

// rowsAtOnce is the number of rows that are read, copied or appended at once.
const rowsAtOnce = 20_000

// sampleRows is the number of users that the raw appends change.
const sampleRows = 100_000

// raw is a tenant that appends are made to without a tenant in memory. It has as many users as
// ours, since a statement takes longer in a larger table.
type raw struct {
	rows    []store.Object // some of its users, spread evenly
	effects []byte         // of a single change
	id      uuid.UUID
	at      store.Place
	append  func(commits []store.Commit, rows []store.Object) error
}

// commit returns a commit that follows others.
func (r *raw) commit(others []store.Commit, operation string, effects []byte) store.Commit {
	last := r.at.After(others)
	c := store.Commit{
		Seq: last.Seq + 1, At: time.Now().UTC().Truncate(time.Millisecond), Actor: "scale", Operation: operation,
		Format: tenant.Format, Effects: effects,
	}
	c.Chain = c.Link(last.Chain)
	return c
}

// next appends commits with a row each.
func (r *raw) next(many int) error {
	var commits []store.Commit
	var rows []store.Object
	for range many {
		c := r.commit(commits, "updateUser", r.effects)
		commits = append(commits, c)
		row := r.rows[rand.IntN(len(r.rows))]
		row.Seq = c.Seq
		rows = append(rows, row)
	}
	err := r.append(commits, rows)
	r.at = r.at.After(commits)
	return err
}

// fill appends the users of the big tenant in another database, and takes the effects of its last
// commit, which was a single change.
func (r *raw) fill(ctx context.Context, from store.Store, users int) error {
	every := max(1, users/sampleRows)
	for after := int64(-1); ; {
		rows, err := from.Objects(ctx, bigTenant, store.Query{Kind: store.KindUser, After: after, Limit: rowsAtOnce})
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		after = int64(rows[len(rows)-1].Ordinal)
		c := r.commit(nil, "import", nil)
		for i := range rows {
			if rows[i].Seq = c.Seq; int(rows[i].Ordinal)%every == 0 {
				r.rows = append(r.rows, rows[i])
			}
		}
		if err := r.append([]store.Commit{c}, rows); err != nil {
			return err
		}
		r.at = r.at.After([]store.Commit{c})
	}
	place, err := from.Place(ctx, bigTenant)
	if err != nil {
		return err
	}
	return from.Commits(ctx, bigTenant, place.Seq-1, func(c store.Commit) error {
		r.effects = bytes.Clone(c.Effects)
		return nil
	})
}

// raw measures appends of the same size without a tenant: of PostgreSQL the statement alone, in a
// loop over one connection; of SQLite, where it is a transaction of several, the store's.
func (s *scale) raw(ctx context.Context, from *house, users int) error {
	lite := s.file("raw.db")
	pg, err := s.database(ctx, "raw")
	if err != nil {
		return err
	}
	for _, h := range []*house{lite, pg} {
		err := h.within(ctx, func() error { return s.rawAppends(ctx, h, from, users) })
		if err != nil {
			return err
		}
	}
	return errors.Join(removeDatabase(lite.at), s.dropDatabase(ctx, "raw"))
}

func (s *scale) rawAppends(ctx context.Context, h, from *house, users int) error {
	r := &raw{id: id('t', 99)}
	r.append = func(commits []store.Commit, rows []store.Object) error {
		return h.store.Append(ctx, r.id, r.at, commits, rows)
	}
	if err := h.store.CreateTenant(ctx, r.id); err != nil {
		return err
	}
	if err := from.within(ctx, func() error { return r.fill(ctx, from.store, users) }); err != nil {
		return err
	}
	if err := s.settle(ctx, h); err != nil {
		return err
	}
	name := rawSQLite
	if h.name == onPostgres {
		name = rawPostgres
		conn, err := pgx.Connect(ctx, h.at.URL())
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		r.append = func(commits []store.Commit, rows []store.Object) error {
			args, err := postgres.AppendArgs(r.id, r.at, commits, rows)
			if err != nil {
				return err
			}
			done, err := conn.Exec(ctx, postgres.AppendStatement, args...)
			if err == nil && done.RowsAffected() != 1 {
				err = errors.New("the statement has appended nothing")
			}
			return err
		}
	}
	for _, many := range []int{1, batch} {
		o, err := inLoop(1, s.time, func() error { return r.next(many) })
		if err != nil {
			return err
		}
		o.Callers = many // for the rate is of commits
		s.add(fmt.Sprintf("change-%d", many), name, o)
	}
	return nil
}
