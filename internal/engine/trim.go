package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/tenant"
)

// OrdersKept is how long the pages of a list in an order can be read.
const OrdersKept = 24 * time.Hour

// Trimming configures the trimming of logs.
type Trimming struct {
	Keep time.Duration // how long commits are kept; 0: forever
	// Audited keeps commits at least as long as the audit log shows their entries.
	Audited bool
	// Load loads the tenant if commits could be removed except that there is no snapshot after them.
	// Otherwise one is taken of loaded tenants only.
	Load bool
	// Dry only counts.
	Dry bool
	// Archive gets the commits of each day before they are removed; nil: they are not kept. Then only
	// whole days are removed (of UTC).
	Archive Archive
}

// Archive keeps the commits that are removed from logs.
type Archive interface {
	// Keep makes the commits of a tenant and a day durable. A retry after an interruption gets the
	// same commits, except for those that were removed meanwhile.
	Keep(ctx context.Context, of uuid.UUID, day time.Time, first, last uint64,
		read func(yield func(store.Commit) error) error) error
}

// Trimmed says what was removed, or would be.
type Trimmed struct {
	Commits uint64
	Kept    uint64    // the first commit that is kept; one after the last if none is
	Since   time.Time // its time; zero when there is none
}

// TrimAll trims all tenants, and removes old sign-ins, from time to time until the context ends.
func (all *Tenants) TrimAll(ctx context.Context, every time.Duration, what Trimming) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		ids, err := all.store.Tenants(ctx)
		if err != nil && ctx.Err() == nil {
			all.options.Log.Error("logs could not be trimmed; it is tried again later", "error", err)
		}
		for _, id := range ids {
			done, err := all.Trim(ctx, id, what)
			if err == nil {
				err = all.DropSignIns(ctx, id)
			}
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				all.options.Log.Error("a log could not be trimmed; it is tried again later", "tenant", id, "error", err)
			case done.Commits > 0:
				all.options.Log.Info("old commits were removed from a log", "tenant", id, "commits", done.Commits,
					"first", done.Kept)
			}
		}
	}
}

// Trim removes the commits of a tenant that are older than Keep and below its last snapshot, and
// what lists in an order needed that began more than OrdersKept ago. It works also while another
// process serves the tenant.
func (all *Tenants) Trim(ctx context.Context, id uuid.UUID, what Trimming) (Trimmed, error) {
	for {
		t := &trimmer{all: all, id: id, Trimming: what}
		done, err := t.trim(ctx)
		if !errors.Is(err, store.ErrTrimmed) { // otherwise another process trims it
			return done, err
		}
	}
}

// trimmer trims one tenant.
type trimmer struct {
	Trimming
	all   *Tenants
	id    uuid.UUID
	last  uint64 // commit
	first uint64 // commit that is still there
	moved uint64 // the floor of orders
}

func (t *trimmer) trim(ctx context.Context) (Trimmed, error) {
	if err := t.read(ctx); err != nil {
		return Trimmed{}, err
	}
	done, err := t.log(ctx)
	if err == nil && !t.Dry {
		err = t.orders(ctx)
	}
	return done, err
}

func (t *trimmer) read(ctx context.Context) error {
	place, err := t.all.store.Place(ctx, t.id)
	if err != nil {
		return err
	}
	floors, err := t.all.store.Floors(ctx, t.id)
	t.last, t.first, t.moved = place.Seq, max(floors.Log, 1), floors.Moved
	return err
}

// log removes commits.
func (t *trimmer) log(ctx context.Context) (done Trimmed, err error) {
	done.Kept = t.first
	if t.Keep > 0 {
		keep, err := t.keep(ctx)
		if err != nil {
			return done, err
		}
		before := t.all.options.Now().Add(-keep).UTC()
		if t.Archive != nil {
			before = before.Truncate(24 * time.Hour)
		}
		if done.Kept, err = t.below(ctx, before); err != nil {
			return done, err
		}
	}
	done.Commits = done.Kept - t.first
	if !t.Dry && done.Commits > 0 {
		if err := t.remove(ctx, done.Kept); err != nil {
			return done, err
		}
	}
	if done.Kept <= t.last {
		c, err := t.commit(ctx, done.Kept)
		if err != nil {
			return done, err
		}
		done.Since = c.At
	}
	return done, nil
}

