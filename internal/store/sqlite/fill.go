package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// Fill implements store.Store.
func (s *Store) Fill(ctx context.Context, tenant uuid.UUID, commits []store.Commit, objects []store.Object) error {
	return s.unpublished(ctx, "fill", tenant, func(tx *sql.Tx, number int64) error {
		if len(commits) > 0 {
			_, err := tx.Exec(`UPDATE tenant SET log_floor = ?2 WHERE number = ?1
				AND NOT EXISTS (SELECT 1 FROM commits WHERE tenant = ?1)`, number, int64(commits[0].Seq))
			if err != nil {
				return err
			}
		}
		add, err := tx.Prepare(refill)
		if err != nil {
			return err
		}
		defer add.Close()
		if err := addCommits(add, number, commits); err != nil {
			return err
		}
		for i := range objects {
			if err := s.fillRow(tx, number, &objects[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) fillRow(tx *sql.Tx, number int64, o *store.Object) (err error) {
	if o.Purged {
		_, err = tx.Stmt(s.say.discard).Exec(number, int64(o.Kind), int64(o.Ordinal))
		return err
	}
	args, err := rowArgs(number, o)
	if err == nil {
		_, err = tx.Stmt(s.say.upsert).Exec(args...)
	}
	if err != nil {
		return fmt.Errorf("object %d of kind %d: %w", o.Ordinal, o.Kind, err)
	}
	return nil
}

// Publish implements store.Store.
func (s *Store) Publish(ctx context.Context, tenant uuid.UUID, at store.Place, floors store.Floors) error {
	if err := store.CheckPublish(at); err != nil {
		return err
	}
	return s.unpublished(ctx, "publish", tenant, func(tx *sql.Tx, number int64) error {
		_, err := tx.Exec("UPDATE tenant SET seq = ?2, chain = ?3, epoch = epoch + 1, log_floor = ?4, "+
			"moved_floor = ?5 WHERE number = ?1",
			number, int64(at.Seq), chainOf(at.Chain), int64(max(floors.Log, 1)), int64(floors.Moved))
		return err
	})
}

// discards remove up to ?3 rows of a tenant each.
var discards = []string{
	`DELETE FROM commits WHERE tenant = ?1 AND seq IN (SELECT seq FROM commits WHERE tenant = ?1 LIMIT ?3)`,
	`DELETE FROM object WHERE rowid IN (SELECT rowid FROM object WHERE tenant = ?1 LIMIT ?3)`,
	`DELETE FROM moved WHERE tenant = ?1 AND number IN (SELECT number FROM moved WHERE tenant = ?1 LIMIT ?3)`,
	`DELETE FROM manifest WHERE tenant = ?1 AND name IN (SELECT name FROM manifest WHERE tenant = ?1 LIMIT ?3)`,
	`DELETE FROM snapshot WHERE rowid IN (SELECT rowid FROM snapshot WHERE tenant = ?1 LIMIT ?3)`,
	`DELETE FROM part WHERE tenant = ?1 AND name IN (SELECT name FROM part WHERE tenant = ?1 LIMIT ?3)`,
	`DELETE FROM claim WHERE tenant = ?2 AND name IN (SELECT name FROM claim WHERE tenant = ?2 LIMIT ?3)`,
}

// Discard implements store.Store.
func (s *Store) Discard(ctx context.Context, tenant uuid.UUID) (discarded int, err error) {
	err = s.unpublished(ctx, "discard", tenant, func(tx *sql.Tx, number int64) error {
		discarded = 0
		for _, text := range discards {
			removed, err := tx.Exec(text, number, tenant[:], store.TrimRows-discarded)
			if err != nil {
				return err
			}
			n, err := removed.RowsAffected()
			if err != nil {
				return err
			}
			discarded += int(n)
		}
		if discarded > 0 {
			return nil
		}
		_, err := tx.Exec("DELETE FROM tenant WHERE number = ?", number)
		return err
	})
	if err == nil && discarded == 0 {
		s.number.Delete(tenant)
	}
	return discarded, err
}

// unpublished carries out a change of a tenant that is not published.
func (s *Store) unpublished(
	ctx context.Context, doing string, tenant uuid.UUID, do func(tx *sql.Tx, number int64) error,
) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		var number, seq int64
		err := tx.QueryRow("SELECT number, seq FROM tenant WHERE id = ?", tenant[:]).Scan(&number, &seq)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("tenant %s: %w", tenant, store.ErrNotFound)
		case err != nil:
			return err
		case seq > 0:
			return fmt.Errorf("it is published, with commit %d: %w", seq, store.ErrConflict)
		}
		return do(tx, number)
	})
	return s.fail(doing+" tenant "+tenant.String(), err)
}

// Freeze implements store.Store.
func (s *Store) Freeze(ctx context.Context, tenant uuid.UUID, why string) (place store.Place, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		place, err = s.placeOf(tenant, tx.QueryRow("UPDATE tenant SET frozen = nullif(?2, ''), epoch = epoch + 1 "+
			"WHERE id = ?1 RETURNING seq, chain, epoch", tenant[:], why))
		return err
	})
	return place, s.fail("freeze tenant "+tenant.String(), err)
}

const findFrozen = "SELECT coalesce(frozen, '') FROM tenant WHERE id = ?"

// Frozen implements store.Store.
func (s *Store) Frozen(ctx context.Context, tenant uuid.UUID) (string, error) {
	return s.frozen(tenant, s.reader.QueryRowContext(ctx, findFrozen, tenant[:]))
}

func (s *Store) frozen(tenant uuid.UUID, row *sql.Row) (why string, err error) {
	if err = row.Scan(&why); errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("tenant %s: %w", tenant, store.ErrNotFound)
	}
	return why, s.fail("find out whether tenant "+tenant.String()+" is frozen", err)
}
