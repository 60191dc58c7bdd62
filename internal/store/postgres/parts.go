package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

const (
	usePart  = "UPDATE licensor.part SET used = $3 WHERE tenant = $1 AND name = $2"
	savePart = `INSERT INTO licensor.part (tenant, name, used, sum, data)
		SELECT id, $2, $3, $4, $5 FROM licensor.tenant WHERE id = $1
		ON CONFLICT (tenant, name) DO UPDATE SET used = excluded.used`
	readParts = "SELECT name, sum, data FROM licensor.part WHERE tenant = $1 AND name = ANY ($2)"
)

// SaveParts implements store.Store. The data of a part that exists is not sent.
func (s *Store) SaveParts(ctx context.Context, tenant uuid.UUID, parts []store.Part, at time.Time) error {
	for i := range parts {
		part := &parts[i]
		err := s.write(ctx, "save part "+part.Name, func(ctx context.Context, c conn) error {
			there, err := c.exec(ctx, usePart, tenant, part.Name, at.UnixMilli())
			if err != nil || there > 0 {
				return err
			}
			saved, err := c.exec(ctx, savePart, tenant, part.Name, at.UnixMilli(), part.Sum(), bytesOf(part.Data))
			if err == nil && saved == 0 {
				return unknownTenant(tenant)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Parts implements store.Store.
func (s *Store) Parts(ctx context.Context, tenant uuid.UUID, names []string) ([]store.Part, error) {
	found, err := read(ctx, s, tenant, "read parts", func(r reading) (map[string]store.Part, error) {
		found := map[string]store.Part{}
		err := r.rows(readParts, []any{tenant, names}, func(row pgx.CollectableRow) error {
			part, err := s.scanPart(row)
			found[part.Name] = part
			r.timer.Reset(readWait) // parts are large
			return err
		})
		if err == nil && len(found) == 0 {
			_, err = r.floors(tenant)
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

func (s *Store) scanPart(row pgx.CollectableRow) (part store.Part, err error) {
	var sum int64
	if err := row.Scan(&part.Name, &sum, &part.Data); err != nil {
		return part, err
	}
	if part.Sum() != sum {
		return part, s.damaged("part " + part.Name + " has another checksum")
	}
	return part, nil
}
