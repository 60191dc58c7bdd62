package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

// fillAll is the statement of Fill. As in appendAll, the tenant's row comes first, and without it
// nothing is done. The floor is the first commit that is filled.
const (
	fillAll = `WITH t AS (
		UPDATE licensor.tenant SET log_floor = CASE WHEN $2::bigint IS NULL
			OR EXISTS (SELECT FROM licensor.commits WHERE tenant = $1) THEN log_floor ELSE $2 END
		WHERE id = $1 AND seq = 0 RETURNING id
	), commits AS (
		INSERT INTO licensor.commits (tenant, seq, at, actor, operation, format, chain, effects, sum)
		SELECT t.id, c.* FROM t, unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bigint[],
			$8::bytea[], $9::bytea[], $10::bigint[]) AS c
		ON CONFLICT (tenant, seq) DO UPDATE SET at = excluded.at, actor = excluded.actor, operation = excluded.operation,
			format = excluded.format, chain = excluded.chain, effects = excluded.effects, sum = excluded.sum
	), objects AS (
		INSERT INTO licensor.object AS o (tenant, kind, ordinal, id, deleted, seq, sum, purged,
			user_principal_name, display_name, mail, created, document)
		SELECT t.id, n.* FROM t, unnest($11::smallint[], $12::bigint[], $13::uuid[], $14::bigint[], $15::bigint[], $16::bigint[],
			$17::boolean[], $18::bytea[], $19::bytea[], $20::bytea[], $21::bytea[], $22::bytea[]) AS n
		ON CONFLICT (tenant, kind, ordinal) DO UPDATE SET ` + replacedRow + `
	) SELECT FROM t`

	publish = `UPDATE licensor.tenant SET seq = $2, chain = $3, epoch = epoch + 1, log_floor = $4, moved_floor = $5
		WHERE id = $1 AND seq = 0`
)

// Fill implements store.Store.
func (s *Store) Fill(ctx context.Context, tenant uuid.UUID, commits []store.Commit, objects []store.Object) error {
	rows, err := columnsOf(objects)
	if err != nil {
		return err
	}
	var first *int64
	if len(commits) > 0 {
		seq := int64(commits[0].Seq)
		first = &seq
	}
	args := append([]any{tenant, first}, append(commitColumns(commits), rows.args()...)...)
	return s.unpublished(ctx, "fill", tenant, len(commits)+len(objects), fillAll, args...)
}

// Publish implements store.Store.
func (s *Store) Publish(ctx context.Context, tenant uuid.UUID, at store.Place, floors store.Floors) error {
	if err := store.CheckPublish(at); err != nil {
		return err
	}
	return s.unpublished(ctx, "publish", tenant, 1, publish,
		tenant, int64(at.Seq), at.Chain[:], int64(max(floors.Log, 1)), commitOf(floors.Moved))
}

// unpublished carries out a statement about so many rows of a tenant that is not published, which
// has a result when it was.
func (s *Store) unpublished(
	ctx context.Context, doing string, tenant uuid.UUID, rows int, text string, args ...any,
) error {
	return s.write(ctx, doing+" tenant "+tenant.String(), func(ctx context.Context, c conn) error {
		done, err := c.planned(rows).exec(ctx, text, args...)
		if err != nil || done > 0 {
			return err
		}
		return c.whyNot(ctx, tenant)
	})
}

// whyNot says why a statement about a tenant that is not published has done nothing.
func (c conn) whyNot(ctx context.Context, tenant uuid.UUID) error {
	place, err := scanPlace(tenant, c.row(ctx, findPlace, tenant))
	if err != nil {
		return nothingDone(err)
	}
	return fmt.Errorf("it is published, with commit %d: %w", place.Seq, store.ErrConflict)
}

// discards remove up to $2 rows each of a tenant that is not published, whose row they take so that
// it is not published meanwhile.
var discards = func() (texts []string) {
	for _, of := range []struct{ table, key string }{
		{"commits", "seq"},
		{"object", "kind, ordinal"},
		{"moved", "kind, ordinal, seq"},
		{"manifest", "name"},
		{"part", "name"},
		{"claim", "name"},
	} {
		texts = append(texts, fmt.Sprintf(`WITH t AS (
			UPDATE licensor.tenant SET epoch = epoch + 1 WHERE id = $1 AND seq = 0 RETURNING id
		), gone AS (
			DELETE FROM licensor.%[1]s USING t WHERE tenant = t.id AND (%[2]s) IN (
				SELECT %[2]s FROM licensor.%[1]s WHERE tenant = $1 LIMIT $2
			) RETURNING 1
		) SELECT (SELECT count(*) FROM gone) FROM t`, of.table, of.key))
	}
	return texts
}()

// Discard implements store.Store.
func (s *Store) Discard(ctx context.Context, tenant uuid.UUID) (int, error) {
	for _, text := range discards {
		discarded := 0
		err := s.write(ctx, "discard tenant "+tenant.String(), func(ctx context.Context, c conn) error {
			err := c.row(ctx, text, tenant, store.TrimRows).Scan(&discarded)
			if errors.Is(err, pgx.ErrNoRows) {
				return c.whyNot(ctx, tenant)
			}
			return err
		})
		if err != nil || discarded > 0 {
			return discarded, err
		}
	}
	return 0, s.unpublished(ctx, "discard", tenant, 1, "DELETE FROM licensor.tenant WHERE id = $1 AND seq = 0", tenant)
}

const (
	freeze = `UPDATE licensor.tenant SET frozen = nullif($2::text, ''), epoch = epoch + 1
		WHERE id = $1 RETURNING seq, epoch, chain`
	findFrozen = "SELECT coalesce(frozen, '') FROM licensor.tenant WHERE id = $1"
)

// Freeze implements store.Store. It waits for an append that holds the tenant's row; one that comes
// later finds the tenant frozen.
func (s *Store) Freeze(ctx context.Context, tenant uuid.UUID, why string) (place store.Place, err error) {
	err = s.write(ctx, "freeze tenant "+tenant.String(), func(ctx context.Context, c conn) (err error) {
		place, err = scanPlace(tenant, c.row(ctx, freeze, tenant, why))
		return err
	})
	if err != nil {
		return store.Place{}, err
	}
	return place, nil
}

// Frozen implements store.Store.
func (s *Store) Frozen(ctx context.Context, tenant uuid.UUID) (string, error) {
	return read(ctx, s, tenant, "find out whether a tenant is frozen", func(r reading) (why string, err error) {
		err = r.row(r.ctx, findFrozen, tenant).Scan(&why)
		return why, orUnknown(tenant, err)
	})
}
