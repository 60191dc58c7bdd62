package postgres

import (
	"context"

	"github.com/google/uuid"
)

const sweep = `DELETE FROM licensor.object WHERE tenant = $1 AND purged AND (kind, ordinal) IN (
	SELECT kind, ordinal FROM licensor.object WHERE tenant = $1 AND purged LIMIT $2)`

// Sweep removes the rows of a tenant that were purged, and returns how many there were. Append only
// empties them, so that it writes each table once. They take a little room until then.
func (s *Store) Sweep(ctx context.Context, tenant uuid.UUID) (int, error) {
	return s.dropSome(ctx, "sweep what was purged", sweep, tenant)
}
