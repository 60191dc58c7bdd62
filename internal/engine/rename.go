package engine

import (
	"context"
	"errors"

	"licensor/internal/tenant"

	"github.com/google/uuid"
)

// Rename gives a tenant that was stored under another id all that follows from its own: the id of
// its organization and of Microsoft Graph's service principal, and the owner of its service
// principals. That is one commit. What people have written, such as an audience with the former id
// in it, stays. No other program may have the tenant loaded.
func Rename(ctx context.Context, s Store, id uuid.UUID, options Options) error {
	all, err := Open(ctx, s, options)
	if err != nil {
		return err
	}
	t, err := all.Tenant(ctx, id)
	if err == nil {
		_, err = t.Do(ctx, "system", tenant.RenameTenant{ID: id})
		t.Release()
	}
	return errors.Join(err, all.Close(context.WithoutCancel(ctx)))
}
