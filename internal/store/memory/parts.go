package memory

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// SaveParts implements store.Store.
func (s *Store) SaveParts(ctx context.Context, id uuid.UUID, parts []store.Part) error {
	return s.in(ctx, id, func(t *tenant) error {
		for _, part := range parts {
			t.parts[part.Name] = bytes.Clone(part.Data)
		}
		return nil
	})
}

// Parts implements store.Store.
func (s *Store) Parts(ctx context.Context, id uuid.UUID, names []string) (parts []store.Part, err error) {
	err = s.in(ctx, id, func(t *tenant) error {
		for _, name := range names {
			data, ok := t.parts[name]
			if !ok {
				return fmt.Errorf("part %q of tenant %s: %w", name, id, store.ErrNotFound)
			}
			parts = append(parts, store.Part{Name: name, Data: bytes.Clone(data)})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return parts, nil
}

// DropParts implements store.Store.
func (s *Store) DropParts(ctx context.Context, id uuid.UUID, keep []string) error {
	return s.in(ctx, id, func(t *tenant) error {
		maps.DeleteFunc(t.parts, func(name string, _ []byte) bool { return !slices.Contains(keep, name) })
		return nil
	})
}

// Secret implements store.Store. The world stands still meanwhile, so make must not use the store.
func (s *Store) Secret(ctx context.Context, name string, make func() ([]byte, error)) (value []byte, err error) {
	err = s.do(ctx, func(w *World) error {
		if _, ok := w.secrets[name]; !ok {
			made, err := make()
			if err != nil {
				return fmt.Errorf("make secret %s: %w", name, err)
			}
			w.secrets[name] = bytes.Clone(made)
		}
		value = bytes.Clone(w.secrets[name])
		return nil
	})
	return value, err
}

// ReplaceSecret implements store.Store. The world stands still meanwhile, so change must not use
// the store.
func (s *Store) ReplaceSecret(ctx context.Context, name string, change func(old []byte) ([]byte, error)) error {
	return s.do(ctx, func(w *World) error {
		value, err := change(bytes.Clone(w.secrets[name]))
		if err != nil {
			return fmt.Errorf("replace secret %s: %w", name, err)
		}
		w.secrets[name] = bytes.Clone(value)
		return nil
	})
}
