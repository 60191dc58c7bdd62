package licensortest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"licensor/internal/identity"
)

// mustBeValid ends the test for a token that check refuses.
func (s *Server) mustBeValid(which Token) {
	s.t.Helper()
	if err := which.check(); err != nil {
		s.t.Fatalf("licensortest: %v.", err)
	}
}

// check returns an error for an invalid combination of fields, or for a misspelled permission. The
// server would issue such a token, and refuse each request with 403.
func (which *Token) check() error {
	switch {
	case which.User != "" && len(which.Permissions) > 0:
		return errors.New("Token has a User and Permissions: use Scopes for a user, or leave out User")
	case which.User == "" && len(which.Scopes) > 0:
		return errors.New("Token has Scopes and no User: use Permissions for an application, or set User")
	case which.User == "" && which.Personal:
		return errors.New("Token is Personal and has no User: set User")
	case which.Lifetime < 0:
		return fmt.Errorf("Token has the Lifetime %s: use Expired for a token that is no longer valid", which.Lifetime)
	}
	return cmp.Or(
		known("permission of an application", which.Permissions, values(identity.ApplicationPermissions)),
		known("scope", which.Scopes, values(identity.DelegatedPermissions)),
		known("directory role", which.Roles, roles()),
	)
}

func values(all []identity.Permission) (names []string) {
	for _, p := range all {
		names = append(names, p.Value)
	}
	return names
}

// roles returns the names and the template ids of the built-in roles.
func roles() (names []string) {
	for _, r := range identity.BuiltInRoles {
		names = append(names, r.Name, r.ID.String())
	}
	return names
}

// known returns an error that has the nearest name there is, unless all names exist.
func known(kind string, names, all []string) error {
	for _, name := range names {
		exists := slices.Contains(all, name) || kind == "directory role" &&
			slices.ContainsFunc(all, func(other string) bool { return strings.EqualFold(name, other) })
		if !exists {
			nearest := slices.MinFunc(all, func(a, b string) int { return cmp.Compare(edits(a, name), edits(b, name)) })
			return fmt.Errorf("there is no %s %q: the nearest is %q", kind, name, nearest)
		}
	}
	return nil
}
