package graph

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"licensor/internal/graph/edm"
	"licensor/internal/graph/licenses"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
)

// TestEveryPropertyCanBeSelectedAndHasAnAddress asks for every property of metadata.xml, and those
// that only beta has, in both versions: by $select, by its address, and as text. All must say the
// same (P22, P27).
func TestEveryPropertyCanBeSelectedAndHasAnAddress(t *testing.T) {
	t.Parallel()
	c := readContract(t)
	w, token, objects := withOneOfEach(t)
	for place, of := range objects {
		names := of.EveryName()
		for _, base := range c.bases(of.Name()) {
			for _, p := range base.Properties {
				if !slices.Contains(names, p.Name) {
					t.Errorf("%s lacks %s", of.Name(), p.Name)
				}
			}
		}
		for _, version := range []string{"/v1.0", "/beta"} {
			for _, name := range names {
				if edm.PropertyType(of.Name(), name) == "Edm.Stream!" {
					w.readStream(t, token, version+place, name)
				} else {
					w.readProperty(t, token, version+place, name)
				}
			}
		}
	}
}

// readStream selects a stream, alone and with others, of which nothing is shown, and reads it by
// its address.
func (w *world) readStream(t *testing.T, token, object, name string) {
	t.Helper()
	for query, shown := range map[string]int{"?$select=" + name: 1, "?$select=id," + name: 2} { // with the context
		got := w.send(http.MethodGet, object+query, token, "")
		var selected map[string]any
		if json.Unmarshal([]byte(got.body), &selected) != nil || got.status != http.StatusOK || len(selected) != shown {
			t.Errorf("%s%s: %d %s", object, query, got.status, got.body)
		}
	}
	if got := w.send(http.MethodGet, object+"/"+name, token, ""); got.status != http.StatusNotImplemented {
		t.Errorf("%s/%s: %d %s", object, name, got.status, got.body)
	}
}

// readProperty reads a property of an object in every way.
func (w *world) readProperty(t *testing.T, token, object, name string) {
	t.Helper()
	got := w.send(http.MethodGet, object+"?$select="+name, token, "")
	var selected map[string]any
	if json.Unmarshal([]byte(got.body), &selected) != nil || got.status != http.StatusOK {
		t.Errorf("%s?$select=%s: %d %s", object, name, got.status, got.body)
		return
	}
	want, ok := selected[name]
	if !ok || len(selected) != 2 {
		t.Errorf("%s?$select=%s shows %v", object, name, selected)
	}
	if slices.Contains(route.Elsewhere, name) {
		return
	}
	address := object + "/" + name
	var read map[string]any
	got = w.do(http.MethodGet, address, token, "")
	switch {
	case want == nil:
		if got.status != http.StatusNoContent || got.body != "" {
			t.Errorf("%s, which is null: %d %s", address, got.status, got.body)
		}
		return
	case got.status != http.StatusOK || json.Unmarshal([]byte(got.body), &read) != nil:
		t.Errorf("%s: %d %s", address, got.status, got.body)
		return
	}
	delete(read, "@odata.context")
	inner, isObject := want.(map[string]any)
	switch {
	case isObject && !reflect.DeepEqual(read, inner), !isObject && !reflect.DeepEqual(read, map[string]any{"value": want}):
		t.Errorf("%s is %v, and selected %v", address, read, want)
	}
	text := w.send(http.MethodGet, address+"/$value", token, "")
	_, isList := want.([]any)
	switch plain, isText := want.(string); {
	case isObject || isList:
		if text.status != http.StatusNotFound && text.status != http.StatusNotImplemented {
			t.Errorf("%s/$value: %d", address, text.status)
		}
	case text.status != http.StatusOK || isText && text.body != plain || text.header.Get("Content-Type") != "text/plain":
		t.Errorf("%s/$value is %q, want %q", address, text.body, want)
	}
}

