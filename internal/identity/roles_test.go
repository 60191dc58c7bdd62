package identity

import (
	"testing"

	"github.com/google/uuid"
)

func TestEveryBuiltInRoleIsFoundByItsTemplateAndItsObject(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for i, role := range BuiltInRoles {
		found, ok := RoleByID(role.ID)
		at, there := RoleByObjectID(contoso, RoleObjectID(contoso, role.ID))
		if !ok || found != role || !there || at != i {
			t.Errorf("%s is found as %s and at %d, is at %d", role.Name, found.Name, at, i)
		}
		if names[role.Name] || role.Name == "" || role.Description == "" {
			t.Errorf("the name of %+v is empty or another's, or the description is missing", role)
		}
		names[role.Name] = true
	}
	if len(names) < 100 {
		t.Errorf("there are %d built-in roles", len(names))
	}
	if _, ok := RoleByObjectID(contoso, uuid.Nil); ok {
		t.Error("the zero id is that of a role")
	}
	for _, name := range resettable {
		if !names[name] {
			t.Errorf("%s is no role", name)
		}
	}
}
