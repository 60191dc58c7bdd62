package oauth

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/identity"
)

// permits returns which of the requested permissions an application has for a user, and which are
// missing.
//
// All permissions (.default) are those that it was granted; nothing is missing unless it was
// granted none, and then the permissions of its registration are. Signing in needs separate consent
// only if there is none at all: a user who has consented to an application that reads the profile
// need not consent to signing in.
//
// What an application asks of another one's own API needs none. Both are the tenant's own, and the
// token says no more than who the user is: what the other may do here in the user's name is a
// matter of its own grants (see onBehalfOf).
func (s *Server) permits(
	ctx context.Context, tenant uuid.UUID, app identity.App, user uuid.UUID, asked scopes,
) (names, missing []string, err error) {
	granted, err := s.config.Tenants.Scopes(ctx, tenant, app.ID, user)
	if err != nil {
		return nil, nil, err
	}
	if len(granted) == 0 {
		missing = slices.Clone(asked.SignIn)
	}
	switch {
	case asked.API != uuid.Nil && asked.All:
		return []string{"user_impersonation"}, missing, nil
	case asked.API != uuid.Nil:
		return asked.Names, missing, nil
	case asked.All:
		for _, name := range granted {
			if !slices.Contains(signInScopes, name) {
				names = append(names, name)
			}
		}
		if len(names) == 0 {
			missing = slices.Concat(requested(app), missing)
		}
		return names, missing, nil
	}
	for _, name := range asked.Names {
		if slices.Contains(granted, name) {
			names = append(names, name)
		} else {
			missing = append(missing, name)
		}
	}
	return names, missing, nil
}

// checkResource refuses what is of an application that the tenant does not have.
func (s *Server) checkResource(ctx context.Context, tenant uuid.UUID, asked scopes) error {
	if asked.API == uuid.Nil {
		return nil
	}
	app, err := s.config.Tenants.Application(ctx, tenant, asked.API)
	if err != nil || app.ID != uuid.Nil && app.Enabled {
		return err
	}
	return refuse(500011, "invalid_resource",
		"The resource principal named %s was not found in the tenant named %s. This can happen if the application "+
			"has not been installed by the administrator of the tenant, or is disabled.", asked.API, tenant)
}

// requested returns the permissions that an application's registration requests; if it requests
// none, User.Read, as the real service registers applications.
func requested(app identity.App) []string {
	if app.Requested != nil {
		if names := app.Requested(); len(names) > 0 {
			return names
		}
	}
	return []string{"User.Read"}
}

// mayConsent reports whether a user may consent to permissions of an application: for themselves,
// those that need no administrator.
func mayConsent(user identity.User, names []string) bool {
	return isAdministrator(user) || !slices.ContainsFunc(names, func(name string) bool {
		permission, ok := identity.DelegatedPermission(name)
		return !ok || permission.AdminConsent
	})
}

func isAdministrator(user identity.User) bool {
	return slices.Contains(user.Roles, identity.GlobalAdministrator.ID)
}
