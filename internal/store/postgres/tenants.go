package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

// All tables identify tenants by their ids. A number would make the indexes smaller, but would have
// to be allocated, and looked up before each read. And after a failover that has lost a tenant, a
// number that a process remembers would be another tenant's.

// createTenant takes the next position. If two do so at once, one of them fails and is repeated. It
// is the only statement that reads other tenants, except those that list them.
const createTenant = `INSERT INTO licensor.tenant (id, position, seq, epoch, chain, log_floor, moved_floor)
	SELECT $1, coalesce(max(position), 0) + 1, 0, 0, $2, 1, 0 FROM licensor.tenant
	ON CONFLICT (id) DO NOTHING`

// CreateTenant implements store.Store.
func (s *Store) CreateTenant(ctx context.Context, tenant uuid.UUID) error {
	for {
		err := s.write(ctx, "create a tenant", func(ctx context.Context, c conn) error {
			made, err := c.exec(ctx, createTenant, tenant, make([]byte, len(store.Chain{})))
			if err == nil && made == 0 {
				return fmt.Errorf("tenant %s: %w", tenant, store.ErrExists)
			}
			return err
		})
		if codeOf(err) != codeUnique {
			return err
		}
	}
}

// Tenants implements store.Store.
func (s *Store) Tenants(ctx context.Context) ([]uuid.UUID, error) {
	return read(ctx, s, uuid.Nil, "list tenants", func(r reading) (tenants []uuid.UUID, err error) {
		err = r.rows("SELECT id FROM licensor.tenant ORDER BY position", nil, func(row pgx.CollectableRow) error {
			var id uuid.UUID
			err := row.Scan(&id)
			tenants = append(tenants, id)
			return err
		})
		return tenants, err
	})
}

const (
	findPlace  = "SELECT seq, epoch, chain FROM licensor.tenant WHERE id = $1"
	raiseEpoch = "UPDATE licensor.tenant SET epoch = epoch + 1 WHERE id = $1 RETURNING seq, epoch, chain"
)

// Place implements store.Store.
func (s *Store) Place(ctx context.Context, tenant uuid.UUID) (store.Place, error) {
	return read(ctx, s, tenant, "find where a log ends", func(r reading) (store.Place, error) {
		return scanPlace(tenant, r.row(r.ctx, findPlace, tenant))
	})
}

// Fence implements store.Store. It waits for an append that has locked the tenant's row; later ones
// find another epoch.
func (s *Store) Fence(ctx context.Context, tenant uuid.UUID) (place store.Place, err error) {
	err = s.write(ctx, "fence a tenant", func(ctx context.Context, c conn) (err error) {
		place, err = scanPlace(tenant, c.row(ctx, raiseEpoch, tenant))
		return err
	})
	if err != nil {
		return store.Place{}, err
	}
	return place, nil
}

func scanPlace(tenant uuid.UUID, row pgx.Row) (place store.Place, err error) {
	var chain []byte
	err = row.Scan(&place.Seq, &place.Epoch, &chain)
	if errors.Is(err, pgx.ErrNoRows) {
		return place, unknownTenant(tenant)
	}
	copy(place.Chain[:], chain)
	return place, err
}

func unknownTenant(tenant uuid.UUID) error {
	return callersError{fmt.Errorf("tenant %s: %w", tenant, store.ErrNotFound)}
}
