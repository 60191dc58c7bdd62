package graph

import (
	"reflect"
	"strings"
	"testing"

	"licensor/internal/graph/route"
	"licensor/internal/identity"
)

func TestPathsLeadToOperations(t *testing.T) {
	t.Parallel()
	routes := newRoutes(furtherOperations)
	for _, c := range []struct {
		method, path, want string
		keys               []string
	}{
		{"GET", "/v1.0/users", "/users", nil},
		{"GET", "/beta/USERS/", "/users", nil},
		{"GET", "/v1.0/users/$count", "/users/$count", nil},
		{"GET", "/v1.0/users/a@b.c", "/users/{user}", []string{"a@b.c"}},
		{"GET", "/v1.0/users/a%23ext%23@b.c", "/users/{user}", []string{"a#ext#@b.c"}},
		{"GET", "/v1.0/users/a%2Fb", "/users/{user}", []string{"a/b"}},
		{"GET", "/v1.0/users('a@b.c')", "/users/{user}", []string{"a@b.c"}},
		{"GET", "/v1.0/users('o''hara@b.c')", "/users/{user}", []string{"o'hara@b.c"}},
		{"GET", "/v1.0/users(%27o%27%27hara@b.c%27)", "/users/{user}", []string{"o'hara@b.c"}},
		{"GET", "/v1.0/users/o'hara@b.c", "/users/{user}", []string{"o'hara@b.c"}},
		{"POST", "/v1.0/users/x/assignLicense", "/users/{user}/assignLicense()", []string{"x"}},
		{"POST", "/v1.0/users/x/assignlicense()", "/users/{user}/assignLicense()", []string{"x"}},
		{"POST", "/v1.0/users/x/microsoft.graph.assignLicense", "/users/{user}/assignLicense()", []string{"x"}},
		{"POST", "/v1.0/users('x')/Microsoft.Graph.assignLicense()", "/users/{user}/assignLicense()", []string{"x"}},
		{"POST", "/v1.0/me/reprocessLicenseAssignment", "/users/{user}/reprocessLicenseAssignment()", nil},
		{"GET", "/v1.0/me", "/users/{user}", nil},
		{"DELETE", "/v1.0/groups/g/members/m/$ref", "/groups/{group}/members/{member}/$ref", []string{"g", "m"}},
		{"DELETE", "/v1.0/groups('g')/members('m')/$ref", "/groups/{group}/members/{member}/$ref", []string{"g", "m"}},
		{"GET", "/v1.0/directory/deletedItems/microsoft.graph.user", "/directory/deletedItems/microsoft.graph.user", nil},
		{"GET", "/v1.0/directory/deletedItems/graph.user", "/directory/deletedItems/microsoft.graph.user", nil},
		{"GET", "/v1.0/groups/g/members/Graph.User/$count", "/groups/{group}/members/microsoft.graph.{type}/$count", []string{"g", "user"}},
		{"POST", "/v1.0/users/x/graph.assignLicense", "/users/{user}/assignLicense()", []string{"x"}},
		{"POST", "/v1.0/directory/deletedItems/x/restore", "/directory/deletedItems/{object}/restore()", []string{"x"}},
		{"GET", "/v1.0/users/delta()", "/users/delta()", nil},
		{"GET", "/v1.0/applications", "/applications", nil},
		{"POST", "/v1.0/applications", "/applications", nil},
		{"GET", "/v1.0/applications(appId='x')", "/applications(appId='{application}')", []string{"x"}},
		{"GET", "/v1.0/Applications(appid=%27x%27)", "/applications(appId='{application}')", []string{"x"}},
		{"GET", "/v1.0/applications('x')", "/applications/{application}", []string{"x"}},
		{"GET", "/v1.0/directory/subscriptions(commerceSubscriptionId='x')", "/directory/subscriptions(commerceSubscriptionId='{subscription}')", []string{"x"}},
		{"GET", "/licensor/v1/settings", "/licensor/v1/settings", nil},
	} {
		path, _ := route.Segments(c.path)
		m, lost, ok := routes.Find(path)
		if !ok {
			t.Errorf("%s: lost at %q", c.path, lost)
			continue
		}
		op := m.Place.Operations[c.method]
		if op == nil || op.Path != c.want || !reflect.DeepEqual(m.Keys, c.keys) {
			t.Errorf("%s %s leads to %+v with %q, want %s with %q", c.method, c.path, op, m.Keys, c.want, c.keys)
		}
	}
}

