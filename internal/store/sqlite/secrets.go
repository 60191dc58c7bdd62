package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

const findSecret = "SELECT value FROM secret WHERE name = ?"

// Secret implements store.Store. Of several concurrent callers, the first one to get the writer
// makes the secret.
func (s *Store) Secret(ctx context.Context, name string, create func() ([]byte, error)) ([]byte, error) {
	var value []byte
	err := s.reader.QueryRowContext(ctx, findSecret, name).Scan(&value)
	if err == nil {
		return value, nil
	} else if !errors.Is(err, sql.ErrNoRows) {
		return nil, s.fail("read secret "+name, err)
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRow(findSecret, name).Scan(&value)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if value, err = create(); err != nil {
			return err
		}
		_, err = tx.Exec("INSERT INTO secret (name, value) VALUES (?, ?)", name, bytesOf(value))
		return err
	})
	if err != nil {
		return nil, s.fail("make secret "+name, err)
	}
	return value, nil
}

// ReplaceSecret implements store.Store. The old value is overwritten in the file, and the log,
// which may contain it, is truncated.
func (s *Store) ReplaceSecret(ctx context.Context, name string, change func(old []byte) ([]byte, error)) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec("PRAGMA secure_delete=ON"); err != nil {
			return err
		}
		defer tx.Exec("PRAGMA secure_delete=OFF")
		var value []byte
		err := tx.QueryRow(findSecret, name).Scan(&value)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if value, err = change(value); err != nil {
			return err
		}
		_, err = tx.Exec("INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = "+
			"excluded.value", name, bytesOf(value))
		return err
	})
	if err != nil {
		return s.fail("replace secret "+name, err)
	}
	if err = s.emptyLog(ctx); errors.Is(err, errLogInUse) { // a later one truncates it
		return nil
	}
	return s.fail("replace secret "+name+", which was done: empty the log", err)
}

// SecretNames implements store.Store.
func (s *Store) SecretNames(ctx context.Context) ([]string, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT name FROM secret ORDER BY name")
	if err != nil {
		return nil, s.fail("list secrets", err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, s.fail("list secrets", err)
		}
		names = append(names, name)
	}
	return names, s.fail("list secrets", rows.Err())
}

// Ping implements store.Store. It writes as much as a large commit, so that it fails if there is
// little room. The bytes differ each time, since SQLite does not write pages that stay the same.
func (s *Store) Ping(ctx context.Context) error {
	var at int64
	if err := s.reader.QueryRowContext(ctx, "SELECT at FROM probe").Scan(&at); err != nil {
		return s.fail("read", err)
	}
	return s.fail("write", s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE probe SET at = ?, room = randomblob(65536)", time.Now().UnixMilli())
		return err
	}))
}
