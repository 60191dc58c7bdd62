package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// rewind is the statement that goes back to a commit, unless what the tenant is recovered from is
// no longer kept (store.Rewindable).
const rewind = `UPDATE tenant SET seq = ?2, chain = ?3, epoch = epoch + 1, moved_floor = min(moved_floor, ?2)
	WHERE number = ?1 AND seq >= ?2 AND frozen IS NULL AND (log_floor <= 1 OR EXISTS (
		SELECT 1 FROM manifest AS m WHERE m.tenant = ?1 AND m.seq <= ?2 AND m.seq + 1 >= log_floor))
	RETURNING seq, chain, epoch`

// forgets remove what is later than a commit.
var forgets = []string{
	"DELETE FROM commits WHERE tenant = ?1 AND seq > ?2",
	"DELETE FROM object WHERE tenant = ?1 AND seq > ?2",
	"DELETE FROM moved WHERE tenant = ?1 AND seq > ?2",
	"DELETE FROM manifest WHERE tenant = ?1 AND seq > ?2",
}

// Rewind implements store.Store.
func (s *Store) Rewind(ctx context.Context, tenant uuid.UUID, to store.Past) (place store.Place, err error) {
	number, err := s.tenant(ctx, tenant)
	if err != nil {
		return place, err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		place, err = s.placeOf(tenant, tx.QueryRow(rewind, number, int64(to.Seq), chainOf(to.Chain)))
		if errors.Is(err, store.ErrNotFound) {
			return s.whyNotRewound(tx, tenant, to)
		}
		if err != nil {
			return err
		}
		for _, text := range forgets {
			if _, err := tx.Exec(text, number, int64(to.Seq)); err != nil {
				return err
			}
		}
		if err := s.restore(tx, number, to.Rows); err != nil {
			return err
		}
		return rewindSignIns(tx, tenant, to)
	})
	return place, s.fail("rewind tenant "+tenant.String(), err)
}

func (s *Store) whyNotRewound(tx *sql.Tx, tenant uuid.UUID, to store.Past) error {
	why, err := s.frozen(tenant, tx.QueryRow(findFrozen, tenant[:]))
	if err != nil {
		return err
	}
	if why != "" {
		return fmt.Errorf("%w: %s", store.ErrFrozen, why)
	}
	end, err := s.placeOf(tenant, tx.QueryRow(findPlace, tenant[:]))
	if err != nil {
		return err
	}
	if end.Seq < to.Seq {
		return fmt.Errorf("the log ends at commit %d: %w", end.Seq, store.ErrConflict)
	}
	return store.ErrTrimmed
}

// restore writes the rows that are missing: the others have not changed.
func (s *Store) restore(tx *sql.Tx, number int64, objects []store.Object) error {
	there := map[store.RowKey]bool{}
	rows, err := tx.Query("SELECT kind, ordinal FROM object WHERE tenant = ?1", number)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key store.RowKey
		if err := rows.Scan(&key.Kind, &key.Ordinal); err != nil {
			return err
		}
		there[key] = true
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for i := range objects {
		if there[objects[i].RowKey()] {
			continue
		}
		if err := s.fillRow(tx, number, &objects[i]); err != nil {
			return err
		}
	}
	return nil
}

func rewindSignIns(tx *sql.Tx, tenant uuid.UUID, to store.Past) error {
	_, err := tx.Exec("DELETE FROM sign_in WHERE tenant = ? AND number > ?", tenant[:], int64(to.SignIn))
	if err == nil {
		_, err = tx.Exec("DELETE FROM activity WHERE tenant = ?", tenant[:])
	}
	if err != nil {
		return err
	}
	return addActivities(tx, to.Activities)
}
