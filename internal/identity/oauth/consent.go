package oauth

import (
	"slices"

	"github.com/google/uuid"

	"licensor/internal/identity"
)

// permits says which permissions an application has for a user of those it asks for, and which are
// missing.
//
// All permissions (.default) are those it was granted, whichever; nothing is missing unless it was
// granted none, and then it is what its registration asks for. Signing in needs consent of its own
// only as long as there is none at all: who has let an application read their profile need not be
// asked whether it may know their name.
//
// What an application asks of another one's own API needs none. Both are the tenant's own, and the
// token says no more than who the user is: what the other may do here in the user's name is a
// matter of its own grants (see onBehalfOf).
func (s *Server) permits(tenant uuid.UUID, app identity.App, user uuid.UUID, asked scopes) (names, missing []string) {
	granted := s.config.Tenants.Scopes(tenant, app.ID, user)
	if len(granted) == 0 {
		missing = slices.Clone(asked.SignIn)
	}
	switch {
	case asked.API != uuid.Nil && asked.All:
		return []string{"user_impersonation"}, missing
	case asked.API != uuid.Nil:
		return asked.Names, missing
	case asked.All:
		for _, name := range granted {
			if !slices.Contains(signInScopes, name) {
				names = append(names, name)
			}
		}
		if len(names) == 0 {
			missing = slices.Concat(requested(app), missing)
		}
		return names, missing
	}
	for _, name := range asked.Names {
		if slices.Contains(granted, name) {
			names = append(names, name)
		} else {
			missing = append(missing, name)
		}
	}
	return names, missing
}

// checkResource refuses what is of an application that the tenant does not have.
func (s *Server) checkResource(tenant uuid.UUID, asked scopes) error {
	if asked.API == uuid.Nil {
		return nil
	}
	if app, ok := s.config.Tenants.Application(tenant, asked.API); ok && app.ID != uuid.Nil && app.Enabled {
		return nil
	}
	return refuse(500011, "invalid_resource",
		"The resource principal named %s was not found in the tenant named %s. This can happen if the application has not been installed by the administrator of the tenant, or is disabled.", asked.API, tenant)
}

// requested is what an application's registration asks for; User.Read, as the real service
// registers them, when it says nothing.
func requested(app identity.App) []string {
	if app.Requested != nil {
		if names := app.Requested(); len(names) > 0 {
			return names
		}
	}
	return []string{"User.Read"}
}

// mayConsent says whether a user may let an application have permissions: for themselves, those
// that need no administrator.
func mayConsent(user identity.User, names []string) bool {
	return isAdministrator(user) || !slices.ContainsFunc(names, func(name string) bool {
		permission, ok := identity.DelegatedPermission(name)
		return !ok || permission.AdminConsent
	})
}

func isAdministrator(user identity.User) bool {
	return slices.Contains(user.Roles, identity.GlobalAdministrator.ID)
}
