package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"licensor/internal/identity"
	"licensor/internal/store"
)

// Tickets stores codes, refresh tokens, sessions, and used assertions. See store.Store for the
// contracts of the methods; of several concurrent changes of a ticket exactly one succeeds.
type Tickets interface {
	AddTicket(ctx context.Context, t store.Ticket) error
	Ticket(ctx context.Context, id [32]byte) (store.Ticket, error)
	ChangeTicket(ctx context.Context, t store.Ticket) error
	DropFamily(ctx context.Context, family uuid.UUID) error
}

// use is the purpose of a ticket's secret. It is part of the id, so that a secret for one use is
// invalid for all others: a code is not a refresh token.
type use string

const (
	forCode      use = "code"
	forRefresh   use = "refresh"
	forSession   use = "session"
	forDevice    use = "device"
	forUserCode  use = "user code"
	forAssertion use = "assertion"
	forPlaces    use = "places"
	forNewest    use = "newest"
)

func (u use) id(secret string) [32]byte { return sha256.Sum256([]byte(string(u) + " " + secret)) }

// newSecret generates a secret of a ticket: 256 random bits, 43 characters.
func (s *Server) newSecret() (string, error) { return identity.NewSecret(s.config.Random) }

// addTicket stores data for the duration life; false if a ticket with its id exists.
func (s *Server) addTicket(
	ctx context.Context, id [32]byte, tenant, family uuid.UUID, life time.Duration, data any,
) (bool, error) {
	err := s.config.Tickets.AddTicket(ctx, store.Ticket{
		ID: id, Tenant: tenant, Family: family,
		Expires: s.config.Now().UTC().Add(life).Truncate(time.Second), Data: encode(data),
	})
	if errors.Is(err, store.ErrExists) {
		return false, nil
	}
	return err == nil, err
}

// ticket reads a ticket into data; false if it is unknown or has expired. Expired tickets are
// removed after some time.
func (s *Server) ticket(ctx context.Context, id [32]byte, data any) (store.Ticket, bool, error) {
	t, err := s.config.Tickets.Ticket(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return store.Ticket{}, false, nil
	}
	if err != nil {
		return store.Ticket{}, false, err
	}
	if !s.config.Now().Before(t.Expires) {
		return t, false, nil
	}
	if err := json.Unmarshal(t.Data, data); err != nil {
		return t, false, fmt.Errorf("read a ticket of tenant %s: %w", t.Tenant, err)
	}
	return t, true, nil
}

// changeTicket replaces a ticket's data; false if it was changed or removed since it was read.
// Exactly one of several callers that have read the same data succeeds: tokens must be issued after
// this.
func (s *Server) changeTicket(ctx context.Context, t store.Ticket, data any) (bool, error) {
	t.Data = encode(data)
	err := s.config.Tickets.ChangeTicket(ctx, t)
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func encode(data any) []byte {
	text, err := json.Marshal(data)
	if err != nil { // our own types can always be encoded
		panic(err)
	}
	return text
}
