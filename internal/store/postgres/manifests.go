package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

const (
	readManifests = `SELECT name, version, seq, head, parts FROM licensor.manifest
		WHERE tenant = $1 ORDER BY seq DESC, name`

	// usedNow marks all parts that the new manifest or the old one names as used. This locks their
	// rows, so a concurrent sweep is either earlier, which a missing row shows, or finds them in
	// use.
	usedNow = `WITH used AS (
			UPDATE licensor.part SET used = $3 WHERE tenant = $1 AND (name = ANY ($5) OR name IN (
				SELECT unnest(head || parts) FROM licensor.manifest WHERE tenant = $1 AND name = $2
			)) RETURNING name
		), there AS (
			SELECT count(*) AS n FROM used WHERE name = ANY ($5)
		), done AS (`
	addManifest = usedNow + `INSERT INTO licensor.manifest (tenant, name, version, seq, head, parts)
			SELECT $1, $2, $4 + 1, $6, $7, $8 FROM there WHERE n = cardinality($5)
			ON CONFLICT (tenant, name) DO NOTHING RETURNING name
		)` + whatCame
	replaceManifest = usedNow + `UPDATE licensor.manifest SET version = $4 + 1, seq = $6, head = $7, parts = $8
			FROM there WHERE tenant = $1 AND name = $2 AND version = $4 AND n = cardinality($5) RETURNING name
		)` + whatCame
	// whatCame returns how many of the parts exist, and whether the manifest was written.
	whatCame = " SELECT (SELECT n FROM there), EXISTS (SELECT FROM done) FROM licensor.tenant WHERE id = $1"

	dropManifest = `WITH gone AS (
			DELETE FROM licensor.manifest WHERE tenant = $1 AND name = $2 RETURNING head, parts
		), used AS (
			UPDATE licensor.part SET used = $3 WHERE tenant = $1 AND name IN (SELECT unnest(head || parts) FROM gone)
			RETURNING name
		) SELECT (SELECT count(*) FROM used) FROM licensor.tenant WHERE id = $1`

	sweepParts = `WITH gone AS (
			DELETE FROM licensor.part WHERE tenant = $1 AND used < $2 AND name NOT IN (
				SELECT unnest(head || parts) FROM licensor.manifest WHERE tenant = $1
			) RETURNING name
		) SELECT (SELECT count(*) FROM gone) FROM licensor.tenant WHERE id = $1`
	sweepObjects = `DELETE FROM licensor.object WHERE tenant = $1 AND purged AND (kind, ordinal) IN (
		SELECT kind, ordinal FROM licensor.object WHERE tenant = $1 AND purged LIMIT $2)`
)

// Manifests implements store.Store.
func (s *Store) Manifests(ctx context.Context, tenant uuid.UUID) ([]store.Manifest, error) {
	return read(ctx, s, tenant, "read manifests", func(r reading) ([]store.Manifest, error) {
		return r.manifests(tenant)
	})
}

func (r reading) manifests(tenant uuid.UUID) (list []store.Manifest, err error) {
	err = r.rows(readManifests, []any{tenant}, func(row pgx.CollectableRow) error {
		var m store.Manifest
		err := row.Scan(&m.Name, &m.Version, &m.Seq, &m.Head, &m.Parts)
		list = append(list, m)
		return err
	})
	if err == nil && len(list) == 0 {
		_, err = r.floors(tenant)
	}
	return list, err
}

// ReplaceManifest implements store.Store.
func (s *Store) ReplaceManifest(ctx context.Context, tenant uuid.UUID, m store.Manifest, at time.Time) error {
	named := append([]string{m.Head}, m.Parts...)
	slices.Sort(named)
	named = slices.Compact(named)
	text := replaceManifest
	if m.Version == 0 {
		text = addManifest
	}
	parts := append([]string{}, m.Parts...) // nil would be NULL
	args := []any{tenant, m.Name, at.UnixMilli(), int64(m.Version), named, int64(m.Seq), m.Head, parts}
	return s.write(ctx, "replace manifest "+m.Name, func(ctx context.Context, c conn) error {
		var there int
		var done bool
		err := orUnknown(tenant, c.row(ctx, text, args...).Scan(&there, &done))
		switch {
		case err != nil || done:
			return err
		case there < len(named):
			return fmt.Errorf("%d of its parts are missing: %w", len(named)-there, store.ErrNotFound)
		}
		return fmt.Errorf("it is not of version %d: %w", m.Version, store.ErrConflict)
	})
}

// DropManifest implements store.Store.
func (s *Store) DropManifest(ctx context.Context, tenant uuid.UUID, name string, at time.Time) error {
	_, err := s.count(ctx, "drop manifest "+name, tenant, dropManifest, name, at.UnixMilli())
	return err
}

// Sweep implements store.Store. It also removes rows that were purged.
func (s *Store) Sweep(ctx context.Context, tenant uuid.UUID, before time.Time) (int, error) {
	swept, err := s.count(ctx, "sweep parts", tenant, sweepParts, before.UnixMilli())
	if err != nil {
		return swept, err
	}
	_, err = s.dropSome(ctx, "sweep what was purged", sweepObjects, tenant)
	return swept, err
}
