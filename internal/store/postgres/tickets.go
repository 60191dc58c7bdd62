package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

const (
	addTicket = `INSERT INTO licensor.ticket (id, tenant, family, expires, version, sum, data)
		VALUES ($1, $2, $3, $4, 0, $5, $6) ON CONFLICT (id) DO NOTHING`
	findTicket   = "SELECT tenant, family, expires, version, sum, data FROM licensor.ticket WHERE id = $1"
	changeTicket = `UPDATE licensor.ticket SET expires = $3, version = $4, sum = $5, data = $6
		WHERE id = $1 AND version = $2`
	dropFamily = "DELETE FROM licensor.ticket WHERE family = $1"
	// dropTickets compares twice, since a ticket may be extended while its row is waited for.
	dropTickets = `DELETE FROM licensor.ticket WHERE expires <= $1 AND id IN (
		SELECT id FROM licensor.ticket WHERE expires <= $1 LIMIT $2)`
)

// AddTicket implements store.Store.
func (s *Store) AddTicket(ctx context.Context, t store.Ticket) error {
	t.Version = 0
	return s.write(ctx, "add a ticket", func(ctx context.Context, c conn) error {
		added, err := c.exec(ctx, addTicket, t.ID[:], t.Tenant, t.Family, t.Expires.Unix(), t.Sum(), bytesOf(t.Data))
		if err == nil && added == 0 {
			return store.ErrExists
		}
		return err
	})
}

// Ticket implements store.Store.
func (s *Store) Ticket(ctx context.Context, id [32]byte) (store.Ticket, error) {
	return read(ctx, s, uuid.Nil, "read a ticket", func(r reading) (store.Ticket, error) {
		return s.scanTicket(id, r.row(r.ctx, findTicket, id[:]))
	})
}

func (s *Store) scanTicket(id [32]byte, row pgx.Row) (store.Ticket, error) {
	t := store.Ticket{ID: id}
	var expires, sum int64
	err := row.Scan(&t.Tenant, &t.Family, &expires, &t.Version, &sum, &t.Data)
	if errors.Is(err, pgx.ErrNoRows) {
		return store.Ticket{}, callersError{store.ErrNotFound}
	} else if err != nil {
		return store.Ticket{}, err
	}
	t.Expires = time.Unix(expires, 0).UTC()
	if t.Sum() != sum {
		return store.Ticket{}, callersError{s.damaged("a ticket has another checksum")}
	}
	return t, nil
}

// ChangeTicket implements store.Store. The checksum includes the fields that the caller does not
// pass, which never change.
func (s *Store) ChangeTicket(ctx context.Context, t store.Ticket) error {
	return s.write(ctx, "change a ticket", func(ctx context.Context, c conn) error {
		now, err := s.scanTicket(t.ID, c.row(ctx, findTicket, t.ID[:]))
		if err != nil {
			return nothingDone(err)
		} else if now.Version != t.Version {
			return store.ErrConflict
		}
		now.Expires, now.Data, now.Version = t.Expires, t.Data, t.Version+1
		changed, err := c.exec(ctx, changeTicket,
			t.ID[:], t.Version, now.Expires.Unix(), now.Version, now.Sum(), bytesOf(now.Data))
		if err != nil || changed == 1 {
			return err
		}
		// It was changed or dropped meanwhile.
		if _, err := s.scanTicket(t.ID, c.row(ctx, findTicket, t.ID[:])); err != nil {
			return nothingDone(err)
		}
		return store.ErrConflict
	})
}

// nothingDone marks an error of a read in a change that has not changed anything.
func nothingDone(err error) error {
	if isCallers(err) || refused(err) {
		return err
	}
	return unsentError{err}
}

// DropFamily implements store.Store.
func (s *Store) DropFamily(ctx context.Context, family uuid.UUID) error {
	return s.write(ctx, "drop a family of tickets", func(ctx context.Context, c conn) error {
		_, err := c.exec(ctx, dropFamily, family)
		return err
	})
}

// DropTickets implements store.Store.
func (s *Store) DropTickets(ctx context.Context, at time.Time) (int, error) {
	return s.dropSome(ctx, "drop expired tickets", dropTickets, at.Unix())
}

// droppedAtOnce limits a transaction, so that others wait only milliseconds for it.
const droppedAtOnce = 5000

// dropSome repeats a statement that drops rows, whose maximum number is its last argument, until it
// drops fewer. It returns how many it dropped in total.
func (s *Store) dropSome(ctx context.Context, doing, text string, args ...any) (total int, err error) {
	for {
		var dropped int64
		err := s.write(ctx, doing, func(ctx context.Context, c conn) (err error) {
			dropped, err = c.exec(ctx, text, append(args, droppedAtOnce)...)
			return err
		})
		if err != nil {
			return total, err
		}
		total += int(dropped)
		if dropped < droppedAtOnce {
			return total, nil
		}
	}
}
