package memory

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// CreateTenant implements store.Store.
func (s *Store) CreateTenant(ctx context.Context, id uuid.UUID) error {
	return s.do(ctx, func(w *World) error {
		if _, ok := w.tenants[id]; ok {
			return fmt.Errorf("tenant %s: %w", id, store.ErrExists)
		}
		w.tenants[id] = &tenant{rows: map[store.Kind]map[uint32]row{}, parts: map[string][]byte{}}
		w.order = append(w.order, id)
		return nil
	})
}

// Tenants implements store.Store.
func (s *Store) Tenants(ctx context.Context) (ids []uuid.UUID, err error) {
	err = s.do(ctx, func(w *World) error {
		ids = slices.Clone(w.order)
		return nil
	})
	return ids, err
}

// Append implements store.Store.
func (s *Store) Append(
	ctx context.Context, id uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object,
) error {
	if err := at.Check(commits); err != nil {
		return err
	}
	return s.in(ctx, id, func(t *tenant) error {
		if t.end != at {
			return fmt.Errorf("the log of tenant %s ends at %+v, not at %+v: %w", id, t.end, at, store.ErrConflict)
		}
		if err := areDocuments(objects); err != nil {
			return err
		}
		t.end = at.After(commits)
		for _, c := range commits {
			t.log = append(t.log, stored(c))
		}
		for _, o := range objects {
			t.put(o)
		}
		return nil
	})
}

// stored returns a commit as it comes back, which shares nothing with the caller's.
func stored(c store.Commit) store.Commit {
	c.At = time.UnixMilli(c.At.UnixMilli()).UTC()
	c.Effects = bytes.Clone(c.Effects)
	return c
}

// Place implements store.Store.
func (s *Store) Place(ctx context.Context, id uuid.UUID) (place store.Place, err error) {
	err = s.in(ctx, id, func(t *tenant) error {
		place = t.end
		return nil
	})
	return place, err
}

// Fence implements store.Store.
func (s *Store) Fence(ctx context.Context, id uuid.UUID) (place store.Place, err error) {
	err = s.in(ctx, id, func(t *tenant) error {
		t.end.Epoch++
		place = t.end
		return nil
	})
	return place, err
}

// Commits implements store.Store. It hands over those that are there when it is called: yield may
// use the store.
func (s *Store) Commits(ctx context.Context, id uuid.UUID, after uint64, yield func(store.Commit) error) error {
	var log []store.Commit
	err := s.in(ctx, id, func(t *tenant) error {
		log = t.log[min(after, uint64(len(t.log))):]
		return nil
	})
	if err != nil {
		return err
	}
	for _, c := range log {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(stored(c)); err != nil {
			return err
		}
	}
	return nil
}
