package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// Queries of the claims of a tenant, of the claims of names, which are a list in JSON, and of those
// that other tenants have.
const (
	claimsOf = "SELECT name, tenant, at FROM claim WHERE tenant = ?"
	claimed  = "SELECT name, tenant, at FROM claim WHERE name IN (SELECT value FROM json_each(?1))"
	ofOther  = claimed + " AND tenant <> ?2"
)

// Claim implements store.Store.
func (s *Store) Claim(
	ctx context.Context, tenant uuid.UUID, names []string, at time.Time,
) (others []store.Claim, err error) {
	list, err := json.Marshal(append([]string{}, names...)) // nil would be null, not []
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		if others, err = readClaims(tx.Query(ofOther, string(list), tenant[:])); err != nil || len(others) > 0 {
			return err
		}
		_, err := tx.Exec("INSERT INTO claim (name, tenant, at) SELECT value, ?2, ?3 FROM json_each(?1) WHERE true "+
			"ON CONFLICT DO NOTHING",
			string(list), tenant[:], at.UnixMilli())
		return err
	})
	return others, s.fail("claim names", err)
}

// Settle implements store.Store.
func (s *Store) Settle(
	ctx context.Context, tenant uuid.UUID, has, hasNot []string,
) (others []store.Claim, err error) {
	kept, err := json.Marshal(append([]string{}, has...))
	if err != nil {
		return nil, err
	}
	gone, err := json.Marshal(append([]string{}, hasNot...))
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM claim WHERE name IN (SELECT value FROM json_each(?1)) AND tenant = ?2",
			string(gone), tenant[:])
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO claim (name, tenant, at) SELECT value, ?2, NULL FROM json_each(?1) WHERE true
			ON CONFLICT DO UPDATE SET at = NULL WHERE tenant = excluded.tenant`, string(kept), tenant[:])
		if err != nil {
			return err
		}
		others, err = readClaims(tx.Query(ofOther, string(kept), tenant[:]))
		return err
	})
	return others, s.fail("settle names", err)
}

// Claimed implements store.Store.
func (s *Store) Claimed(ctx context.Context, names []string) ([]store.Claim, error) {
	list, err := json.Marshal(append([]string{}, names...))
	if err != nil {
		return nil, err
	}
	claims, err := readClaims(s.loads.QueryContext(ctx, claimed, string(list)))
	return claims, s.fail("read claims", err)
}

// ClaimsOf implements store.Store.
func (s *Store) ClaimsOf(ctx context.Context, tenant uuid.UUID) ([]store.Claim, error) {
	return s.claimsOf(ctx, s.loads, tenant)
}

func (s *Store) claimsOf(ctx context.Context, from querier, tenant uuid.UUID) ([]store.Claim, error) {
	claims, err := readClaims(from.QueryContext(ctx, claimsOf, tenant[:]))
	return claims, s.fail("read claims", err)
}

func readClaims(rows *sql.Rows, err error) ([]store.Claim, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var claims []store.Claim
	for rows.Next() {
		var c store.Claim
		var at sql.NullInt64
		if err := rows.Scan(&c.Name, &c.Tenant, &at); err != nil {
			return nil, err
		}
		if at.Valid {
			c.At = time.UnixMilli(at.Int64).UTC()
		}
		claims = append(claims, c)
	}
	return claims, rows.Err()
}
