package oauth

import (
	"context"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/identity"
)

// Directory provides the data of tenants for signing people in and letting applications act for
// them.
type Directory interface {
	identity.Directory
	// Known reports whether any tenant has an application.
	Known(ctx context.Context, appID uuid.UUID) (bool, error)
	// UserByName returns a user by userPrincipalName, in any case; one that is unknown or deleted is
	// the zero User.
	UserByName(ctx context.Context, tenant uuid.UUID, name string) (identity.User, error)
	// Password returns the hash of a user's password (see identity.HashPassword), "" if the user
	// has none.
	Password(ctx context.Context, tenant, user uuid.UUID) (string, error)
	// SetPassword sets the password that a user has chosen, and clears MustChangePassword.
	SetPassword(ctx context.Context, tenant, user uuid.UUID, hash string) error
	// Scopes returns the delegated permissions that a service principal has been granted for a user:
	// for all users, and for this one.
	Scopes(ctx context.Context, tenant, client, user uuid.UUID) ([]string, error)
	// Consent adds delegated permissions of a service principal, for all users or for this one, in the
	// user's name.
	Consent(ctx context.Context, tenant, client, user uuid.UUID, scopes []string, forAll bool) error
	// SignIn returns how a tenant lets people and programs in.
	SignIn(ctx context.Context, tenant uuid.UUID) (directory.SignIn, error)
}
