package memory

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
)

// Secret implements store.Store. It holds the lock of the world while it calls create, which must
// not use the store.
func (s *Store) Secret(ctx context.Context, name string, create func() ([]byte, error)) (value []byte, err error) {
	err = s.do(ctx, func(w *World) error {
		if _, ok := w.secrets[name]; !ok {
			made, err := create()
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

// ReplaceSecret implements store.Store. It holds the lock of the world while it calls change, which
// must not use the store.
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

// SecretNames implements store.Store.
func (s *Store) SecretNames(ctx context.Context) (names []string, err error) {
	err = s.do(ctx, func(w *World) error {
		names = slices.Sorted(maps.Keys(w.secrets))
		return nil
	})
	return names, err
}
