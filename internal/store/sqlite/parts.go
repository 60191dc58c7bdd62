package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// SaveParts implements store.Store.
func (s *Store) SaveParts(ctx context.Context, tenant uuid.UUID, parts []store.Part) error {
	number, err := s.tenant(ctx, tenant)
	if err != nil {
		return err
	}
	for _, part := range parts {
		err := s.write(ctx, func(tx *sql.Tx) error {
			_, err := tx.Exec(`INSERT INTO snapshot (tenant, name, data, sum) VALUES (?, ?, ?, ?)
				ON CONFLICT DO UPDATE SET data = excluded.data, sum = excluded.sum`, number, part.Name, bytesOf(part.Data), partSum(&part))
			return err
		})
		if err != nil {
			return s.fail("save part "+part.Name, err)
		}
	}
	return nil
}

// Parts implements store.Store.
func (s *Store) Parts(ctx context.Context, tenant uuid.UUID, names []string) ([]store.Part, error) {
	number, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	parts := make([]store.Part, 0, len(names))
	for _, name := range names {
		part := store.Part{Name: name}
		var sum int64
		err := s.reader.QueryRowContext(ctx, "SELECT data, sum FROM snapshot WHERE tenant = ? AND name = ?", number, name).Scan((*kept)(&part.Data), &sum)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("part %q of tenant %s: %w", name, tenant, store.ErrNotFound)
		} else if err != nil {
			return nil, s.fail("read part "+name, err)
		} else if partSum(&part) != sum {
			return nil, s.damaged("part " + name + " has another checksum")
		}
		parts = append(parts, part)
	}
	return parts, nil
}

// kept is a []byte to be scanned from a row that is the only one, without the copy that
// database/sql makes: parts are large. A driver must not change what a row holds when its rows are
// closed (driver.Rows), and there is no next one.
type kept []byte

// Scan implements sql.Scanner.
func (k *kept) Scan(value any) error {
	data, ok := value.([]byte)
	if !ok && value != nil { // nil where there are none
		return fmt.Errorf("a part is a %T, not bytes", value)
	}
	*k = data
	return nil
}

// DropParts implements store.Store.
func (s *Store) DropParts(ctx context.Context, tenant uuid.UUID, keep []string) error {
	number, err := s.tenant(ctx, tenant)
	if err != nil {
		return err
	}
	list, err := json.Marshal(append([]string{}, keep...)) // nil would be null, not []
	if err != nil {
		return err
	}
	return s.fail("drop parts", s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM snapshot WHERE tenant = ? AND name NOT IN (SELECT value FROM json_each(?))", number, string(list))
		return err
	}))
}

const findSecret = "SELECT value FROM secret WHERE name = ?"

// Secret implements store.Store. Of those who come when there is none, the first to get the writer
// makes it.
func (s *Store) Secret(ctx context.Context, name string, make func() ([]byte, error)) ([]byte, error) {
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
		if value, err = make(); err != nil {
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

// ReplaceSecret implements store.Store. The old value is overwritten in the file, and the log that
// may have it is emptied.
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
		_, err = tx.Exec("INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", name, bytesOf(value))
		return err
	})
	if err != nil {
		return s.fail("replace secret "+name, err)
	}
	// Readers may hold this up; then the log is emptied by a later one.
	return s.fail("replace secret "+name+", which was done: empty the log", s.emptyLog(ctx))
}

// Ping implements store.Store. It writes as much as a large commit, so that it fails when there is
// room for little.
func (s *Store) Ping(ctx context.Context) error {
	var at int64
	if err := s.reader.QueryRowContext(ctx, "SELECT at FROM probe").Scan(&at); err != nil {
		return s.fail("read", err)
	}
	return s.fail("write", s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE probe SET at = ?, room = zeroblob(65536)", time.Now().UnixMilli())
		return err
	}))
}