// withOneOfEach is a world with an object of each type whose properties have addresses, by where
// they are.
func withOneOfEach(t *testing.T) (w *world, token string, objects map[string]wire.Typed) {
	w, ann := withAnn(t)
	token = w.appToken(allPermissions...)
	w.imports(`{"subscription":{"skuId":"` + e3 + `","totalLicenses":5}}`)
	made := func(set, body string) string {
		var object struct{ ID string }
		got := w.do(http.MethodPost, "/v1.0/"+set, token, body)
		if json.Unmarshal([]byte(got.body), &object) != nil || got.status != http.StatusCreated {
			t.Fatalf("POST %s: %d %s", set, got.status, got.body)
		}
		return set + "/" + object.ID
	}
	first := func(set string) string {
		var list struct{ Value []struct{ ID string } }
		got := w.do(http.MethodGet, "/v1.0/"+set, token, "")
		if json.Unmarshal([]byte(got.body), &list) != nil || len(list.Value) == 0 {
			t.Fatalf("GET %s: %d %s", set, got.status, got.body)
		}
		return set + "/" + list.Value[0].ID
	}
	w.do(http.MethodPost, "/v1.0/users/"+ann+"/assignLicense", token, `{"addLicenses":[{"skuId":"`+e3+`"}],"removeLicenses":[]}`).want(t, http.StatusOK)
	unit := made("administrativeUnits", `{"displayName":"Oslo","description":"d","visibility":"Public","membershipType":"Assigned"}`)
	app := made("applications", `{"displayName":"App"}`)
	var registered struct{ AppID string }
	w.must(json.Unmarshal([]byte(w.do(http.MethodGet, "/v1.0/"+app, token, "").body), &registered))
	principal := made("servicePrincipals", `{"appId":"`+registered.AppID+`"}`)
	principalID := strings.TrimPrefix(principal, "servicePrincipals/")
	resource := identity.GraphPrincipalID(w.tenant.ID()).String()
	permission, _ := identity.ApplicationPermission("User.Read.All")
	assigned := made(principal+"/appRoleAssignments", `{"principalId":"`+principalID+`","resourceId":"`+resource+
		`","appRoleId":"`+permission.ID.String()+`"}`)
	return w, token, map[string]wire.Typed{
		"/users/" + ann: userFields,
		"/" + made("groups", `{"displayName":"Red","mailEnabled":false,"mailNickname":"red","securityEnabled":true}`): groupFields,
		"/" + unit: unitFields, "/directory/" + unit: unitFields,
		"/" + app:       applicationFields,
		"/" + principal: principalFields,
		"/applications(appId='" + registered.AppID + "')":      applicationFields,
		"/servicePrincipals(appId='" + registered.AppID + "')": principalFields,
		"/" + made(app+"/federatedIdentityCredentials", `{"name":"one","issuer":"https://issuer.example","subject":"s","audiences":["api://x"]}`): federatedFields,
		"/" + assigned: roleAssignmentFields,
		"/" + made("oauth2PermissionGrants", `{"clientId":"`+principalID+`","consentType":"AllPrincipals","resourceId":"`+resource+`","scope":"User.Read"}`):                         grantFields,
		"/" + made("roleManagement/directory/roleAssignments", `{"principalId":"`+ann+`","roleDefinitionId":"`+identity.GlobalAdministrator.ID.String()+`","directoryScopeId":"/"}`): heldFields,
		"/" + first("users/"+ann+"/licenseDetails"):             licenses.DetailFields,
		"/" + first("organization"):                             organizationFields,
		"/" + first("domains"):                                  domainFields,
		"/" + first("subscribedSkus"):                           licenses.SKUFields,
		"/" + first("directory/subscriptions"):                  licenses.SubscriptionFields,
		"/" + first("directoryRoles"):                           roleFields,
		"/" + first("directoryRoleTemplates"):                   templateFields,
		"/" + first("roleManagement/directory/roleDefinitions"): definitionFields,
	}
}
