package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// rewindAll is the statement of Rewind. As in appendAll, the tenant's row comes first, and without
// it nothing is done. Rows that have not changed since the commit are not written. Of the others,
// each part removes or replaces different ones.
const rewindAll = `WITH t AS (
		UPDATE licensor.tenant SET seq = $2, chain = $3, epoch = epoch + 1, moved_floor = least(moved_floor, $2)
		WHERE id = $1 AND seq >= $2 AND frozen IS NULL AND (log_floor <= 1 OR EXISTS (
			SELECT FROM licensor.manifest WHERE tenant = $1 AND seq <= $2 AND seq + 1 >= log_floor))
		RETURNING id, seq, epoch, chain
	), commits AS (
		DELETE FROM licensor.commits AS c USING t WHERE c.tenant = t.id AND c.seq > $2
	), moved AS (
		DELETE FROM licensor.moved AS m USING t WHERE m.tenant = t.id AND m.seq > $2
	), manifests AS (
		DELETE FROM licensor.manifest AS m USING t WHERE m.tenant = t.id AND m.seq > $2
	), gone AS (
		DELETE FROM licensor.object AS o USING t WHERE o.tenant = t.id AND o.seq > $2 AND (o.kind, o.ordinal) NOT IN (
			SELECT k.kind, k.ordinal FROM unnest($4::smallint[], $5::bigint[]) AS k (kind, ordinal))
	), objects AS (
		INSERT INTO licensor.object AS o (tenant, kind, ordinal, id, deleted, seq, sum, purged,
			user_principal_name, display_name, mail, created, document)
		SELECT t.id, n.* FROM t, unnest($4::smallint[], $5::bigint[], $6::uuid[], $7::bigint[], $8::bigint[], $9::bigint[],
			$10::boolean[], $11::bytea[], $12::bytea[], $13::bytea[], $14::bytea[], $15::bytea[]) AS n
		ON CONFLICT (tenant, kind, ordinal) DO UPDATE SET ` + replacedRow + ` WHERE o.seq > $2
	), signed AS (
		DELETE FROM licensor.sign_in AS s USING t WHERE s.tenant = t.id AND s.number > $16
	), unseen AS (
		DELETE FROM licensor.activity AS a USING t WHERE a.tenant = t.id AND a.ordinal <> ALL ($18::bigint[])
	), seen AS (
		INSERT INTO licensor.activity AS a (tenant, ordinal, interactive, interactive_id, non_interactive,
			non_interactive_id, successful, successful_id)
		SELECT n.* FROM t, unnest($17::uuid[], $18::bigint[], $19::bigint[], $20::uuid[], $21::bigint[], $22::uuid[],
			$23::bigint[], $24::uuid[]) AS n
		ON CONFLICT (tenant, ordinal) DO UPDATE SET interactive = excluded.interactive,
			interactive_id = excluded.interactive_id, non_interactive = excluded.non_interactive,
			non_interactive_id = excluded.non_interactive_id, successful = excluded.successful,
			successful_id = excluded.successful_id
	) SELECT seq, epoch, chain FROM t`

// Rewind implements store.Store.
func (s *Store) Rewind(ctx context.Context, tenant uuid.UUID, to store.Past) (place store.Place, err error) {
	rows, err := columnsOf(to.Rows)
	if err != nil {
		return place, err
	}
	args := append([]any{tenant, int64(to.Seq), to.Chain[:]}, rows.args()...)
	args = append(append(args, int64(to.SignIn)), activityColumns(to.Activities)...)
	err = s.write(ctx, "rewind tenant "+tenant.String(), func(ctx context.Context, c conn) (err error) {
		place, err = scanPlace(tenant, c.planned(len(to.Rows)).row(ctx, rewindAll, args...))
		if errors.Is(err, store.ErrNotFound) {
			return c.whyNotRewound(ctx, tenant, to)
		}
		return err
	})
	if err != nil {
		return store.Place{}, err
	}
	return place, nil
}

func (c conn) whyNotRewound(ctx context.Context, tenant uuid.UUID, to store.Past) error {
	why := ""
	if err := orUnknown(tenant, c.row(ctx, findFrozen, tenant).Scan(&why)); err != nil {
		return nothingDone(err)
	}
	if why != "" {
		return fmt.Errorf("%w: %s", store.ErrFrozen, why)
	}
	end, err := scanPlace(tenant, c.row(ctx, findPlace, tenant))
	if err != nil {
		return nothingDone(err)
	}
	if end.Seq < to.Seq {
		return fmt.Errorf("the log ends at commit %d: %w", end.Seq, store.ErrConflict)
	}
	return callersError{store.ErrTrimmed}
}
