package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

const (
	findSecret    = "SELECT value FROM licensor.secret WHERE name = $1"
	addSecret     = "INSERT INTO licensor.secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"
	replaceSecret = "UPDATE licensor.secret SET value = $3 WHERE name = $1 AND value = $2"
)

// secret returns the value of a secret; nil if there is none.
func (s *Store) secret(ctx context.Context, name string) ([]byte, error) {
	return read(ctx, s, uuid.Nil, "read secret "+name, func(r reading) (value []byte, err error) {
		err = r.row(r.ctx, findSecret, name).Scan(&value)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil, nil
		}
		return value, err
	})
}

// Secret implements store.Store. Concurrent callers may each make a value; the first one added is
// returned to all.
func (s *Store) Secret(ctx context.Context, name string, create func() ([]byte, error)) ([]byte, error) {
	value, err := s.secret(ctx, name)
	if err != nil || value != nil {
		return value, err
	}
	made, err := create()
	if err != nil {
		return nil, fmt.Errorf("make secret %s: %w", name, err)
	}
	if _, err := s.change(ctx, "make secret "+name, addSecret, name, bytesOf(made)); err != nil {
		return nil, err
	}
	return s.secret(ctx, name)
}

// ReplaceSecret implements store.Store. If another has replaced the secret meanwhile, it calls
// change again. The old value remains on the disk until the database has reused its space.
func (s *Store) ReplaceSecret(ctx context.Context, name string, change func(old []byte) ([]byte, error)) error {
	for {
		old, err := s.secret(ctx, name)
		if err != nil {
			return err
		}
		value, err := change(old)
		if err != nil {
			return fmt.Errorf("replace secret %s: %w", name, err)
		}
		text, args := replaceSecret, []any{name, old, bytesOf(value)}
		if old == nil {
			text, args = addSecret, []any{name, bytesOf(value)}
		}
		if changed, err := s.change(ctx, "replace secret "+name, text, args...); err != nil || changed > 0 {
			return err
		}
	}
}

// SecretNames implements store.Store.
func (s *Store) SecretNames(ctx context.Context) ([]string, error) {
	return read(ctx, s, uuid.Nil, "list secrets", func(r reading) (names []string, err error) {
		err = r.rows("SELECT name FROM licensor.secret ORDER BY name", nil, func(row pgx.CollectableRow) error {
			var name string
			err := row.Scan(&name)
			names = append(names, name)
			return err
		})
		return names, err
	})
}

// change executes one statement and returns the number of changed rows.
func (s *Store) change(ctx context.Context, doing, text string, args ...any) (changed int64, err error) {
	err = s.write(ctx, doing, func(ctx context.Context, c conn) (err error) {
		changed, err = c.exec(ctx, text, args...)
		return err
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.change(ctx, "write", "UPDATE licensor.probe SET at = now() WHERE number = 1")
	return err
}
