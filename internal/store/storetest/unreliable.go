package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// Outcome is the outcome of an operation of an Unreliable store.
type Outcome uint8

// The outcomes.
const (
	OutcomeWorks    Outcome = iota
	OutcomeFails            // nothing is done, and the caller gets the error
	OutcomeLostDone         // it is done, and the response is lost
	OutcomeLostLate         // it is done after the response was lost, just before the next Fence
	OutcomeLostGone         // it reaches the store after the next Fence, which must make it fail
	OutcomeFull             // nothing is done, because there is no room
)

// Unreliable is a store with an unreliable connection. Until Decide is called, all works.
// Operations other than Append either work or fail.
type Unreliable struct {
	store.Store
	decide atomic.Pointer[func(operation string) Outcome]

	mu    sync.Mutex
	late  arrival // an append that is still in progress
	gone  arrival
	wrong []error
}

// arrival carries out an operation when it reaches a store.
type arrival func(s store.Log) error

// Decide makes f determine the outcome of each operation on a tenant from now on, also while
// operations are in progress.
func (u *Unreliable) Decide(f func(operation string) Outcome) { u.decide.Store(&f) }

func (u *Unreliable) outcome(operation string) Outcome {
	if f := u.decide.Load(); f != nil {
		return (*f)(operation)
	}
	return OutcomeWorks
}

// works returns an error unless an operation is decided to work.
func (u *Unreliable) works(operation string) error {
	switch u.outcome(operation) {
	case OutcomeWorks:
		return nil
	case OutcomeFull:
		return fmt.Errorf("%s: %w", operation, store.ErrFull)
	}
	return fmt.Errorf("%s: the line is broken: %w", operation, store.ErrUnavailable)
}

// Append implements store.Store.
func (u *Unreliable) Append(
	ctx context.Context, tenant uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object,
) error {
	do := func(s store.Log) error { return s.Append(context.WithoutCancel(ctx), tenant, at, commits, objects) }
	lost := fmt.Errorf("the line broke: %w", store.ErrUnknown)
	u.mu.Lock()
	defer u.mu.Unlock()
	switch u.outcome("Append") {
	case OutcomeFails:
		return fmt.Errorf("the line is broken: %w", store.ErrUnavailable)
	case OutcomeFull:
		return store.ErrFull
	case OutcomeLostDone:
		if err := do(u.Store); err != nil {
			return err
		}
		return lost
	case OutcomeLostLate:
		u.late = do
		return lost
	case OutcomeLostGone:
		u.gone = do
		return lost
	}
	return do(u.Store)
}

// Fence implements store.Store.
func (u *Unreliable) Fence(ctx context.Context, tenant uuid.UUID) (store.Place, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.works("Fence"); err != nil {
		return store.Place{}, err
	}
	if u.late != nil {
		_ = u.late(u.Store) // the log shows the outcome
		u.late = nil
	}
	place, err := u.Store.Fence(ctx, tenant)
	if err == nil && u.gone != nil {
		if came := u.gone(u.Store); came == nil {
			u.wrong = append(u.wrong, fmt.Errorf("an append from before the fence was taken behind it"))
		}
		u.gone = nil
	}
	return place, err
}

// Place implements store.Store.
func (u *Unreliable) Place(ctx context.Context, tenant uuid.UUID) (store.Place, error) {
	if err := u.works("Place"); err != nil {
		return store.Place{}, err
	}
	return u.Store.Place(ctx, tenant)
}

// Commits implements store.Store.
func (u *Unreliable) Commits(
	ctx context.Context, tenant uuid.UUID, after uint64, yield func(store.Commit) error,
) error {
	if err := u.works("Commits"); err != nil {
		return err
	}
	return u.Store.Commits(ctx, tenant, after, yield)
}

// Objects implements store.Store.
func (u *Unreliable) Objects(ctx context.Context, tenant uuid.UUID, query store.Query) ([]store.Object, error) {
	if err := u.works("Objects"); err != nil {
		return nil, err
	}
	return u.Store.Objects(ctx, tenant, query)
}

// SaveParts implements store.Store.
func (u *Unreliable) SaveParts(ctx context.Context, tenant uuid.UUID, parts []store.Part, at time.Time) error {
	if err := u.works("SaveParts"); err != nil {
		return err
	}
	return u.Store.SaveParts(ctx, tenant, parts, at)
}

// ReplaceManifest implements store.Store.
func (u *Unreliable) ReplaceManifest(ctx context.Context, tenant uuid.UUID, m store.Manifest, at time.Time) error {
	if err := u.works("ReplaceManifest"); err != nil {
		return err
	}
	return u.Store.ReplaceManifest(ctx, tenant, m, at)
}

// Sweep implements store.Store.
func (u *Unreliable) Sweep(ctx context.Context, tenant uuid.UUID, before time.Time) (int, error) {
	if err := u.works("Sweep"); err != nil {
		return 0, err
	}
	return u.Store.Sweep(ctx, tenant, before)
}

// Claim implements store.Store.
func (u *Unreliable) Claim(
	ctx context.Context, tenant uuid.UUID, names []string, at time.Time,
) ([]store.Claim, error) {
	if err := u.works("Claim"); err != nil {
		return nil, err
	}
	return u.Store.Claim(ctx, tenant, names, at)
}

// Settle implements store.Store.
func (u *Unreliable) Settle(
	ctx context.Context, tenant uuid.UUID, has, hasNot []string,
) ([]store.Claim, error) {
	if err := u.works("Settle"); err != nil {
		return nil, err
	}
	return u.Store.Settle(ctx, tenant, has, hasNot)
}

// TrimLog implements store.Store.
func (u *Unreliable) TrimLog(ctx context.Context, tenant uuid.UUID, below uint64) (int, error) {
	if err := u.works("TrimLog"); err != nil {
		return 0, err
	}
	return u.Store.TrimLog(ctx, tenant, below)
}

// Arrive lets operations in progress reach another store on the same place, after the process that
// sent them has crashed.
func (u *Unreliable) Arrive(at store.Log) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, held := range []*arrival{&u.late, &u.gone} {
		if *held != nil {
			_ = (*held)(at) // the log shows the outcome
			*held = nil
		}
	}
}

// Wrong returns the errors of the store: things that no store may do.
func (u *Unreliable) Wrong() []error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.wrong
}
