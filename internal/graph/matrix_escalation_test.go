package graph

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// TestNobodyMakesThemselvesMore: callers with many permissions cannot gain others. Each of these is
// refused, alone and in a batch, and changes nothing.
func TestNobodyMakesThemselvesMore(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	admin, peer := m.addUser("boss"), m.addUser("peer")
	m.giveRole(admin, identity.GlobalAdministrator)
	m.giveRole(peer, identity.PrivilegedRoleAdministrator)
	all := lacking(everyPermission(), []string{"AppRoleAssignment.ReadWrite.All", "RoleManagement.ReadWrite.Directory", "Policy.ReadWrite.Authorization", "DelegatedPermissionGrant.ReadWrite.All"})
	writer := m.appToken(all...)
	as := func(roles ...identity.Role) string {
		return m.tokens.of(matrixCaller{permissions: everyPermission(), delegated: true, roles: roles})
	}
	app, principal := m.app.ID.String(), m.app.Principal.ID.String()
	graphID := m.graphID(t)
	roleMember := `{"@odata.id":"x/directoryObjects/` + m.self + `"}`
	assignment := `{"principalId":"` + m.self + `","roleDefinitionId":"` + identity.GlobalAdministrator.ID.String() + `","directoryScopeId":"/"}`
	permission := `{"principalId":"` + principal + `","resourceId":"` + graphID + `","appRoleId":"9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"}`
	grant := `{"clientId":"` + principal + `","consentType":"AllPrincipals","resourceId":"` + graphID + `","scope":"Directory.ReadWrite.All"}`
	trust := `{"trustedIssuers":[{"issuer":"https://evil.example","audiences":["x"],"permissionsClaim":"scp","permissions":{"x":["Directory.ReadWrite.All"]}}]}`
	const password = `{"passwordProfile":{"password":"Wrong horse 9 battery"}}`
	rolePath := "/v1.0/directoryRoles(roleTemplateId='" + identity.GlobalAdministrator.ID.String() + "')/members/$ref"
	for name, test := range map[string]struct{ token, method, path, body string }{
		"an application sets an administrator's password":       {writer, "PATCH", "/v1.0/users/" + admin, password},
		"an application disables an administrator":              {writer, "PATCH", "/v1.0/users/" + admin, `{"accountEnabled":false}`},
		"an application renames an administrator":               {writer, "PATCH", "/v1.0/users/" + admin, `{"userPrincipalName":"x@contoso.example"}`},
		"an application deletes an administrator":               {writer, "DELETE", "/v1.0/users/" + admin, ""},
		"an application ends an administrator's sessions":       {writer, "POST", "/v1.0/users/" + admin + "/revokeSignInSessions", ""},
		"an application gives a role":                           {writer, "POST", rolePath, roleMember},
		"an application assigns a role":                         {writer, "POST", "/v1.0/roleManagement/directory/roleAssignments", assignment},
		"an application gives itself a permission":              {writer, "POST", "/v1.0/servicePrincipals/" + principal + "/appRoleAssignments", permission},
		"an application gives itself one, from Graph's side":    {writer, "POST", "/v1.0/servicePrincipals/" + graphID + "/appRoleAssignedTo", permission},
		"an application consents for all":                       {writer, "POST", "/v1.0/oauth2PermissionGrants", grant},
		"an application trusts an issuer":                       {writer, "PATCH", "/licensor/v1/signIn", trust},
		"a user administrator sets an administrator's password": {as(identity.UserAdministrator), "PATCH", "/v1.0/users/" + admin, password},
		"a user administrator sets a role giver's password":     {as(identity.UserAdministrator), "PATCH", "/v1.0/users/" + peer, password},
		"a user administrator changes where a code is sent":     {as(identity.UserAdministrator), "PATCH", "/v1.0/users/" + admin, `{"mobilePhone":"+1 555 0100"}`},
		"a user administrator gives a role":                     {as(identity.UserAdministrator), "POST", rolePath, roleMember},
		"a directory writer sets anybody's password":            {as(identity.DirectoryWriters), "PATCH", "/v1.0/users/" + m.ann, password},
		"a license administrator trusts an issuer":              {as(identity.LicenseAdministrator), "PATCH", "/licensor/v1/signIn", trust},
		"a role giver trusts an issuer":                         {as(identity.PrivilegedRoleAdministrator), "PATCH", "/licensor/v1/signIn", trust},
		"a reader of everything changes itself":                 {as(identity.GlobalReader), "PATCH", "/v1.0/me", `{"jobTitle":"Boss"}`},
		"an application administrator gives a permission":       {as(identity.ApplicationAdministrator), "POST", "/v1.0/servicePrincipals/" + principal + "/appRoleAssignments", permission},
		"an application administrator assigns a role":           {as(identity.ApplicationAdministrator), "POST", "/v1.0/roleManagement/directory/roleAssignments", assignment},
		"a role giver adds a secret to an application":          {as(identity.PrivilegedRoleAdministrator), "POST", "/v1.0/applications/" + app + "/addPassword", `{"passwordCredential":{"displayName":"x"}}`},
		"an owner of a group adds an owner":                     {as(), "POST", "/v1.0/groups/" + m.owned + "/owners/$ref", roleMember},
		"an owner of a group renames it":                        {as(), "PATCH", "/v1.0/groups/" + m.owned, `{"displayName":"Mine"}`},
		"an owner of a group renames it with a new member":      {as(), "PATCH", "/v1.0/groups/" + m.owned, `{"displayName":"Mine","members@odata.bind":["x/users/` + m.ann + `"]}`},
		"an owner of a group gives it licenses":                 {as(), "POST", "/v1.0/groups/" + m.owned + "/assignLicense", `{"addLicenses":[],"removeLicenses":[]}`},
		"a member enables itself":                               {as(), "PATCH", "/v1.0/users/" + m.self, `{"accountEnabled":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			before := m.tenant.Image()
			got := m.sendAs(t, test.method, test.path, test.body, bearing(test.token))
			m.wantRefused(t, got, http.StatusForbidden, "Authorization_RequestDenied")
			if strings.HasPrefix(test.path, "/v1.0") {
				m.wantRefusedInBatch(t, test.token, test.method, strings.TrimPrefix(test.path, "/v1.0"), test.body)
			}
			if m.tenant.Image() != before {
				t.Error("the tenant has changed")
			}
		})
	}
	for _, path := range []string{"/v1.0/applications", "/v1.0/servicePrincipals"} {
		for _, appID := range []string{
			identity.GraphAppID, strings.ToUpper(identity.GraphAppID), m.app.AppID.String(),
		} {
			before := m.tenant.Image()
			got := m.sendAs(t, "POST", path, `{"displayName":"Graph","appId":"`+appID+`"}`, bearing(writer))
			if got.status/100 != 4 || m.tenant.Image() != before {
				t.Errorf("an application that is another: POST %s with appId %s: %d %s", path, appID, got.status, got.body)
			}
		}
	}
}

// TestMembersAndOwnersOfRoleAssignableGroupsAreProtected: whether the group has a role, has none
// yet, or is deleted and may come back.
func TestMembersAndOwnersOfRoleAssignableGroupsAreProtected(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	_, group := m.addGuarded("admins")
	m.giveRole(group, identity.DirectoryReaders)
	m.addGuarded("empty")
	_, deleted := m.addGuarded("deleted")
	m.made("DELETE", "/v1.0/groups/"+deleted, "")
	users := map[string]string{}
	for _, name := range []string{"admins", "empty", "deleted"} {
		for _, part := range []string{"member", "owner"} {
			users[part+" of "+name] = m.idOf("/v1.0/users/" + part + "." + name + "@contoso.example")
		}
	}
	gone, _ := m.addGuarded("gone")
	all := m.tokens.of(mighty(identity.GlobalAdministrator))
	if got := m.sendAs(t, "DELETE", "/v1.0/users/"+gone, "", bearing(all)); got.status != http.StatusNoContent {
		t.Fatalf("%d %s", got.status, got.body)
	}

	userAdministrator := m.tokens.of(mighty(identity.UserAdministrator))
	groupsAdministrator := m.tokens.of(mighty(identity.GroupsAdministrator))
	writer := m.appToken(lacking(everyPermission(), []string{"RoleManagement.ReadWrite.Directory"})...)
	refused := func(token, method, path, body string) {
		t.Helper()
		before := m.tenant.Image()
		m.wantRefused(t, m.sendAs(t, method, path, body, bearing(token)), http.StatusForbidden, "Authorization_RequestDenied")
		if m.tenant.Image() != before {
			t.Errorf("%s %s has changed the tenant", method, path)
		}
	}
	for _, token := range []string{userAdministrator, writer} {
		for name, id := range users {
			t.Log(name)
			refused(token, "PATCH", "/v1.0/users/"+id, `{"passwordProfile":{"password":"Wrong horse 9 battery"}}`)
			refused(token, "PATCH", "/v1.0/users/"+id, `{"accountEnabled":false}`)
			refused(token, "PATCH", "/v1.0/users/"+id, `{"mobilePhone":"+1 555 0100"}`)
			refused(token, "PATCH", "/v1.0/users/"+id, `{"userPrincipalName":"other@contoso.example"}`)
			refused(token, "DELETE", "/v1.0/users/"+id, "")
			refused(token, "POST", "/v1.0/users/"+id+"/revokeSignInSessions", "")
			refused(token, "POST", "/beta/users/"+id+"/invalidateAllRefreshTokens", "")
		}
		refused(token, "POST", "/v1.0/directory/deletedItems/"+gone+"/restore", "")
		refused(token, "DELETE", "/v1.0/directory/deletedItems/"+gone, "")
	}
	for _, token := range []string{userAdministrator, groupsAdministrator, writer} {
		refused(token, "POST", "/v1.0/directory/deletedItems/"+deleted+"/restore", "")
		refused(token, "DELETE", "/v1.0/directory/deletedItems/"+deleted, "")
	}
	may := m.tokens.of(matrixCaller{permissions: everyPermission(), delegated: true, roles: []identity.Role{
		identity.GroupsAdministrator, identity.PrivilegedRoleAdministrator,
	}})
	if got := m.sendAs(t, "POST", "/v1.0/directory/deletedItems/"+deleted+"/restore", "", bearing(may)); got.status != http.StatusOK {
		t.Errorf("restoring by a caller that may give roles: %d %s", got.status, got.body)
	}
}

// mighty is a caller with every permission and one role.
func mighty(role identity.Role) matrixCaller {
	return matrixCaller{permissions: everyPermission(), delegated: true, roles: []identity.Role{role}}
}

// addGuarded adds a group that roles can be given to, with a member and an owner.
func (m *matrix) addGuarded(name string) (member, group string) {
	m.t.Helper()
	member, owner := m.addUser("member."+name), m.addUser("owner."+name)
	group = m.made("POST", "/v1.0/groups", fmt.Sprintf(
		`{"displayName":"%[1]s","mailNickname":"%[1]s","mailEnabled":true,"securityEnabled":true,"groupTypes":["Unified"],"isAssignableToRole":true,`+
			`"members@odata.bind":["x/users/%[2]s"],"owners@odata.bind":["x/users/%[3]s"]}`, name, member, owner))
	return member, group
}

// idOf returns the id of the object at an address.
func (m *matrix) idOf(path string) string { return m.made("GET", path, "") }

// TestWhoWasRefusedIsLogged: with what is needed to find out who tries what, and without names of
// people.
func TestWhoWasRefusedIsLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var log bytes.Buffer
	w.server = newServer(t, New(Config{
		Authority: w.authority, Tenant: w.tenants.Tenant, Now: w.now, NewID: numbered(),
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	}))
	got := w.do("PATCH", "/v1.0/users/ann@contoso.example", w.appToken("User.Read.All"), `{"jobTitle":"Boss"}`)
	line := log.String()
	for _, part := range []string{
		"level=INFO", "request-id=" + got.header.Get("request-id"), "tenant=" + w.tenant.ID().String(), w.app.AppID.String(), string(identity.WriteUsers),
	} {
		if !strings.Contains(line, part) {
			t.Errorf("the log has no %s: %s", part, line)
		}
	}
	if strings.Contains(line, "ann") || strings.Contains(line, "Boss") || strings.Count(line, "\n") != 1 {
		t.Errorf("the log says more: %s", line)
	}
}

func bearing(token string) http.Header {
	return http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {wire.JSONType}}
}

func (m *matrix) giveRole(user string, role identity.Role) {
	m.t.Helper()
	_, err := m.tenant.Do(m.t.Context(), "system", tenant.SetRole{Role: role.ID, Principal: uuid.MustParse(user)})
	m.must(err)
}

func (m *matrix) wantRefusedInBatch(t *testing.T, token, method, path, body string) {
	t.Helper()
	content := ""
	if body != "" {
		content = `,"headers":{"Content-Type":"application/json"},"body":` + body
	}
	got := m.sendAs(t, "POST", "/v1.0/$batch", fmt.Sprintf(`{"requests":[{"id":"1","method":%q,"url":%q%s}]}`, method, path, content), bearing(token))
	if got.status != http.StatusOK || !strings.Contains(got.body, `"status":403`) {
		t.Errorf("in a batch: %d %s", got.status, got.body)
	}
}
