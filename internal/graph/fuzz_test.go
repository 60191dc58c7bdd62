package graph

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/graph/own"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
)

// FuzzRequests sends any path, query and body: nothing may panic, and nothing is a fault of the
// server.
func FuzzRequests(f *testing.F) {
	w, ann := withAnn(f)
	token := w.appToken(allPermissions...)
	for _, seed := range []struct{ method, path, query, body string }{
		{"GET", "/v1.0/users", "$filter=startsWith(displayName,'a')&$top=2", ""},
		{"GET", "/v1.0/groups", "$select=id&$skiptoken=AAAA&$count=true", ""},
		{"GET", "/v1.0/users", `$orderby=createdDateTime desc&$search="displayName:ann" OR "mail:b"&$count=true&$expand=memberOf($select=id)`, ""},
		{"GET", "/v1.0/users", "$filter=not(assignedLicenses/any(x:x/skuId eq " + e3 + ") and mail eq 'a') or memberOf/any(g:g/id eq '" + ann + "')&$count=true&$orderby=mail", ""},
		{"POST", "/v1.0/users/" + ann + "/assignLicense", "", `{"addLicenses":[{"skuId":"` + e3 + `","disabledPlans":[]}],"removeLicenses":[]}`},
		{"PATCH", "/v1.0/users/" + ann, "", `{"usageLocation":"FR","proxyAddresses":["SMTP:a@b.c"]}`},
		{"POST", "/v1.0/groups", "", `{"displayName":"Red","mailEnabled":false,"mailNickname":"red","securityEnabled":true,"members@odata.bind":["x/users/y"]}`},
		{"POST", "/v1.0/directoryObjects/getByIds", "$select=id", `{"ids":["` + ann + `"],"types":["user"]}`},
		{"POST", "/v1.0/users/" + ann + "/checkMemberGroups", "", `{"groupIds":["` + e3 + `"]}`},
		{"POST", "/licensor/v1/import", "id=1&line=3", `{"member":{"group":"a","member":"b"}}`},
		{"PUT", "/licensor/v1/catalog", "", `{"products":[],"servicePlans":[]}`},
		{"POST", "/licensor/v1/reprocess", "", `{"all":true}`},
		{"PATCH", "/licensor/v1/settings", "", `{"groupBundles":"independent"}`},
		{"POST", "/licensor/v1/subscriptions", "", `{"skuId":"` + e3 + `","totalLicenses":1,"nextLifecycleDateTime":"2026-06-30T00:00:00Z"}`},
		{"POST", "/v1.0/applications", "", `{"displayName":"x","web":{"redirectUris":["https://x.example"]},"appRoles":[]}`},
		{"PATCH", "/v1.0/applications(appId='" + w.app.AppID.String() + "')", "", `{"keyCredentials":[{"type":"AsymmetricX509Cert","usage":"Verify","key":"AA=="}],"tags":["x"]}`},
		{"POST", "/v1.0/applications/" + w.app.ID.String() + "/addPassword", "", `{"passwordCredential":{"endDateTime":"2027-01-31T12:00:00Z"}}`},
		{"POST", "/v1.0/applications/" + w.app.ID.String() + "/federatedIdentityCredentials", "", `{"name":"abc","issuer":"https://i.example","subject":"s","audiences":["a"]}`},
		{"GET", "/v1.0/servicePrincipals", "$filter=appId eq '" + identity.GraphAppID + "'&$top=1&$skiptoken=AAAA", ""},
		{"POST", "/v1.0/oauth2PermissionGrants", "", `{"clientId":"` + w.app.Principal.ID.String() + `","consentType":"AllPrincipals","resourceId":"` + identity.GraphPrincipalID(w.tenant.ID()).String() + `","scope":"User.Read"}`},
		{"POST", "/v1.0/roleManagement/directory/roleAssignments", "", `{"principalId":"` + ann + `","roleDefinitionId":"` + identity.LicenseAdministrator.ID.String() + `","directoryScopeId":"/"}`},
		{"PATCH", "/v1.0/users/" + ann, "", `{"passwordProfile":{"password":"Tulip-6-tree!"},"accountEnabled":false}`},
		{"PATCH", "/v1.0/organization/" + w.tenant.ID().String(), "", `{"countryLetterCode":"FR"}`},
		{"POST", "/licensor/v1/previews", "", `{"requests":[{"id":"a","method":"POST","url":"/groups","body":{"displayName":"Red","mailEnabled":false,"mailNickname":"red","securityEnabled":true}},` +
			`{"id":2,"method":"POST","url":"groups/$a/members/$ref","body":{"@odata.id":"https://x/v1.0/users/` + ann + `"}},{"id":"c","method":"PUT","url":"/catalog","body":{"products":[],"servicePlans":[]}}]}`},
		{"POST", "/licensor/v1/checks", "", `{"failOn":["lose"],"requests":[{"id":"a","method":"DELETE","url":"/users/` + ann + `","headers":{"If-Match":"*"}}]}`},
		{"POST", "/licensor/v1/swaps", "", `{"from":"ENTERPRISEPACK","to":"` + e3 + `","users":["` + ann + `"],"groups":[],"filter":"startswith(displayName,'a')","plans":["SWAY"]}`},
		{"GET", "/licensor/v1/drift", "$top=1&$count=true&days=1&$filter=kind ne 'covered' and (group eq null or startswith(department,'s'))", ""},
		{"POST", "/licensor/v1/drift/cleanups", "", `{"filter":"kind in ('covered','emptyGroup')","days":7}`},
		{"GET", "/licensor/v1/log", "$top=1&$filter=createdDateTime ge 2026-01-01T00:00:00Z and author eq 'x' and operation eq 'y' and user eq '" + ann + "' and skuId eq " + e3, ""},
		{"GET", "/licensor/v1/users/" + ann + "/history", "$top=1&$skiptoken=AAAA", ""},
	} {
		f.Add(seed.method, seed.path, seed.query, seed.body)
	}
	config := w.config()
	config.NewID, config.PasswordCost = uuid.New, cheapPasswords
	api := New(config)
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		u := &url.URL{Path: "/" + strings.TrimPrefix(path, "/"), RawQuery: query}
		request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		request.Method, request.URL = method, u
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("Content-Type", wire.JSONType)
		request.Header.Set("ConsistencyLevel", "eventual")
		if strings.HasSuffix(path, "import") {
			request.Header.Set("Content-Type", own.LinesType)
		}
		answer := httptest.NewRecorder()
		api.ServeHTTP(answer, request)
		if answer.Code >= 500 && answer.Code != http.StatusNotImplemented {
			t.Fatalf("%s %s?%s %s: %d %s\n%s", method, path, query, body, answer.Code, answer.Body, w.logged())
		}
	})
}
