package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/turns"
)

// SaveParts implements store.Store.
func (s *Store) SaveParts(ctx context.Context, tenant uuid.UUID, parts []store.Part, at time.Time) error {
	number, err := s.tenant(ctx, tenant)
	if err != nil {
		return err
	}
	for i := range parts {
		err := s.write(ctx, func(tx *sql.Tx) error { return savePart(tx, number, &parts[i], at) })
		if err != nil {
			return s.fail("save part "+parts[i].Name, err)
		}
	}
	return nil
}

func savePart(tx *sql.Tx, number int64, part *store.Part, at time.Time) error {
	there, err := affected(tx.Exec("UPDATE part SET used = ? WHERE tenant = ? AND name = ?",
		at.UnixMilli(), number, part.Name))
	if there || err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO part (tenant, name, used) VALUES (?, ?, ?)", number, part.Name, at.UnixMilli())
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO snapshot (tenant, name, data, sum) VALUES (?, ?, ?, ?)",
		number, part.Name, bytesOf(part.Data), part.Sum())
	return err
}

const readPart = "SELECT data, sum FROM snapshot WHERE tenant = ? AND name = ?"

// Parts implements store.Store.
func (s *Store) Parts(ctx context.Context, tenant uuid.UUID, names []string) ([]store.Part, error) {
	number, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var parts []store.Part
	turns.Patiently(func() { parts, err = s.partsOf(ctx, tenant, number, names) })
	return parts, err
}

func (s *Store) partsOf(ctx context.Context, tenant uuid.UUID, number int64, names []string) ([]store.Part, error) {
	parts := make([]store.Part, 0, len(names))
	for _, name := range names {
		part := store.Part{Name: name}
		var sum int64
		err := s.loads.QueryRowContext(ctx, readPart, number, name).Scan((*kept)(&part.Data), &sum)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("part %q of tenant %s: %w", name, tenant, store.ErrNotFound)
		} else if err != nil {
			return nil, s.fail("read part "+name, err)
		} else if part.Sum() != sum {
			return nil, s.damaged("part " + name + " has another checksum")
		}
		parts = append(parts, part)
	}
	return parts, nil
}

// kept is a []byte that is scanned without the copy that database/sql makes, since parts are large.
// Its row must be the only one. Drivers must not change the data of a row when its rows are closed
// (driver.Rows), and there is no next row.
type kept []byte

// Scan implements sql.Scanner.
func (k *kept) Scan(value any) error {
	data, ok := value.([]byte)
	if !ok && value != nil { // nil if there is no value
		return fmt.Errorf("a part is a %T, not bytes", value)
	}
	*k = data
	return nil
}
