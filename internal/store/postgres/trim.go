package postgres

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

const (
	findFloors = "SELECT log_floor, moved_floor FROM licensor.tenant WHERE id = $1"

	trimLog = `WITH t AS (
			UPDATE licensor.tenant SET log_floor = greatest(log_floor, least($2, seq + 1, log_floor + $3))
			WHERE id = $1 RETURNING log_floor
		), gone AS (
			DELETE FROM licensor.commits USING t WHERE tenant = $1 AND commits.seq < t.log_floor RETURNING commits.seq
		) SELECT (SELECT count(*) FROM gone) FROM t`

	trimMoved = `WITH t AS (
			UPDATE licensor.tenant SET moved_floor = greatest(moved_floor, $2) WHERE id = $1 RETURNING id
		), gone AS (
			DELETE FROM licensor.moved WHERE tenant = $1 AND (kind, ordinal, seq) IN (
				SELECT kind, ordinal, seq FROM licensor.moved WHERE tenant = $1 AND seq <= $2 LIMIT $3
			) RETURNING seq
		) SELECT (SELECT count(*) FROM gone) FROM t`
)

// Floors implements store.Store.
func (s *Store) Floors(ctx context.Context, tenant uuid.UUID) (store.Floors, error) {
	return read(ctx, s, tenant, "find the floors of a tenant", func(r reading) (store.Floors, error) {
		return r.floors(tenant)
	})
}

// floors also distinguishes a tenant without commits from one that does not exist.
func (r reading) floors(tenant uuid.UUID) (floors store.Floors, err error) {
	err = r.row(r.ctx, findFloors, tenant).Scan(&floors.Log, &floors.Moved)
	return floors, orUnknown(tenant, err)
}

// orUnknown returns the error of a statement that returns a row for each tenant.
func orUnknown(tenant uuid.UUID, err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return unknownTenant(tenant)
	}
	return err
}

// TrimLog implements store.Store.
func (s *Store) TrimLog(ctx context.Context, tenant uuid.UUID, below uint64) (int, error) {
	return s.count(ctx, "trim the log", tenant, trimLog, commitOf(below), store.TrimRows)
}

// TrimMoved implements store.Store.
func (s *Store) TrimMoved(ctx context.Context, tenant uuid.UUID, below uint64) (int, error) {
	return s.count(ctx, "trim what has moved", tenant, trimMoved, commitOf(below), store.TrimRows)
}

// count executes a change of a tenant that returns a number; it returns none if the tenant does not
// exist.
func (s *Store) count(
	ctx context.Context, doing string, tenant uuid.UUID, text string, args ...any,
) (n int, err error) {
	err = s.write(ctx, doing, func(ctx context.Context, c conn) error {
		return orUnknown(tenant, c.row(ctx, text, append([]any{tenant}, args...)...).Scan(&n))
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}
