package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// appendAll is the one statement of Append. It updates the tenant's row, which matches no row
// unless the log ends at the place; then the other parts have no rows to work with. A concurrent
// append waits for that row, and then finds it changed.
//
// Each part of the statement sees the tables as they were before it, so moved gets the keys of the
// rows that objects replaces. A row has moved if one of its keys differs; comparisons with the
// NULLs of purged rows are never true. Rows are looked up one by one: OFFSET prevents other joins,
// which take long if the statistics of the table are wrong. PostgreSQL executes the last part
// first, so it need not skip the rows that objects adds.
const (
	appendAll = appendCommits + `, objects AS (
		INSERT INTO licensor.object AS o (tenant, kind, ordinal, id, deleted, seq, sum, purged,
			user_principal_name, display_name, mail, created, document)
		SELECT t.id, n.* FROM t, unnest($15::smallint[], $16::bigint[], $17::uuid[], $18::bigint[], $19::bigint[], $20::bigint[],
			$21::boolean[], $22::bytea[], $23::bytea[], $24::bytea[], $25::bytea[], $26::bytea[]) AS n
		ON CONFLICT (tenant, kind, ordinal) DO UPDATE SET ` + replacedRow + `
	), moved AS (
		INSERT INTO licensor.moved (tenant, kind, ordinal, seq, user_principal_name, display_name, mail, created)
		SELECT o.tenant, o.kind, o.ordinal, $2, o.user_principal_name, o.display_name, o.mail, o.created
		FROM t, unnest($15::smallint[], $16::bigint[], $22::bytea[], $23::bytea[], $24::bytea[], $25::bytea[])
				AS n (kind, ordinal, user_principal_name, display_name, mail, created),
			LATERAL (
				SELECT * FROM licensor.object WHERE tenant = $1 AND kind = n.kind AND ordinal = n.ordinal OFFSET 0
			) AS o
		WHERE (o.user_principal_name, o.display_name, o.mail, o.created) <> (n.user_principal_name, n.display_name, n.mail, n.created)
		ON CONFLICT (tenant, kind, ordinal, seq) DO NOTHING
	) SELECT FROM t`

	appendCommits = `WITH t AS (
		UPDATE licensor.tenant SET seq = $2, chain = $3 WHERE id = $1 AND seq = $4 AND chain = $5 AND epoch = $6 AND frozen IS NULL RETURNING id
	), commits AS (
		INSERT INTO licensor.commits (tenant, seq, at, actor, operation, format, chain, effects, sum)
		SELECT t.id, c.* FROM t, unnest($7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::bigint[],
			$12::bytea[], $13::bytea[], $14::bigint[]) AS c
	)`

	replacedRow = `id = excluded.id, deleted = excluded.deleted, seq = excluded.seq,
			sum = excluded.sum, purged = excluded.purged, user_principal_name = excluded.user_principal_name,
			display_name = excluded.display_name, mail = excluded.mail, created = excluded.created, document = excluded.document`

	// appendOnly is appendAll without rows.
	appendOnly = appendCommits + " SELECT FROM t"
)

// Append implements store.Store.
func (s *Store) Append(
	ctx context.Context, tenant uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object,
) error {
	if err := at.Check(commits); err != nil {
		return err
	}
	if len(objects) >= manyNew {
		return s.appendMany(ctx, tenant, at, commits, objects)
	}
	rows, err := columnsOf(objects)
	if err != nil {
		return err
	}
	args := append(placeArgs(tenant, at, at.After(commits)), commitColumns(commits)...)
	text := appendOnly
	if len(objects) > 0 {
		text, args = appendAll, append(args, rows.args()...)
	}
	return s.write(ctx, "append to tenant "+tenant.String(), func(ctx context.Context, c conn) error {
		applied, err := c.planned(len(objects)).exec(ctx, text, args...)
		if err != nil || applied == 1 {
			return err
		}
		return c.whyNotAppended(ctx, tenant, at)
	})
}

// whyNotAppended says why an append has done nothing.
func (c conn) whyNotAppended(ctx context.Context, tenant uuid.UUID, at store.Place) error {
	why := ""
	switch err := orUnknown(tenant, c.row(ctx, findFrozen, tenant).Scan(&why)); {
	case isCallers(err):
		return err
	case why != "":
		return fmt.Errorf("%w: %s", store.ErrFrozen, why)
	}
	return fmt.Errorf("the log no longer ends at commit %d: %w", at.Seq, store.ErrConflict)
}

func placeArgs(tenant uuid.UUID, at, after store.Place) []any {
	return []any{tenant, int64(after.Seq), after.Chain[:], int64(at.Seq), at.Chain[:], int64(at.Epoch)}
}

// commitColumns returns commits column by column.
func commitColumns(commits []store.Commit) []any {
	n := len(commits)
	seqs, ats, sums, formats := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	actors, operations := make([]string, n), make([]string, n)
	chains, effects := make([][]byte, n), make([][]byte, n)
	for i := range commits {
		c := &commits[i]
		seqs[i], ats[i], formats[i], sums[i] = int64(c.Seq), c.At.UnixMilli(), int64(c.Format), c.Sum()
		actors[i], operations[i] = c.Actor, c.Operation
		chains[i], effects[i] = c.Chain[:], bytesOf(c.Effects)
	}
	return []any{seqs, ats, actors, operations, formats, chains, effects, sums}
}

// bytesOf returns an empty slice for nil, for columns that must not be NULL.
func bytesOf(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}