func TestPathsThatLeadNowhereNameTheSegment(t *testing.T) {
	t.Parallel()
	routes := newRoutes(furtherOperations)
	for path, want := range map[string]string{
		"/":                                  "",
		"/v2.0/users":                        "v2.0",
		"/v1.0/nothing":                      "nothing",
		"/v1.0/users/x/nothing":              "nothing",
		"/v1.0/users//memberOf":              "",
		"/v1.0/users(x)":                     "users(x)",
		"/v1.0/users('o'hara')":              "users('o'hara')",
		"/v1.0/users(appId='x')":             "users(appId='x')",
		"/v1.0/users/x/y":                    "y",
		"/v1.0/users/x/manager/nothing":      "nothing",
		"/v1.0/admin/nothing":                "nothing",
		"/licensor/v1/users/x/memberOf":      "memberOf",
		"/v1.0/applications(appId=x)":        "applications(appId=x)",
		"/v1.0/users()":                      "users()",
		"/v1.0/microsoft.graph.users":        "microsoft.graph.users",
		"/v1.0/graph.users":                  "graph.users",
		"/v1.0/users/x/assignLicense(a=1)":   "assignLicense(a=1)",
		"/v1.0/users/x/assignLicense/again":  "again",
		"/v1.0/subscribedSkus/a/b":           "b",
		"/licensor/v1/users":                 "users",
		"/licensor/v2/settings":              "v2",
		"/v1.0/licensor/v1/settings":         "licensor",
		"/v1.0/users/microsoft.graph.guest":  "microsoft.graph.guest",
		"/v1.0/groups/x/owners/graph.teapot": "graph.teapot",
	} {
		parts, _ := route.Segments(path)
		if m, lost, ok := routes.Find(parts); ok || m.Unserved || lost != want {
			t.Errorf("%s: ok %v, lost at %q (%v), want %q", path, ok, lost, m, want)
		}
	}
}

func TestWhatGraphHasIsKnown(t *testing.T) {
	t.Parallel()
	routes := newRoutes(furtherOperations)
	for _, path := range []string{
		"/v1.0/contracts", "/v1.0/contracts/x", "/beta/invitations", "/v1.0/reports/getOffice365ActiveUserDetail(period='D30')",
		"/v1.0/reports/microsoft.graph.getOffice365ActiveUserDetail(period='D30')", "/v1.0/reports/getOffice365ActiveUserDetail",
		"/v1.0/users/x/authentication/methods/y/z", "/v1.0/me/mailFolders/inbox/messages", "/v1.0/users/x/microsoft.graph.sendMail",
		"/v1.0/users/getByIds", "/v1.0/users/microsoft.graph.getByIds", "/v1.0/users/x/restore", "/v1.0/groups/x/renew",
		"/beta/users/validatePassword",
		"/v1.0/groups/x/members/delta", "/v1.0/groups/x/members/delta()", "/v1.0/directory/deletedItems/x/owners",
		"/v1.0/directory/deletedItems/microsoft.graph.device", "/v1.0/directory/deletedItems/$count",
		"/v1.0/users/x/manager/manager", "/v1.0/users/x/manager/displayName/$value", "/v1.0/users/x/registeredDevices/graph.device",
		"/v1.0/devices(deviceId='x')/memberOf", "/v1.0/policies/authorizationPolicy",
		"/v1.0/identity/conditionalAccess/policies/x/y/z", "/v1.0/subscribedSkus/$count", "/v1.0/directoryRoles/roleTemplateId=x/scopedMembers",
	} {
		parts, _ := route.Segments(path)
		if m, lost, ok := routes.Find(parts); ok || !m.Unserved {
			t.Errorf("%s: ok %v, lost at %q, known %v", path, ok, lost, m.Unserved)
		}
	}
}

func TestMeCannotBeDeleted(t *testing.T) {
	t.Parallel()
	m, _, _ := newRoutes(furtherOperations).Find([]string{"v1.0", "me"})
	if got := m.Place.Methods(); got != "GET, PATCH" || !m.Me {
		t.Errorf("/me answers %s, me is %v", got, m.Me)
	}
}

func TestEveryOperationHasItsNeed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, op := range everyOperation {
		name := op.Method + " " + op.Path
		if seen[name] {
			t.Errorf("duplicate %s", name)
		}
		seen[name] = true
		if _, ok := identity.Needs[op.Need]; op.Do != nil && !op.Anyone && !op.Open && !ok {
			t.Errorf("%s needs %q, which the table of needs does not have", name, op.Need)
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, op := range everyOperation {
		f.Add("/v1.0" + op.Path)
	}
	f.Add("/v1.0/users('%27')(')/%zz")
	routes := newRoutes(furtherOperations)
	f.Fuzz(func(t *testing.T, path string) {
		parts, ok := route.Segments(path)
		if !ok {
			return
		}
		m, lost, ok := routes.Find(parts)
		if ok && (m.Unserved || len(m.Place.Operations) == 0) {
			t.Fatalf("%q: found %v at %v", path, ok, m)
		}
		if !ok && !strings.Contains(strings.Join(parts, "/"), lost) {
			t.Fatalf("%q: lost at %q", path, lost)
		}
	})
}
