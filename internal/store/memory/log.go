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
		w.tenants[id] = &tenant{
			floors:    store.Floors{Log: 1},
			rows:      map[store.Kind]map[uint32]row{},
			parts:     map[string]part{},
			manifests: map[string]store.Manifest{},
		}
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
		if t.frozen != "" {
			return fmt.Errorf("tenant %s: %w: %s", id, store.ErrFrozen, t.frozen)
		}
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

// stored returns a copy of a commit that shares nothing with the caller's.
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

// Commits implements store.Store. It passes on the commits that exist when it is called, so yield
// may use the store.
func (s *Store) Commits(ctx context.Context, id uuid.UUID, after uint64, yield func(store.Commit) error) error {
	var log []store.Commit
	err := s.in(ctx, id, func(t *tenant) error {
		trimmed := t.floors.Log - 1
		if after < trimmed {
			return fmt.Errorf("commit %d: %w", after+1, store.ErrTrimmed)
		}
		log = t.log[min(after-trimmed, uint64(len(t.log))):]
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

// CommitsAt implements store.Store.
func (s *Store) CommitsAt(
	ctx context.Context, id uuid.UUID, seqs []uint64, most int,
) (list []store.Commit, err error) {
	if err := store.CheckCommitsAt(seqs); err != nil {
		return nil, err
	}
	err = s.in(ctx, id, func(t *tenant) error {
		size := 0
		for _, seq := range seqs {
			if size >= most {
				break
			}
			if seq >= t.floors.Log && seq-t.floors.Log < uint64(len(t.log)) {
				c := stored(t.log[seq-t.floors.Log])
				list, size = append(list, c), size+len(c.Effects)
			}
		}
		return nil
	})
	return list, err
}

// Floors implements store.Store.
func (s *Store) Floors(ctx context.Context, id uuid.UUID) (floors store.Floors, err error) {
	err = s.in(ctx, id, func(t *tenant) error {
		floors = t.floors
		return nil
	})
	return floors, err
}

// TrimLog implements store.Store.
func (s *Store) TrimLog(ctx context.Context, id uuid.UUID, below uint64) (trimmed int, err error) {
	err = s.in(ctx, id, func(t *tenant) error {
		if below > t.floors.Log {
			trimmed = min(int(below-t.floors.Log), store.TrimRows, len(t.log))
		}
		t.log = t.log[trimmed:]
		t.floors.Log += uint64(trimmed)
		return nil
	})
	return trimmed, err
}

// TrimMoved implements store.Store.
func (s *Store) TrimMoved(ctx context.Context, id uuid.UUID, below uint64) (trimmed int, err error) {
	err = s.in(ctx, id, func(t *tenant) error {
		t.floors.Moved = max(t.floors.Moved, below)
		for _, rows := range t.rows {
			for ordinal, r := range rows {
				for len(r.keys) > 1 && r.keys[1].seq <= t.floors.Moved && trimmed < store.TrimRows {
					r.keys = r.keys[1:]
					trimmed++
				}
				rows[ordinal] = r
			}
		}
		return nil
	})
	return trimmed, err
}
