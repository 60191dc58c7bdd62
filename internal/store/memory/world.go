package memory

import (
	"context"
	"fmt"
	"sync"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// World is the data that all stores opened on it share.
type World struct {
	mu      sync.Mutex
	tenants map[uuid.UUID]*tenant
	order   []uuid.UUID // of their creation
	claims  map[string]store.Claim
	secrets map[string][]byte
	tickets map[[32]byte]store.Ticket
	signIns signIns
}

// tenant is the data of one tenant.
type tenant struct {
	end       store.Place
	floors    store.Floors
	frozen    string                        // why, if it is
	log       []store.Commit                // from floors.Log on
	rows      map[store.Kind]map[uint32]row // by kind and ordinal
	parts     map[string]part
	manifests map[string]store.Manifest
}

// New returns an empty world.
func New() *World {
	return &World{
		tenants: map[uuid.UUID]*tenant{},
		claims:  map[string]store.Claim{},
		secrets: map[string][]byte{},
		tickets: map[[32]byte]store.Ticket{},
		signIns: signIns{ids: map[signInKey]bool{}, activities: map[activityKey]store.Activity{}},
	}
}

// Store is an open handle of a world.
type Store struct {
	world  *World
	closed bool // guarded by the world's lock
}

var _ store.Store = (*Store)(nil)

// Open returns another store on the world. Stores on one world are independent, except for the data
// they share.
func (w *World) Open() *Store { return &Store{world: w} }

// Close implements store.Store: the store can no longer be used. The world and other stores on it
// remain.
func (s *Store) Close() error {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.closed = true
	return nil
}

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error {
	return s.do(ctx, func(*World) error { return nil })
}

// do runs an operation while nothing else uses the world. An operation that fails must leave the
// world unchanged.
func (s *Store) do(ctx context.Context, operation func(w *World) error) error {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	if s.closed {
		return fmt.Errorf("the store in memory was closed, open its world again: %w", store.ErrUnavailable)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return operation(s.world)
}

// in is do for an operation on one tenant.
func (s *Store) in(ctx context.Context, id uuid.UUID, operation func(t *tenant) error) error {
	return s.do(ctx, func(w *World) error {
		t, err := w.tenant(id)
		if err != nil {
			return err
		}
		return operation(t)
	})
}

func (w *World) tenant(id uuid.UUID) (*tenant, error) {
	t, ok := w.tenants[id]
	if !ok {
		return nil, fmt.Errorf("tenant %s: %w", id, store.ErrNotFound)
	}
	return t, nil
}
