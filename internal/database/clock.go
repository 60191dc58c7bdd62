package database

import (
	"context"
	"time"
)

// clocked is a database on a machine of its own.
type clocked interface {
	Clock(ctx context.Context) (time.Time, error)
}

// Skew returns by how much the clock of the database is ahead of another one, and how exact that
// is: half of the time that the answer took. It returns false for a database that uses the clock of
// this machine.
func Skew(ctx context.Context, s Store, now func() time.Time) (skew, within time.Duration, known bool, err error) {
	its, ok := s.(clocked)
	if !ok {
		return 0, 0, false, nil
	}
	began := now()
	at, err := its.Clock(ctx)
	if err != nil {
		return 0, 0, false, err
	}
	within = now().Sub(began) / 2
	return at.Sub(began.Add(within)), within, true, nil
}
