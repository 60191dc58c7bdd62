package storetest

import (
	"context"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// Hooked is a store before whose operations on whole tenants something happens, such as that they
// fail.
type Hooked struct {
	store.Store
	// Before is called with the name of the operation and the tenant, which may be uuid.Nil. When it
	// returns an error, that is the operation's.
	Before func(operation string, tenant uuid.UUID) error
}

// View implements store.Store.
func (h *Hooked) View(ctx context.Context, tenant uuid.UUID, do func(store.View) error) error {
	if err := h.Before("View", tenant); err != nil {
		return err
	}
	return h.Store.View(ctx, tenant, do)
}

// CreateTenant implements store.Store.
func (h *Hooked) CreateTenant(ctx context.Context, tenant uuid.UUID) error {
	if err := h.Before("CreateTenant", tenant); err != nil {
		return err
	}
	return h.Store.CreateTenant(ctx, tenant)
}

// Fill implements store.Store.
func (h *Hooked) Fill(
	ctx context.Context, tenant uuid.UUID, commits []store.Commit, rows []store.Object,
) error {
	if err := h.Before("Fill", tenant); err != nil {
		return err
	}
	return h.Store.Fill(ctx, tenant, commits, rows)
}

// Publish implements store.Store.
func (h *Hooked) Publish(ctx context.Context, tenant uuid.UUID, at store.Place, floors store.Floors) error {
	if err := h.Before("Publish", tenant); err != nil {
		return err
	}
	return h.Store.Publish(ctx, tenant, at, floors)
}

// Discard implements store.Store.
func (h *Hooked) Discard(ctx context.Context, tenant uuid.UUID) (int, error) {
	if err := h.Before("Discard", tenant); err != nil {
		return 0, err
	}
	return h.Store.Discard(ctx, tenant)
}

// Freeze implements store.Store.
func (h *Hooked) Freeze(ctx context.Context, tenant uuid.UUID, why string) (store.Place, error) {
	if err := h.Before("Freeze", tenant); err != nil {
		return store.Place{}, err
	}
	return h.Store.Freeze(ctx, tenant, why)
}

// SaveParts implements store.Store.
func (h *Hooked) SaveParts(ctx context.Context, tenant uuid.UUID, parts []store.Part, at time.Time) error {
	if err := h.Before("SaveParts", tenant); err != nil {
		return err
	}
	return h.Store.SaveParts(ctx, tenant, parts, at)
}

// ReplaceManifest implements store.Store.
func (h *Hooked) ReplaceManifest(ctx context.Context, tenant uuid.UUID, m store.Manifest, at time.Time) error {
	if err := h.Before("ReplaceManifest", tenant); err != nil {
		return err
	}
	return h.Store.ReplaceManifest(ctx, tenant, m, at)
}

// Settle implements store.Store.
func (h *Hooked) Settle(ctx context.Context, tenant uuid.UUID, has, hasNot []string) ([]store.Claim, error) {
	if err := h.Before("Settle", tenant); err != nil {
		return nil, err
	}
	return h.Store.Settle(ctx, tenant, has, hasNot)
}

// ReplaceSecret implements store.Store.
func (h *Hooked) ReplaceSecret(ctx context.Context, name string, change func([]byte) ([]byte, error)) error {
	if err := h.Before("ReplaceSecret", uuid.Nil); err != nil {
		return err
	}
	return h.Store.ReplaceSecret(ctx, name, change)
}

// Objects implements store.Store.
func (h *Hooked) Objects(ctx context.Context, tenant uuid.UUID, query store.Query) ([]store.Object, error) {
	if err := h.Before("Objects", tenant); err != nil {
		return nil, err
	}
	return h.Store.Objects(ctx, tenant, query)
}
