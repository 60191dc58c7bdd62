package copying

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// Options say what is copied.
type Options struct {
	To       string           // what the target is called, for those who are told that a tenant was moved
	Tenants  []uuid.UUID      // nil: all
	Finish   bool             // end with the tenant in the target, and frozen in the source
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: slog.Default()
	Progress func(Progress)   // may be nil
}

// Progress is the progress of a copy.
type Progress struct {
	Doing string
	Part  float64 // from 0 to 1
	Rows  int64   // compared so far
}

// Tenant is what was done about a tenant.
type Tenant struct {
	ID       uuid.UUID
	Seq      uint64 // the commit up to which the target has it
	Chain    store.Chain
	Commits  int64 // that were copied
	Rows     int64 // that were copied or removed
	Finished bool
	Frozen   time.Duration // how long changes were refused before the target had all
}

// Copy copies tenants from one store to another, one after the other, and returns what was done up
// to the first error. It can be interrupted at any time and continues when it is called again.
func Copy(ctx context.Context, from, to store.Store, o Options) ([]Tenant, error) {
	o.Log = cmp.Or(o.Log, slog.Default())
	if o.Now == nil {
		o.Now = time.Now
	}
	ids, err := published(ctx, from)
	if err != nil {
		return nil, err
	}
	there, err := published(ctx, to)
	if err != nil {
		return nil, err
	}
	for _, id := range there {
		if !slices.Contains(ids, id) {
			return nil, fmt.Errorf("the target has other content: tenant %s, which the source does not have", id)
		}
	}
	if o.Tenants != nil {
		ids = o.Tenants
	}
	var done []Tenant
	for i, id := range ids {
		c := &copier{from: from, to: to, options: o, id: id, nth: i, of: len(ids), first: len(there) == 0}
		one, err := c.tenant(ctx)
		if err != nil {
			return done, fmt.Errorf("copy tenant %s: %w", id, err)
		}
		done = append(done, one)
		if one.Finished {
			there = append(there, id)
		}
	}
	return done, nil
}

// published returns the tenants of a store that programs know.
func published(ctx context.Context, s store.Store) (known []uuid.UUID, err error) {
	ids, err := s.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		place, err := s.Place(ctx, id)
		if err != nil {
			return nil, err
		}
		if place.Seq > 0 {
			known = append(known, id)
		}
	}
	return known, nil
}

// copier copies one tenant.
type copier struct {
	from, to store.Store
	options  Options
	id       uuid.UUID
	nth, of  int  // which tenant of how many
	first    bool // no tenant of the target is published

	begin  uint64          // the first commit of the target; 0 without any
	last   store.Commit    // of the target; zero without any
	saved  map[string]bool // parts of snapshots
	place  store.Place     // of the view of the last round
	floors store.Floors    // of the target then
	done   Tenant

	changed, compared, total int64 // rows of a round
}

func (c *copier) tenant(ctx context.Context) (Tenant, error) {
	c.done, c.saved = Tenant{ID: c.id}, map[string]bool{}
	place, err := c.from.Place(ctx, c.id)
	if err != nil {
		return c.done, err
	}
	if place.Seq == 0 {
		return c.done, fmt.Errorf("it has no commit: %w", store.ErrNotFound)
	}
	why, err := c.from.Frozen(ctx, c.id)
	if err != nil {
		return c.done, err
	}
	if isMoved(why) && why != c.moved() {
		return c.done, fmt.Errorf("%s: it is not copied to %s, too", why, c.options.To)
	}
	there, err := c.to.Place(ctx, c.id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		err = c.to.CreateTenant(ctx, c.id)
	case err == nil && there.Seq > 0:
		return c.finished(ctx, place, there, why)
	}
	if err == nil {
		err = c.readTarget(ctx)
	}
	if err == nil {
		err = c.round(ctx)
	}
	if err == nil && c.options.Finish {
		err = c.finish(ctx)
	}
	return c.done, err
}

// finished returns an error unless a tenant that is published in the target was moved there.
func (c *copier) finished(ctx context.Context, here, there store.Place, why string) (Tenant, error) {
	other := fmt.Errorf("the target has other content: it has the tenant already, with commits up to %d", there.Seq)
	if !isMoved(why) || there.Seq < here.Seq {
		return c.done, other
	}
	chain := there.Chain
	if there.Seq > here.Seq {
		err := c.to.Commits(ctx, c.id, here.Seq-1, func(commit store.Commit) error {
			chain = commit.Chain
			return errEnough
		})
		if !errors.Is(err, errEnough) {
			return c.done, cmp.Or(err, other)
		}
	}
	if chain != here.Chain {
		return c.done, other
	}
	c.done.Seq, c.done.Chain, c.done.Finished = here.Seq, here.Chain, true
	return c.done, nil
}

// errEnough ends the reading of a log.
var errEnough = errors.New("enough of the log was read")
