package identity

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// What an operation asks for can be granted, and nothing is granted by a name that no token could
// have.
func TestEveryPermissionOfNeedsCanBeGranted(t *testing.T) {
	t.Parallel()
	for op, need := range Needs {
		parts := slices.Collect(maps.Keys(need.Parts))
		some := strings.Split(strings.Join(slices.Concat(need.Full, need.Basic, need.Least, need.Owned, parts), "+"), "+")
		for _, value := range slices.Concat(some, need.Own, need.Delegated, need.Personal, need.Application) {
			_, application := ApplicationPermission(value)
			_, delegated := DelegatedPermission(value)
			inDelegated := slices.Concat(need.Own, need.Delegated, need.Personal)
			if value != "" && !application && !delegated || slices.Contains(inDelegated, value) && !delegated ||
				slices.Contains(need.Application, value) && !application {
				t.Errorf("%s asks for %s: application %v, delegated %v", op, value, application, delegated)
			}
		}
	}
}

func TestPermissionsAreFoundByNameAndID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list    []Permission
		byValue func(string) (Permission, bool)
		byID    func(uuid.UUID) (Permission, bool)
	}{
		{ApplicationPermissions, ApplicationPermission, ApplicationPermissionByID},
		{DelegatedPermissions, DelegatedPermission, DelegatedPermissionByID},
	} {
		for _, p := range c.list {
			named, ok := c.byValue(p.Value)
			if byID, found := c.byID(p.ID); !ok || !found || named != p || byID != p || p.DisplayName == "" {
				t.Errorf("%+v is found as %+v and %+v", p, named, byID)
			}
		}
		if _, ok := c.byValue("User.Fly"); ok {
			t.Error("User.Fly is found")
		}
		if _, ok := c.byID(uuid.Nil); ok {
			t.Error("the zero id is found")
		}
	}
}

// Users may consent to what shows no more than themselves and what all colleagues see; all else is
// for administrators.
func TestWhatUsersMayConsentTo(t *testing.T) {
	t.Parallel()
	var users []string
	for _, p := range DelegatedPermissions {
		if !p.AdminConsent {
			users = append(users, p.Value)
		}
	}
	want := []string{"email", "offline_access", "openid", "profile", "User.Read", "User.ReadBasic.All", "User.ReadWrite"}
	if !slices.Equal(users, want) {
		t.Errorf("%v, want %v", users, want)
	}
	for _, p := range ApplicationPermissions {
		if !p.AdminConsent {
			t.Errorf("%s does not want an administrator", p.Value)
		}
	}
}

func TestDerivedIDsDifferByTenant(t *testing.T) {
	t.Parallel()
	other := uuid.MustParse("0c0c0c0c-0000-4000-8000-00000000000c")
	if GraphPrincipalID(contoso) == GraphPrincipalID(other) ||
		RoleObjectID(contoso, GlobalReader.ID) == RoleObjectID(other, GlobalReader.ID) ||
		RoleObjectID(contoso, GlobalReader.ID) == RoleObjectID(contoso, GlobalAdministrator.ID) {
		t.Error("two have one id")
	}
}
