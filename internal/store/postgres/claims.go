package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

const (
	readClaims   = "SELECT name, tenant, at FROM licensor.claim WHERE name = ANY ($1)"
	claimsOf     = "SELECT name, tenant, at FROM licensor.claim WHERE tenant = $1"
	othersClaims = "SELECT name, tenant, at FROM licensor.claim WHERE name = ANY ($2) AND tenant <> $1"

	// addClaims fails as a whole if another process claims one of the names at the same time. When
	// it is repeated, that name is among the others.
	addClaims = `WITH added AS (
			INSERT INTO licensor.claim (name, tenant, at) SELECT n.name, $1, $3 FROM unnest($2::text[]) AS n (name)
			WHERE NOT EXISTS (SELECT FROM licensor.claim AS c WHERE c.name = n.name)
				AND NOT EXISTS (SELECT FROM licensor.claim AS o WHERE o.name = ANY ($2) AND o.tenant <> $1)
		) ` + othersClaims

	settleClaims = `INSERT INTO licensor.claim AS c (name, tenant, at) SELECT n.name, $1, NULL FROM unnest($2::text[]) AS n (name)
		ON CONFLICT (name) DO UPDATE SET at = NULL WHERE c.tenant = excluded.tenant`
	dropClaims = "DELETE FROM licensor.claim WHERE name = ANY ($2) AND tenant = $1"
)

// Claim implements store.Store.
func (s *Store) Claim(
	ctx context.Context, tenant uuid.UUID, names []string, at time.Time,
) (others []store.Claim, err error) {
	for {
		err := s.write(ctx, "claim names", func(ctx context.Context, c conn) (err error) {
			others, err = c.claims(ctx, addClaims, tenant, distinct(names), at.UnixMilli())
			return err
		})
		if codeOf(err) != codeUnique {
			return others, err
		}
	}
}

// Settle implements store.Store. If it fails it may be done in part, and callers repeat it.
func (s *Store) Settle(
	ctx context.Context, tenant uuid.UUID, has, hasNot []string,
) (others []store.Claim, err error) {
	has = distinct(has)
	gone := slices.DeleteFunc(distinct(hasNot), func(name string) bool { return slices.Contains(has, name) })
	err = s.write(ctx, "settle names", func(ctx context.Context, c conn) error {
		if _, err := c.exec(ctx, settleClaims, tenant, has); err != nil {
			return err
		}
		if _, err := c.exec(ctx, dropClaims, tenant, gone); err != nil {
			return err
		}
		others, err = c.claims(ctx, othersClaims, tenant, has)
		return err
	})
	return others, err
}

// distinct returns names sorted, without duplicates: statements that lock the same rows must do so
// in the same order.
func distinct(names []string) []string {
	names = append([]string{}, names...)
	slices.Sort(names)
	return slices.Compact(names)
}

// Claimed implements store.Store.
func (s *Store) Claimed(ctx context.Context, names []string) ([]store.Claim, error) {
	return read(ctx, s, uuid.Nil, "read claims", func(r reading) ([]store.Claim, error) {
		return r.claims(r.ctx, readClaims, distinct(names))
	})
}

// ClaimsOf implements store.Store.
func (s *Store) ClaimsOf(ctx context.Context, tenant uuid.UUID) ([]store.Claim, error) {
	return read(ctx, s, uuid.Nil, "read claims", func(r reading) ([]store.Claim, error) {
		return r.claims(r.ctx, claimsOf, tenant)
	})
}

func (c conn) claims(ctx context.Context, text string, args ...any) ([]store.Claim, error) {
	rows, err := c.Query(ctx, text, c.args(args)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (claim store.Claim, err error) {
		var at *int64
		err = row.Scan(&claim.Name, &claim.Tenant, &at)
		if at != nil {
			claim.At = time.UnixMilli(*at).UTC()
		}
		return claim, err
	})
}