// keep returns how long commits are kept. How long the audit log shows their entries
// (docs/spec/audit.md U6) is read from the last snapshot.
func (t *trimmer) keep(ctx context.Context) (time.Duration, error) {
	if !t.Audited || t.Keep >= tenant.MaxAuditDays*24*time.Hour {
		return t.Keep, nil
	}
	h, err := t.all.savedHead(ctx, t.id)
	if err != nil || h == nil {
		return t.Keep, err // without a snapshot, nothing is removed
	}
	return max(t.Keep, time.Duration(cmp.Or(h.AuditDays, tenant.DefaultAuditDays))*24*time.Hour), nil
}

// below returns the first commit that must be kept: because it is not before a time, not in the
// last snapshot, or being read.
func (t *trimmer) below(ctx context.Context, before time.Time) (uint64, error) {
	cut, err := t.firstSince(ctx, before, t.first)
	if err != nil || cut == t.first {
		return cut, err
	}
	saved, err := t.saved(ctx)
	if err == nil && saved+1 < cut && !t.Dry && (t.Load || t.all.isLoaded(t.id)) {
		if err = t.snapshot(ctx); err == nil {
			saved, err = t.saved(ctx)
		}
	}
	if t.Dry && t.Load {
		saved = t.last
	}
	return max(t.first, min(cut, saved+1, t.all.readers.needed(t.id))), err
}

// saved returns the commit of the last snapshot; 0 when there is none.
func (t *trimmer) saved(ctx context.Context) (uint64, error) {
	list, err := t.all.store.Manifests(ctx, t.id)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	return list[0].Seq, nil
}

func (t *trimmer) snapshot(ctx context.Context) error {
	live, err := t.all.Tenant(ctx, t.id)
	if err != nil {
		return err
	}
	defer live.Release()
	live.snapshots.taking.Lock()
	defer live.snapshots.taking.Unlock()
	return live.snapshot(ctx, live.Image(), live.snapshots.take())
}

// isLoaded reports whether a tenant is loaded.
func (all *Tenants) isLoaded(id uuid.UUID) bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	e := all.entries[id]
	return e != nil && e.tenant != nil && e.gone == nil
}

// firstSince returns the first commit from one on that is not before a time; one after the last if
// all are.
func (t *trimmer) firstSince(ctx context.Context, at time.Time, from uint64) (uint64, error) {
	return firstSince(ctx, t.all.store, t.id, at, from, t.last+1)
}

func (t *trimmer) commit(ctx context.Context, seq uint64) (store.Commit, error) {
	return readCommit(ctx, t.all.store, t.id, seq)
}

// remove removes the commits below one, day by day with an archive.
func (t *trimmer) remove(ctx context.Context, below uint64) error {
	for from := t.first; t.Archive != nil && from < below; {
		c, err := t.commit(ctx, from)
		if err != nil {
			return err
		}
		day := c.At.UTC().Truncate(24 * time.Hour)
		next, err := t.firstSince(ctx, day.AddDate(0, 0, 1), from)
		if err != nil {
			return err
		}
		if next > below { // the snapshot is of the middle of the day: the rest goes with the next one
			below = from
			break
		}
		err = t.Archive.Keep(ctx, t.id, day, from, next-1, func(yield func(store.Commit) error) error {
			err := t.all.store.Commits(ctx, t.id, from-1, func(c store.Commit) error {
				if c.Seq >= next {
					return errEnough
				}
				return yield(c)
			})
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("archive the log of %s of tenant %s: %w", day.Format(time.DateOnly), t.id, err)
		}
		from = next
	}
	return repeat(func() (int, error) { return t.all.store.TrimLog(ctx, t.id, below) })
}

// orders removes what lists in an order need of commits that are old enough.
func (t *trimmer) orders(ctx context.Context) error {
	if t.moved >= t.last {
		return nil
	}
	floors, err := t.all.store.Floors(ctx, t.id)
	if err != nil {
		return err
	}
	from := max(floors.Log, t.moved, 1)
	cut, err := t.firstSince(ctx, t.all.options.Now().Add(-OrdersKept), min(from, t.last+1))
	if err != nil {
		return err
	}
	cut = min(cut, t.last) // the order as of the last commit is always there
	if cut <= t.moved {
		return nil
	}
	return repeat(func() (int, error) { return t.all.store.TrimMoved(ctx, t.id, cut) })
}

// repeat calls remove until it removes nothing.
func repeat(remove func() (int, error)) error {
	for {
		if n, err := remove(); err != nil || n == 0 {
			return err
		}
	}
}
