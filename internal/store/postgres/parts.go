package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

const (
	savePart = `INSERT INTO licensor.part (tenant, name, sum, data)
		SELECT id, $2, $3, $4 FROM licensor.tenant WHERE id = $1
		ON CONFLICT (tenant, name) DO UPDATE SET sum = excluded.sum, data = excluded.data`
	readParts = "SELECT name, sum, data FROM licensor.part WHERE tenant = $1 AND name = ANY ($2)"
	dropParts = "DELETE FROM licensor.part WHERE tenant = $1 AND name <> ALL ($2)"
)

// SaveParts implements store.Store.
func (s *Store) SaveParts(ctx context.Context, tenant uuid.UUID, parts []store.Part) error {
	for _, part := range parts {
		saved, err := s.change(ctx, "save part "+part.Name, savePart, tenant, part.Name, part.Sum(), bytesOf(part.Data))
		if err != nil {
			return err
		} else if saved == 0 {
			return unknownTenant(tenant)
		}
	}
	return nil
}

// Parts implements store.Store.
func (s *Store) Parts(ctx context.Context, tenant uuid.UUID, names []string) ([]store.Part, error) {
	found, err := read(ctx, s, tenant, "read parts", func(r reading) (map[string]store.Part, error) {
		found := map[string]store.Part{}
		err := r.rows(readParts, []any{tenant, names}, func(row pgx.CollectableRow) error {
			var part store.Part
			var sum int64
			if err := row.Scan(&part.Name, &sum, &part.Data); err != nil {
				return err
			} else if part.Sum() != sum {
				return s.damaged("part " + part.Name + " has another checksum")
			}
			found[part.Name] = part
			return nil
		})
		if err == nil && len(found) == 0 {
			err = r.mustExist(tenant)
		}
		return found, err
	})
	if err != nil {
		return nil, err
	}
	parts := make([]store.Part, len(names))
	for i, name := range names {
		part, ok := found[name]
		if !ok {
			return nil, fmt.Errorf("part %q of tenant %s: %w", name, tenant, store.ErrNotFound)
		}
		parts[i] = part
	}
	return parts, nil
}

// DropParts implements store.Store.
func (s *Store) DropParts(ctx context.Context, tenant uuid.UUID, keep []string) error {
	if _, err := s.Place(ctx, tenant); err != nil {
		return err
	}
	_, err := s.change(ctx, "drop parts", dropParts, tenant, append([]string{}, keep...))
	return err
}
