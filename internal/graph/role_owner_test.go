package graph

import (
	"net/http"
	"testing"
)

// TestAnApplicationThatOwnsAGroupIsAnOwner: of a group that roles can be given to, too, as a user
// would be.
func TestAnApplicationThatOwnsAGroupIsAnOwner(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	_, group := m.addGuarded("admins")
	add := `{"@odata.id":"x/users/` + m.ann + `"}`
	token := bearing(m.appToken("Group.ReadWrite.All"))
	if got := m.sendAs(t, "POST", "/v1.0/groups/"+group+"/members/$ref", add, token); got.status != http.StatusForbidden {
		t.Errorf("before it owns the group: %d %s", got.status, got.body)
	}
	owner := `{"@odata.id":"x/servicePrincipals/` + m.app.Principal.ID.String() + `"}`
	m.made("POST", "/v1.0/groups/"+group+"/owners/$ref", owner)
	if got := m.sendAs(t, "POST", "/v1.0/groups/"+group+"/members/$ref", add, token); got.status != http.StatusNoContent {
		t.Errorf("as an owner: %d %s", got.status, got.body)
	}
}
