package oauth

import (
	"context"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/identity"
)

// Directory is what must be known of tenants to sign people in and let applications act for them.
type Directory interface {
	identity.Directory
	// Known says whether any tenant has an application.
	Known(appID uuid.UUID) bool
	// UserByName returns a user by userPrincipalName, in any case; one that is unknown or deleted is
	// the zero User.
	UserByName(ctx context.Context, tenant uuid.UUID, name string) (identity.User, error)
	// Password returns the hash of a user's password (see identity.HashPassword), "" when the user has
	// none.
	Password(ctx context.Context, tenant, user uuid.UUID) (string, error)
	// SetPassword gives a user the password it has chosen; MustChangePassword is false from then on.
	SetPassword(ctx context.Context, tenant, user uuid.UUID, hash string) error
	// Scopes returns the delegated permissions that a service principal has been granted for a user:
	// for all users, and for this one.
	Scopes(tenant, client, user uuid.UUID) []string
	// Consent adds delegated permissions of a service principal, for all users or for this one, in the
	// user's name.
	Consent(ctx context.Context, tenant, client, user uuid.UUID, scopes []string, forAll bool) error
	// SignIn returns how a tenant lets people and programs in.
	SignIn(tenant uuid.UUID) directory.SignIn
}
