package storetest

import (
	"context"
	"fmt"
	"sync"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// Outcome is what comes of an operation of an Unreliable store.
type Outcome uint8

// The outcomes.
const (
	Works    Outcome = iota
	Fails            // nothing is done, and the caller knows
	LostDone         // it is done, and the answer is lost
	LostLate         // it is done after the answer was lost, just before the next Fence
	LostGone         // it reaches the store after the next Fence, which must have shut it out
)

// Unreliable is a store behind a bad line: Decide says what comes of each operation that it is
// asked for.
type Unreliable struct {
	store.Store
	Decide func(operation string) Outcome

	mu    sync.Mutex
	late  func() error // an append that is still under way
	gone  func() error
	wrong []error
}

// Append implements store.Store.
func (u *Unreliable) Append(
	ctx context.Context, tenant uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object,
) error {
	do := func() error { return u.Store.Append(context.WithoutCancel(ctx), tenant, at, commits, objects) }
	lost := fmt.Errorf("the line broke: %w", store.ErrUnknown)
	u.mu.Lock()
	defer u.mu.Unlock()
	switch u.Decide("Append") {
	case Fails:
		return fmt.Errorf("the line is broken: %w", store.ErrUnavailable)
	case LostDone:
		if err := do(); err != nil {
			return err
		}
		return lost
	case LostLate:
		u.late = do
		return lost
	case LostGone:
		u.gone = do
		return lost
	}
	return do()
}

// Fence implements store.Store.
func (u *Unreliable) Fence(ctx context.Context, tenant uuid.UUID) (store.Place, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.Decide("Fence") != Works {
		return store.Place{}, fmt.Errorf("the line is broken: %w", store.ErrUnavailable)
	}
	if u.late != nil {
		_ = u.late() // whatever comes of it, the log says
		u.late = nil
	}
	place, err := u.Store.Fence(ctx, tenant)
	if err == nil && u.gone != nil {
		if came := u.gone(); came == nil {
			u.wrong = append(u.wrong, fmt.Errorf("an append from before the fence was taken behind it"))
		}
		u.gone = nil
	}
	return place, err
}

// Place implements store.Store.
func (u *Unreliable) Place(ctx context.Context, tenant uuid.UUID) (store.Place, error) {
	if u.Decide("Place") != Works {
		return store.Place{}, fmt.Errorf("the line is broken: %w", store.ErrUnavailable)
	}
	return u.Store.Place(ctx, tenant)
}

// Wrong returns what the store did that no store may do.
func (u *Unreliable) Wrong() []error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.wrong
}
