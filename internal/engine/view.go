package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/tenant"
)

// ImageAt returns the image of a tenant as a view of the store shows it: the last snapshot with the
// commits after it. Columns that an early format lacks are not filled, and names are not settled.
func ImageAt(ctx context.Context, s Store, id uuid.UUID, v store.View) (*tenant.Image, error) {
	t := &Tenant{id: id, store: viewed{s, v}}
	saved, _, err := readSnapshot(ctx, t, nil)
	if err != nil {
		return nil, err
	}
	img, _, err := t.follow(ctx, saved, func(store.Commit) {})
	if err != nil {
		return nil, fmt.Errorf("recover tenant %s: %w", id, err)
	}
	if img.Seq == 0 {
		return nil, fmt.Errorf("tenant %s, which has no commit: %w", id, store.ErrNotFound)
	}
	img.CountMemberships()
	return img, nil
}

// ImageAfter is like ImageAt for a tenant that is loaded: it applies the commits of the view to an
// image that was current before the view began, so it takes memory only for what they changed.
func ImageAfter(ctx context.Context, s Store, id uuid.UUID, v store.View, img *tenant.Image) (*tenant.Image, error) {
	t := &Tenant{id: id, store: viewed{s, v}}
	now, _, err := t.follow(ctx, img, func(store.Commit) {})
	if errors.Is(err, store.ErrTrimmed) { // the view began long after
		return ImageAt(ctx, s, id, v)
	}
	return now, err
}

// viewed reads from a view what a tenant is recovered from. Parts never change.
type viewed struct {
	Store
	view store.View
}

func (v viewed) Place(ctx context.Context, _ uuid.UUID) (store.Place, error) {
	return v.view.Place()
}

func (v viewed) Manifests(context.Context, uuid.UUID) ([]store.Manifest, error) {
	return v.view.Manifests()
}

func (v viewed) Commits(ctx context.Context, _ uuid.UUID, after uint64, yield func(store.Commit) error) error {
	return v.view.Commits(after, func(c store.Commit) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return yield(c)
	})
}
