package memory

import (
	"bytes"
	"context"
	"maps"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// AddTicket implements store.Store.
func (s *Store) AddTicket(ctx context.Context, t store.Ticket) error {
	t.Version = 0
	return s.do(ctx, func(w *World) error {
		if _, ok := w.tickets[t.ID]; ok {
			return store.ErrExists
		}
		w.keep(t)
		return nil
	})
}

// keep writes a copy of a ticket that shares nothing with the caller's.
func (w *World) keep(t store.Ticket) {
	t.Expires = time.Unix(t.Expires.Unix(), 0).UTC()
	t.Data = bytes.Clone(t.Data)
	w.tickets[t.ID] = t
}

// Ticket implements store.Store.
func (s *Store) Ticket(ctx context.Context, id [32]byte) (found store.Ticket, err error) {
	err = s.do(ctx, func(w *World) error {
		t, ok := w.tickets[id]
		if !ok {
			return store.ErrNotFound
		}
		t.Data = bytes.Clone(t.Data)
		found = t
		return nil
	})
	return found, err
}

// ChangeTicket implements store.Store.
func (s *Store) ChangeTicket(ctx context.Context, t store.Ticket) error {
	return s.do(ctx, func(w *World) error {
		now, ok := w.tickets[t.ID]
		switch {
		case !ok:
			return store.ErrNotFound
		case now.Version != t.Version:
			return store.ErrConflict
		}
		now.Expires, now.Data, now.Version = t.Expires, t.Data, t.Version+1
		w.keep(now)
		return nil
	})
}

// DropFamily implements store.Store.
func (s *Store) DropFamily(ctx context.Context, family uuid.UUID) error {
	return s.do(ctx, func(w *World) error {
		maps.DeleteFunc(w.tickets, func(_ [32]byte, t store.Ticket) bool { return t.Family == family })
		return nil
	})
}

// DropTickets implements store.Store.
func (s *Store) DropTickets(ctx context.Context, at time.Time) (dropped int, err error) {
	err = s.do(ctx, func(w *World) error {
		before := len(w.tickets)
		maps.DeleteFunc(w.tickets, func(_ [32]byte, t store.Ticket) bool { return t.Expires.Unix() <= at.Unix() })
		dropped = before - len(w.tickets)
		return nil
	})
	return dropped, err
}
