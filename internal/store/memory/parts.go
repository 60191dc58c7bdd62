package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// part is the data of a part. It also has the time when it was saved, or when a manifest last
// stopped naming it.
type part struct {
	data []byte
	used time.Time
}

// SaveParts implements store.Store.
func (s *Store) SaveParts(ctx context.Context, id uuid.UUID, parts []store.Part, at time.Time) error {
	return s.in(ctx, id, func(t *tenant) error {
		for _, p := range parts {
			now, ok := t.parts[p.Name]
			if !ok {
				now.data = bytes.Clone(p.Data)
			}
			now.used = at
			t.parts[p.Name] = now
		}
		return nil
	})
}

// Parts implements store.Store.
func (s *Store) Parts(ctx context.Context, id uuid.UUID, names []string) (parts []store.Part, err error) {
	err = s.in(ctx, id, func(t *tenant) error {
		if err := t.has(names); err != nil {
			return err
		}
		for _, name := range names {
			parts = append(parts, store.Part{Name: name, Data: bytes.Clone(t.parts[name].data)})
		}
		return nil
	})
	return parts, err
}

// has returns an error if a part does not exist.
func (t *tenant) has(names []string) error {
	for _, name := range names {
		if _, ok := t.parts[name]; !ok {
			return fmt.Errorf("part %q: %w", name, store.ErrNotFound)
		}
	}
	return nil
}

// Manifests implements store.Store.
func (s *Store) Manifests(ctx context.Context, id uuid.UUID) (list []store.Manifest, err error) {
	err = s.in(ctx, id, func(t *tenant) error {
		for _, m := range t.manifests {
			m.Parts = slices.Clone(m.Parts)
			list = append(list, m)
		}
		slices.SortFunc(list, func(a, b store.Manifest) int {
			return cmp.Or(-cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Name, b.Name))
		})
		return nil
	})
	return list, err
}

// ReplaceManifest implements store.Store.
func (s *Store) ReplaceManifest(ctx context.Context, id uuid.UUID, m store.Manifest, at time.Time) error {
	return s.in(ctx, id, func(t *tenant) error {
		if now := t.manifests[m.Name].Version; now != m.Version {
			return fmt.Errorf("manifest %s has version %d, not %d: %w", m.Name, now, m.Version, store.ErrConflict)
		}
		if err := t.has(append(slices.Clone(m.Parts), m.Head)); err != nil {
			return err
		}
		t.release(m.Name, at)
		m.Version++
		m.Parts = slices.Clone(m.Parts)
		t.manifests[m.Name] = m
		return nil
	})
}

// DropManifest implements store.Store.
func (s *Store) DropManifest(ctx context.Context, id uuid.UUID, name string, at time.Time) error {
	return s.in(ctx, id, func(t *tenant) error {
		t.release(name, at)
		delete(t.manifests, name)
		return nil
	})
}

// release makes the parts that a manifest names count as saved at a time.
func (t *tenant) release(manifest string, at time.Time) {
	for name, p := range t.parts {
		if m, ok := t.manifests[manifest]; ok && names(m, name) {
			p.used = at
			t.parts[name] = p
		}
	}
}

func names(m store.Manifest, part string) bool {
	return m.Head == part || slices.Contains(m.Parts, part)
}

// Sweep implements store.Store.
func (s *Store) Sweep(ctx context.Context, id uuid.UUID, before time.Time) (swept int, err error) {
	err = s.in(ctx, id, func(t *tenant) error {
		named := map[string]bool{}
		for _, m := range t.manifests {
			named[m.Head] = true
			for _, name := range m.Parts {
				named[name] = true
			}
		}
		for name, p := range t.parts {
			if !named[name] && p.used.Before(before) {
				delete(t.parts, name)
				swept++
			}
		}
		return nil
	})
	return swept, err
}
