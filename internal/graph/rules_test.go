package graph

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/identity"
)

// TestL73WhoMayReprocess asks with every permission by itself, as an application and for signed-in
// users with every role.
func TestL73WhoMayReprocess(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	self := uuid.MustParse(ann)
	enough := map[string]bool{"User.ReadWrite.All": true, "Directory.ReadWrite.All": true}
	able := []identity.Role{
		identity.DirectoryWriters, identity.LicenseAdministrator,
		identity.UserAdministrator, identity.GlobalAdministrator,
	}
	for _, permission := range everyPermission() {
		w.wantReprocessed(t, ann, w.appToken(permission), enough[permission], "application with %s", permission)
		delegated := w.userToken(self, []string{permission}, []uuid.UUID{identity.LicenseAdministrator.ID}, false)
		w.wantReprocessed(t, ann, delegated, enough[permission], "License Administrator with %s", permission)
	}
	for permission := range enough {
		for _, role := range append([]identity.Role{{}}, identity.Roles...) {
			may := slices.Contains(able, role)
			token := w.userToken(self, []string{permission}, []uuid.UUID{role.ID}, false)
			w.wantReprocessed(t, ann, token, may, "user in %q with %s", role.Name, permission)
			personal := w.userToken(self, []string{permission}, []uuid.UUID{role.ID}, true)
			w.wantReprocessed(t, ann, personal, false, "personal account in %q with %s", role.Name, permission)
		}
	}
}

// wantReprocessed reprocesses a user, and checks whether the caller of the token may.
func (w *world) wantReprocessed(t *testing.T, user, token string, may bool, caller string, values ...any) {
	t.Helper()
	want := http.StatusForbidden
	if may {
		want = http.StatusOK
	}
	if got := w.do("POST", "/v1.0/users/"+user+"/reprocessLicenseAssignment", token, ""); got.status != want {
		t.Errorf("%s: %d, want %d: %s", fmt.Sprintf(caller, values...), got.status, want, got.body)
	}
}

// TestL74AUserThatIsNotThereIsNotFound asks for a user that never was, a deleted one and one that
// is deleted permanently, by id and by name.
func TestL74AUserThatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	token := w.appToken(everyPermission()...)
	w.wantReprocessed(t, ann, token, true, "before")
	w.wantNotFound(t, token, nobodysID)
	w.wantNotFound(t, token, "nobody@contoso.example")
	w.request("DELETE", "/v1.0/users/"+ann, "")
	w.wantNotFound(t, token, ann)
	w.wantNotFound(t, token, "ann@contoso.example")
	w.request("DELETE", "/v1.0/directory/deletedItems/"+ann, "")
	w.wantNotFound(t, token, ann)
}

// wantNotFound reprocesses a user that is not there, and checks that nothing is written.
func (w *world) wantNotFound(t *testing.T, token, user string) {
	t.Helper()
	before := w.commits()
	got := w.do("POST", "/v1.0/users/"+user+"/reprocessLicenseAssignment", token, "")
	message := "Resource '" + user + "' does not exist or one of its queried reference-property objects are not present."
	if got.status != http.StatusNotFound || !strings.Contains(got.body, `"code":"Request_ResourceNotFound","message":"`+message) {
		t.Errorf("%s: %d %s", user, got.status, got.body)
	}
	if now := w.commits(); now != before {
		t.Errorf("%s: %d commits were written", user, now-before)
	}
}
