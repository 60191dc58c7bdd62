package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// Floors implements store.Store.
func (s *Store) Floors(ctx context.Context, tenant uuid.UUID) (store.Floors, error) {
	return s.floors(ctx, s.reader, tenant)
}

const readFloors = "SELECT log_floor, moved_floor FROM tenant WHERE id = ?"

func (s *Store) floors(ctx context.Context, from querier, tenant uuid.UUID) (floors store.Floors, err error) {
	row := from.QueryRowContext(ctx, readFloors, tenant[:])
	err = row.Scan(&floors.Log, &floors.Moved)
	if errors.Is(err, sql.ErrNoRows) {
		return floors, fmt.Errorf("tenant %s: %w", tenant, store.ErrNotFound)
	}
	return floors, s.fail("find the floors of tenant "+tenant.String(), err)
}

// keeps returns store.ErrTrimmed if a commit was trimmed.
func (s *Store) keeps(ctx context.Context, from querier, tenant uuid.UUID, seq uint64) error {
	floors, err := s.floors(ctx, from, tenant)
	if err == nil && seq < floors.Log {
		return fmt.Errorf("commit %d of tenant %s: %w", seq, tenant, store.ErrTrimmed)
	}
	return err
}

// keepsOrder returns store.ErrTrimmed if the order as of a commit is no longer available. It is
// called after rows were read, to notice rows that were trimmed meanwhile.
func (s *Store) keepsOrder(ctx context.Context, tenant uuid.UUID, asOf uint64) error {
	floors, err := s.Floors(ctx, tenant)
	if err == nil && asOf < floors.Moved {
		return fmt.Errorf("the order as of commit %d of tenant %s: %w", asOf, tenant, store.ErrTrimmed)
	}
	return err
}

// TrimLog implements store.Store.
func (s *Store) TrimLog(ctx context.Context, tenant uuid.UUID, below uint64) (int, error) {
	return s.trim(ctx, tenant, func(tx *sql.Tx, number int64) (sql.Result, error) {
		var floor int64
		err := tx.QueryRow(`UPDATE tenant SET log_floor = max(log_floor, min(?2, seq + 1, log_floor + ?3))
			WHERE number = ?1 RETURNING log_floor`, number, int64(below), store.TrimRows).Scan(&floor)
		if err != nil {
			return nil, err
		}
		return tx.Exec("DELETE FROM commits WHERE tenant = ? AND seq < ?", number, floor)
	})
}

// movedKinds has all kinds, as JSON, for an index in which the kind comes before the commit.
const movedKinds = "[1,2,3,4,5,6]"

// TrimMoved implements store.Store.
func (s *Store) TrimMoved(ctx context.Context, tenant uuid.UUID, below uint64) (int, error) {
	return s.trim(ctx, tenant, func(tx *sql.Tx, number int64) (sql.Result, error) {
		_, err := tx.Exec("UPDATE tenant SET moved_floor = max(moved_floor, ?2) WHERE number = ?1",
			number, int64(below))
		if err != nil {
			return nil, err
		}
		return tx.Exec(`DELETE FROM moved WHERE number IN (SELECT number FROM moved WHERE tenant = ?1
			AND kind IN (SELECT value FROM json_each(?2)) AND seq <= ?3 LIMIT ?4)`,
			number, movedKinds, int64(below), store.TrimRows)
	})
}

// trim removes rows in a transaction and returns how many.
func (s *Store) trim(
	ctx context.Context, tenant uuid.UUID, remove func(tx *sql.Tx, number int64) (sql.Result, error),
) (int, error) {
	number, err := s.tenant(ctx, tenant)
	if err != nil {
		return 0, err
	}
	var count int64
	err = s.write(ctx, func(tx *sql.Tx) error {
		removed, err := remove(tx, number)
		if err == nil {
			count, err = removed.RowsAffected()
		}
		return err
	})
	return int(count), s.fail("trim tenant "+tenant.String(), err)
}
