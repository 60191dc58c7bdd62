package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

const readManifests = "SELECT name, version, seq, head, parts FROM manifest WHERE tenant = ? ORDER BY seq DESC, name"

// Manifests implements store.Store.
func (s *Store) Manifests(ctx context.Context, tenant uuid.UUID) ([]store.Manifest, error) {
	number, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return s.manifests(ctx, s.loads, number)
}

func (s *Store) manifests(ctx context.Context, from querier, number int64) ([]store.Manifest, error) {
	rows, err := from.QueryContext(ctx, readManifests, number)
	if err != nil {
		return nil, s.fail("read manifests", err)
	}
	defer rows.Close()
	var list []store.Manifest
	for rows.Next() {
		var m store.Manifest
		var parts []byte
		if err := rows.Scan(&m.Name, &m.Version, &m.Seq, &m.Head, &parts); err != nil {
			return nil, s.fail("read manifests", err)
		}
		if err := json.Unmarshal(parts, &m.Parts); err != nil {
			return nil, s.damaged(fmt.Sprintf("the parts of manifest %s cannot be read: %v", m.Name, err))
		}
		list = append(list, m)
	}
	return list, s.fail("read manifests", rows.Err())
}

// ReplaceManifest implements store.Store.
func (s *Store) ReplaceManifest(ctx context.Context, tenant uuid.UUID, m store.Manifest, at time.Time) error {
	number, err := s.tenant(ctx, tenant)
	if err != nil {
		return err
	}
	parts, err := json.Marshal(append([]string{}, m.Parts...)) // nil would be null, not []
	if err != nil {
		return err
	}
	return s.fail("replace manifest "+m.Name, s.write(ctx, func(tx *sql.Tx) error {
		if err := isVersion(tx, number, m); err != nil {
			return err
		}
		if err := areThere(tx, number, m.Head, parts); err != nil {
			return err
		}
		if err := release(tx, number, m.Name, at); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO manifest (tenant, name, version, seq, head, parts) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET version = excluded.version, seq = excluded.seq, head = excluded.head, parts = excluded.parts`,
			number, m.Name, int64(m.Version+1), int64(m.Seq), m.Head, string(parts))
		return err
	}))
}

// isVersion returns store.ErrConflict unless the manifest has the version.
func isVersion(tx *sql.Tx, number int64, m store.Manifest) error {
	var now uint64
	err := tx.QueryRow("SELECT version FROM manifest WHERE tenant = ? AND name = ?", number, m.Name).Scan(&now)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if now != m.Version {
		return fmt.Errorf("it has version %d, not %d: %w", now, m.Version, store.ErrConflict)
	}
	return nil
}

// areThere returns store.ErrNotFound if a part does not exist.
func areThere(tx *sql.Tx, number int64, head string, parts []byte) error {
	var missing string
	err := tx.QueryRow(`SELECT value FROM (SELECT value FROM json_each(?2) UNION ALL SELECT ?3)
		WHERE value NOT IN (SELECT name FROM part WHERE tenant = ?1) LIMIT 1`, number, string(parts), head).Scan(&missing)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("part %s: %w", missing, store.ErrNotFound)
}

// release makes the parts that a manifest names count as saved at a time.
func release(tx *sql.Tx, number int64, manifest string, at time.Time) error {
	_, err := tx.Exec(`UPDATE part SET used = ?3 WHERE tenant = ?1 AND name IN (
		SELECT value FROM manifest, json_each(manifest.parts) WHERE tenant = ?1 AND manifest.name = ?2
		UNION ALL SELECT head FROM manifest WHERE tenant = ?1 AND name = ?2)`, number, manifest, at.UnixMilli())
	return err
}

// DropManifest implements store.Store.
func (s *Store) DropManifest(ctx context.Context, tenant uuid.UUID, name string, at time.Time) error {
	number, err := s.tenant(ctx, tenant)
	if err != nil {
		return err
	}
	return s.fail("drop manifest "+name, s.write(ctx, func(tx *sql.Tx) error {
		if err := release(tx, number, name, at); err != nil {
			return err
		}
		_, err := tx.Exec("DELETE FROM manifest WHERE tenant = ? AND name = ?", number, name)
		return err
	}))
}

// Sweep implements store.Store.
func (s *Store) Sweep(ctx context.Context, tenant uuid.UUID, before time.Time) (int, error) {
	number, err := s.tenant(ctx, tenant)
	if err != nil {
		return 0, err
	}
	const swept = ` WHERE tenant = ?1 AND name IN (SELECT name FROM part WHERE tenant = ?1 AND used < ?2 AND name NOT IN (
		SELECT value FROM manifest, json_each(manifest.parts) WHERE tenant = ?1 UNION ALL SELECT head FROM manifest WHERE tenant = ?1))`
	var count int64
	err = s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec("DELETE FROM snapshot"+swept, number, before.UnixMilli()); err != nil {
			return err
		}
		gone, err := tx.Exec("DELETE FROM part"+swept, number, before.UnixMilli())
		if err == nil {
			count, err = gone.RowsAffected()
		}
		return err
	})
	return int(count), s.fail("sweep parts", err)
}
