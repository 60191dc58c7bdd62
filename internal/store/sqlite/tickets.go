package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

const findTicket = "SELECT tenant, family, expires, version, data, sum FROM ticket WHERE id = ?"

// AddTicket implements store.Store.
func (s *Store) AddTicket(ctx context.Context, t store.Ticket) error {
	t.Version = 0
	return s.fail("add a ticket", s.write(ctx, func(tx *sql.Tx) error {
		added, err := tx.Exec("INSERT INTO ticket (id, tenant, family, expires, version, data, sum) VALUES (?, ?, "+
			"?, ?, 0, ?, ?) ON CONFLICT DO NOTHING",
			t.ID[:], t.Tenant[:], t.Family[:], t.Expires.Unix(), bytesOf(t.Data), t.Sum())
		if err != nil {
			return err
		}
		if n, err := added.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return store.ErrExists
		}
		return nil
	}))
}

// Ticket implements store.Store.
func (s *Store) Ticket(ctx context.Context, id [32]byte) (store.Ticket, error) {
	t, err := s.scanTicket(id, s.reader.QueryRowContext(ctx, findTicket, id[:]))
	return t, s.fail("read a ticket", err)
}

func (s *Store) scanTicket(id [32]byte, row *sql.Row) (store.Ticket, error) {
	t := store.Ticket{ID: id}
	var expires, sum int64
	err := row.Scan(&t.Tenant, &t.Family, &expires, &t.Version, &t.Data, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Ticket{}, store.ErrNotFound
	} else if err != nil {
		return store.Ticket{}, err
	}
	t.Expires = time.Unix(expires, 0).UTC()
	if t.Sum() != sum {
		return store.Ticket{}, fmt.Errorf("it has another checksum: %w: %s", store.ErrDamaged, repair)
	}
	return t, nil
}

// ChangeTicket implements store.Store. There is one writer, so what a transaction has read does not
// change before it ends.
func (s *Store) ChangeTicket(ctx context.Context, t store.Ticket) error {
	return s.fail("change a ticket", s.write(ctx, func(tx *sql.Tx) error {
		now, err := s.scanTicket(t.ID, tx.QueryRow(findTicket, t.ID[:]))
		if err != nil {
			return err
		} else if now.Version != t.Version {
			return store.ErrConflict
		}
		now.Expires, now.Data, now.Version = t.Expires, t.Data, t.Version+1
		_, err = tx.Exec("UPDATE ticket SET expires = ?, data = ?, version = ?, sum = ? WHERE id = ?",
			now.Expires.Unix(), bytesOf(now.Data), now.Version, now.Sum(), now.ID[:])
		return err
	}))
}

// DropFamily implements store.Store.
func (s *Store) DropFamily(ctx context.Context, family uuid.UUID) error {
	return s.fail("drop a family of tickets", s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM ticket WHERE family = ?", family[:])
		return err
	}))
}

// droppedAtOnce limits a transaction, so that commits can be made in between.
const droppedAtOnce = 5000

// DropTickets implements store.Store.
func (s *Store) DropTickets(ctx context.Context, at time.Time) (int, error) {
	total := 0
	for {
		var dropped int64
		err := s.write(ctx, func(tx *sql.Tx) error {
			result, err := tx.Exec("DELETE FROM ticket WHERE rowid IN (SELECT rowid FROM ticket WHERE "+
				"expires <= ? LIMIT ?)",
				at.Unix(), droppedAtOnce)
			if err != nil {
				return err
			}
			dropped, err = result.RowsAffected()
			return err
		})
		if err != nil {
			return total, s.fail("drop expired tickets", err)
		}
		total += int(dropped)
		if dropped < droppedAtOnce {
			return total, nil
		}
	}
}
