package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Clock returns the time that the clock of the database's machine shows.
func (s *Store) Clock(ctx context.Context) (time.Time, error) {
	return read(ctx, s, uuid.Nil, "read the clock", func(r reading) (at time.Time, err error) {
		err = r.row(r.ctx, "SELECT clock_timestamp()").Scan(&at)
		return at, err
	})
}
