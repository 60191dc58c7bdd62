package graph

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/identity"
)

// Everything under /users/{user} is answered under /me in the same way (docs/spec/protocol.md P1,
// P22).
func TestMeIsAnsweredAsTheUserIs(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"checkMemberGroups()": `{"groupIds":[]}`, "checkMemberObjects()": `{"ids":[]}`, "getMemberGroups()": `{"securityEnabledOnly":true}`,
		"getMemberObjects()": `{"securityEnabledOnly":true}`, "assignLicense()": `{"addLicenses":[],"removeLicenses":[]}`,
	}
	for i := range everyOperation {
		op := &everyOperation[i]
		rest, ok := strings.CutPrefix(op.Path, "/users/{user}")
		if !ok || op.Do == nil || rest == "" && op.Method == http.MethodDelete {
			continue
		}
		t.Run(op.Method+" "+op.Path, func(t *testing.T) {
			t.Parallel()
			status := map[string]int{}
			for _, self := range []string{"/users/<ann>", "/me"} {
				w, ann := withAnn(t)
				path := strings.ReplaceAll(self, "<ann>", ann) + strings.NewReplacer("()", "", "{detail}", "x", "{type}", "group").Replace(rest)
				if at := strings.Index(path, "{"); at >= 0 {
					path = path[:at] + nobodysID + path[at+strings.Index(path[at:], "}")+1:]
				}
				body := bodies[rest[strings.LastIndex(rest, "/")+1:]]
				roles := []uuid.UUID{identity.GlobalAdministrator.ID}
				token := w.userToken(uuid.MustParse(ann), allPermissions, roles, false)
				got := w.do(op.Method, "/v1.0"+path, token, body, "ConsistencyLevel: eventual")
				if status[self] = got.status; got.status >= 500 {
					t.Errorf("%s: %d %s", path, got.status, got.body)
				}
			}
			if status["/me"] != status["/users/<ann>"] {
				t.Errorf("/me is answered %d, the user %d", status["/me"], status["/users/<ann>"])
			}
		})
	}
}
