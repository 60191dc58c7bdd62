package engine

import (
	"context"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/tenant"
)

// Saved returns the image of a snapshot.
func Saved(ctx context.Context, s Store, id uuid.UUID, m store.Manifest) (*tenant.Image, error) {
	t := &Tenant{id: id, store: s}
	h, err := t.readHead(ctx, m)
	if err != nil {
		return nil, err
	}
	return t.loadSnapshot(ctx, h)
}
