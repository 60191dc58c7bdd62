package backup

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/engine"
	"licensor/internal/store"
)

// rename gives the tenant the id that it was filled in with.
func (r *restore) rename() error {
	s := &unpublished{Store: r.store, id: r.now.id, place: r.now.place, floors: r.now.floors}
	options := engine.Options{Now: r.options.Now, Log: r.options.Log}
	if err := engine.Rename(r.ctx, s, r.now.id, options); err != nil {
		return err
	}
	r.now.place = s.place
	return nil
}

// unpublished is a store that shows one tenant, which is not published, as it will be.
type unpublished struct {
	store.Store
	id     uuid.UUID
	place  store.Place
	floors store.Floors
}

// Tenants implements store.Store.
func (u *unpublished) Tenants(context.Context) ([]uuid.UUID, error) { return []uuid.UUID{u.id}, nil }

// Place implements store.Store.
func (u *unpublished) Place(context.Context, uuid.UUID) (store.Place, error) { return u.place, nil }

// Floors implements store.Store.
func (u *unpublished) Floors(context.Context, uuid.UUID) (store.Floors, error) { return u.floors, nil }

// Append implements store.Store.
func (u *unpublished) Append(
	ctx context.Context, id uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object,
) error {
	if err := at.Check(commits); err != nil {
		return err
	}
	if at != u.place || id != u.id {
		return fmt.Errorf("the log does not end at commit %d: %w", at.Seq, store.ErrConflict)
	}
	if err := u.Fill(ctx, id, commits, slices.Clone(objects)); err != nil {
		return err
	}
	u.place = at.After(commits)
	return nil
}
