package backup_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// hooked is a store before whose operations something happens, such as that they fail.
type hooked struct {
	store.Store
	before func(operation string) error
}

func (h *hooked) View(ctx context.Context, id uuid.UUID, do func(store.View) error) error {
	if err := h.before("View " + id.String()); err != nil {
		return err
	}
	return h.Store.View(ctx, id, do)
}

func (h *hooked) CreateTenant(ctx context.Context, id uuid.UUID) error {
	if err := h.before("CreateTenant"); err != nil {
		return err
	}
	return h.Store.CreateTenant(ctx, id)
}

func (h *hooked) Fill(ctx context.Context, id uuid.UUID, commits []store.Commit, rows []store.Object) error {
	if err := h.before("Fill"); err != nil {
		return err
	}
	return h.Store.Fill(ctx, id, commits, rows)
}

func (h *hooked) Publish(ctx context.Context, id uuid.UUID, at store.Place, floors store.Floors) error {
	if err := h.before("Publish"); err != nil {
		return err
	}
	return h.Store.Publish(ctx, id, at, floors)
}

func (h *hooked) Discard(ctx context.Context, id uuid.UUID) (int, error) {
	if err := h.before("Discard"); err != nil {
		return 0, err
	}
	return h.Store.Discard(ctx, id)
}

func (h *hooked) SaveParts(ctx context.Context, id uuid.UUID, parts []store.Part, at time.Time) error {
	if err := h.before("SaveParts"); err != nil {
		return err
	}
	return h.Store.SaveParts(ctx, id, parts, at)
}

func (h *hooked) ReplaceManifest(ctx context.Context, id uuid.UUID, m store.Manifest, at time.Time) error {
	if err := h.before("ReplaceManifest"); err != nil {
		return err
	}
	return h.Store.ReplaceManifest(ctx, id, m, at)
}

func (h *hooked) Settle(ctx context.Context, id uuid.UUID, has, hasNot []string) ([]store.Claim, error) {
	if err := h.before("Settle"); err != nil {
		return nil, err
	}
	return h.Store.Settle(ctx, id, has, hasNot)
}

func (h *hooked) ReplaceSecret(ctx context.Context, name string, change func([]byte) ([]byte, error)) error {
	if err := h.before("ReplaceSecret"); err != nil {
		return err
	}
	return h.Store.ReplaceSecret(ctx, name, change)
}

func wantError(t testing.TB, err error, saying ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", saying)
	}
	for _, part := range saying {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error is %q, and does not say %q", err, part)
		}
	}
}
