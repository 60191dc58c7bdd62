package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/engine"
	"licensor/internal/graph/own"
	"licensor/internal/graph/wire"
	"licensor/internal/tenant"
)

// contenders is how many requests want the same value at once.
const contenders = 16

// contest is about a value that only one object can have: the requests, what the winner is
// answered, and what the others are told.
type contest struct {
	method     string
	path, body func(i int) string
	won        func(answer) bool
	told       string
}

func served(status int) func(answer) bool {
	return func(got answer) bool { return got.status == status }
}

func imported(got answer) bool {
	return got.status == http.StatusOK && strings.Contains(got.body, `"refused":0`)
}

// each is a text for each contender, with its own id in it.
func each(format string, ids []string) func(int) string {
	return func(i int) string { return fmt.Sprintf(format, ids[i]) }
}

// hold sends the requests of a contest at once, and checks that one of them has won.
func (w *world) hold(t *testing.T, c contest, token func(i int) string) {
	t.Helper()
	answers, start := make([]answer, contenders), make(chan struct{})
	var group sync.WaitGroup
	for i := range contenders {
		header := http.Header{"Authorization": {"Bearer " + token(i)}, "Content-Type": {wire.JSONType}}
		if strings.HasSuffix(c.path(i), "/import") {
			header.Set("Content-Type", own.LinesType)
		}
		group.Go(func() {
			<-start
			answers[i] = w.sendAs(t, c.method, c.path(i), c.body(i), header)
		})
	}
	close(start)
	group.Wait()
	winners := 0
	for _, got := range answers {
		switch {
		case c.won(got):
			winners++
		case !strings.Contains(got.body, c.told):
			t.Errorf("one is told %d %s, want %q", got.status, got.body, c.told)
		}
	}
	if winners != 1 {
		t.Errorf("%d have won, want 1; the first was answered %d %s", winners, answers[0].status, answers[0].body)
	}
}

// times makes an object for each contender, and returns their ids.
func (w *world) times(path string, body func(i int) string) []string {
	ids := make([]string, contenders)
	for i := range ids {
		ids[i] = w.create(path, body(i))
	}
	return ids
}

// people are users with the names u0, u1 and so on.
func (w *world) people() []string {
	return w.times("/v1.0/users", func(i int) string { return person(fmt.Sprintf("u%d", i), w.domain(), "x") })
}

// buried makes an object for each contender, and deletes each before the next is made.
func (w *world) buried(path, body string) []string {
	ids := make([]string, contenders)
	for i := range ids {
		ids[i] = w.create(path, body)
		if got := w.do("DELETE", path+"/"+ids[i], w.appToken(everyPermission()...), ""); got.status != http.StatusNoContent {
			w.t.Fatal(got.body)
		}
	}
	return ids
}

const restoring = "/v1.0/directory/deletedItems/%s/restore"

// contests has every uniqueness within a tenant. See TestTheLastSeatGoesToOne for seats and
// TestAClaimIsOneTenants for what is unique among tenants.
var contests = map[string]func(w *world) contest{
	"identifierUris of a new application": func(*world) contest {
		spelled := func(i int) string { // letter case makes no other URI
			return fmt.Sprintf(`{"displayName":"A","identifierUris":[%q]}`, [...]string{"api://same", "API://Same"}[i%2])
		}
		return contest{"POST", always("/v1.0/applications"), spelled, served(http.StatusCreated), takenText("identifierUris")}
	},
	"identifierUris of an application": func(w *world) contest {
		ids := w.times("/v1.0/applications", always(`{"displayName":"A"}`))
		return contest{"PATCH", each("/v1.0/applications/%s", ids), always(`{"identifierUris":["api://same"]}`), served(http.StatusNoContent), takenText("identifierUris")}
	},
	"identifierUris of a restored application": func(w *world) contest {
		ids := w.buried("/v1.0/applications", `{"displayName":"A","identifierUris":["api://same"]}`)
		return contest{"POST", each(restoring, ids), always(""), served(http.StatusOK), takenText("identifierUris")}
	},
	"userPrincipalName of a new user": func(w *world) contest {
		body := func(i int) string { return person("same", w.domain(), fmt.Sprint(i)) }
		return contest{
			"POST", always("/v1.0/users"), body, served(http.StatusCreated), takenText("userPrincipalName"),
		}
	},
	"userPrincipalName of a user": func(w *world) contest {
		return contest{"PATCH", each("/v1.0/users/%s", w.people()), always(`{"userPrincipalName":"same@contoso.example"}`), served(http.StatusNoContent), takenText("userPrincipalName")}
	},
	"userPrincipalName of a restored user": func(w *world) contest {
		ids := w.buried("/v1.0/users", person("same", w.domain(), "x"))
		return contest{"POST", each(restoring, ids), always(""), served(http.StatusOK), takenText("userPrincipalName")}
	},
	"userPrincipalName of an imported user": func(w *world) contest {
		return contest{"POST", always("/licensor/v1/import"), always(`{"user":` + person("same", w.domain(), "x") + `}`), imported, takenText("userPrincipalName")}
	},
	"id of an imported object": func(w *world) contest {
		const id = "abcdef01-0000-4000-8000-000000000001"
		return contest{"POST", always("/licensor/v1/import"), func(i int) string {
			if i%2 == 0 {
				return `{"user":{"id":"` + id + `",` + person(fmt.Sprintf("u%d", i), w.domain(), "x")[1:] + `}`
			}
			return `{"group":{"id":"` + id + `","displayName":"G","mailNickname":"g","mailEnabled":false,"securityEnabled":true}}`
		}, imported, takenText("id")}
	},
	"service principal of an application": func(w *world) contest {
		appID := w.appIDOf(w.create("/v1.0/applications", `{"displayName":"A"}`))
		return contest{"POST", always("/v1.0/servicePrincipals"), always(`{"appId":"` + appID + `"}`), served(http.StatusCreated), "already in use"}
	},
	"service principal of another tenant's application": func(*world) contest {
		const azureCLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
		return contest{"POST", always("/v1.0/servicePrincipals"), always(`{"appId":"` + azureCLI + `"}`), served(http.StatusCreated), "already in use"}
	},
	"restored service principal of an application": func(w *world) contest {
		appID := w.appIDOf(w.create("/v1.0/applications", `{"displayName":"A"}`))
		ids := w.buried("/v1.0/servicePrincipals", `{"appId":"`+appID+`"}`)
		return contest{"POST", each(restoring, ids), always(""), served(http.StatusOK), takenText("servicePrincipalNames")}
	},
	"name of a federated credential": func(w *world) contest {
		id := w.create("/v1.0/applications", `{"displayName":"A"}`)
		return contest{"POST", always("/v1.0/applications/" + id + "/federatedIdentityCredentials"), func(i int) string {
			return fmt.Sprintf(`{"name":"build","issuer":"https://issuer.example","subject":"%d","audiences":["api://AzureADTokenExchange"]}`, i)
		}, served(http.StatusCreated), "FederatedIdentityCredential with name build already exists."}
	},
	"issuer and subject of a federated credential": func(w *world) contest {
		id := w.create("/v1.0/applications", `{"displayName":"A"}`)
		return contest{"POST", always("/v1.0/applications/" + id + "/federatedIdentityCredentials"), func(i int) string {
			return fmt.Sprintf(`{"name":"build%d","issuer":"https://issuer.example","subject":"s","audiences":["api://AzureADTokenExchange"]}`, i)
		}, served(http.StatusCreated), "Issuer and subject combination already exists"}
	},
	"keyId of an added key": func(w *world) contest {
		t := w.t.(*testing.T)
		id, certificate := w.create("/v1.0/applications", `{"displayName":"A"}`), proving(t, w.now(), "")
		key := `"type":"AsymmetricX509Cert","usage":"Verify","key":"` + certificate + `"`
		if got := w.do("PATCH", "/v1.0/applications/"+id, w.appToken(everyPermission()...), `{"keyCredentials":[{`+key+`}]}`); got.status != http.StatusNoContent {
			t.Fatal(got.body)
		}
		return contest{
			"POST", always("/v1.0/applications/" + id + "/addKey"),
			always(`{"keyCredential":{` + key + `,"keyId":"abcdef01-0000-4000-8000-000000000001"},"passwordCredential":null,"proof":"` + proving(t, w.now(), id) + `"}`),
			served(http.StatusOK), "keyCredential.keyId",
		}
	},
	"permission of an application": func(w *world) contest {
		client := w.principal("A")
		const userReadAll = "df021288-bdef-4463-88db-98f22de89214"
		return contest{
			"POST", always("/v1.0/servicePrincipals/" + client + "/appRoleAssignments"),
			always(`{"principalId":"` + client + `","resourceId":"` + w.graphID(w.t.(*testing.T)) +
				`","appRoleId":"` + userReadAll + `"}`),
			served(http.StatusCreated), "already exists on the object",
		}
	},
	"app role of a user": func(w *world) contest {
		resource, user := w.principal("A"), w.create("/v1.0/users", person("ann", w.domain(), "x"))
		return contest{
			"POST", always("/v1.0/users/" + user + "/appRoleAssignments"),
			always(`{"principalId":"` + user + `","resourceId":"` + resource + `","appRoleId":"` + uuid.Nil.String() + `"}`), served(http.StatusCreated), "already exists on the object",
		}
	},
	"permission for all users": func(w *world) contest {
		return contest{
			"POST", always("/v1.0/oauth2PermissionGrants"),
			always(`{"clientId":"` + w.principal("A") + `","consentType":"AllPrincipals","resourceId":"` + w.graphID(w.t.(*testing.T)) + `","scope":"User.Read"}`), served(http.StatusCreated), "Permission entry already exists.",
		}
	},
	"permission for a user": func(w *world) contest {
		user := w.create("/v1.0/users", person("ann", w.domain(), "x"))
		return contest{
			"POST", always("/v1.0/oauth2PermissionGrants"),
			always(`{"clientId":"` + w.principal("A") + `","consentType":"Principal","principalId":"` + user + `","resourceId":"` + w.graphID(w.t.(*testing.T)) + `","scope":"User.Read"}`),
			served(http.StatusCreated), "Permission entry already exists.",
		}
	},
	"role assignment": func(w *world) contest {
		user := w.create("/v1.0/users", person("ann", w.domain(), "x"))
		const reader = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
		return contest{
			"POST", always("/v1.0/roleManagement/directory/roleAssignments"),
			always(`{"principalId":"` + user + `","roleDefinitionId":"` + reader + `","directoryScopeId":"/"}`), served(http.StatusCreated), "A conflicting object",
		}
	},
	"member of a role": func(w *world) contest {
		user := w.create("/v1.0/users", person("ann", w.domain(), "x"))
		return contest{
			"POST", always("/v1.0/directoryRoles(roleTemplateId='f2ef992c-3afb-46b9-b7cf-a126ee74c451')/members/$ref"),
			always(`{"@odata.id":"x/users/` + user + `"}`), served(http.StatusNoContent), "already exist",
		}
	},
	"member of an administrative unit": func(w *world) contest {
		user := w.create("/v1.0/users", person("ann", w.domain(), "x"))
		return contest{
			"POST", always("/v1.0/directory/administrativeUnits/" + w.create("/v1.0/directory/administrativeUnits", `{"displayName":"U"}`) + "/members/$ref"),
			always(`{"@odata.id":"x/users/` + user + `"}`), served(http.StatusNoContent), "already exist",
		}
	},
	"owner of an application": func(w *world) contest {
		user := w.create("/v1.0/users", person("ann", w.domain(), "x"))
		return contest{
			"POST", always("/v1.0/applications/" + w.create("/v1.0/applications", `{"displayName":"A"}`) + "/owners/$ref"),
			always(`{"@odata.id":"x/users/` + user + `"}`), served(http.StatusNoContent), "already exist",
		}
	},
	"sponsor of a user": func(w *world) contest {
		ids := w.people()
		return contest{
			"POST", always("/v1.0/users/" + ids[0] + "/sponsors/$ref"),
			always(`{"@odata.id":"x/users/` + ids[1] + `"}`), served(http.StatusNoContent), "already exist",
		}
	},
}

func takenText(property string) string {
	return "Another object with the same value for property " + property + " already exists."
}

// principal makes an application with a service principal, and returns the id of that.
func (w *world) principal(name string) string {
	return w.create("/v1.0/servicePrincipals", `{"appId":"`+w.appIDOf(w.create("/v1.0/applications", `{"displayName":"`+name+`"}`))+`"}`)
}

// Of 16 requests that want a unique value at once, one gets it, and the others are told so.
func TestAValueIsOneObjects(t *testing.T) {
	t.Parallel()
	for name, begin := range contests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.serveQuickly(nil)
			c, token := begin(w), w.appToken(everyPermission()...)
			w.hold(t, c, always(token))
		})
	}
}

// Of 16 tenants that trust an issuer for the same audience at once, one does.
func TestAClaimIsOneTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serveQuickly(nil)
	tokens, tenants := make([]string, contenders), make([]*engine.Tenant, contenders)
	for i := range tokens {
		org := contoso()
		org.VerifiedDomains[0].Name = fmt.Sprintf("tenant%d.example", i)
		other, err := w.tenants.Create(t.Context(), uuid.New(), org, catalog.BuiltIn())
		w.must(err)
		tenants[i] = other
		app := newClient("Test")
		_, err = other.Do(t.Context(), "system", tenant.SetClient{Client: app})
		w.must(err)
		tokens[i] = (&world{t: t, authority: w.authority, tenant: other, app: app}).appToken("Policy.ReadWrite.Authorization")
	}
	const trust = `{"trustedIssuers":[{"issuer":"https://issuer.example","audiences":["own%d","same"],"permissionsClaim":"roles","permissions":{}}]}`
	w.hold(t, contest{
		"PATCH", always("/licensor/v1/signIn"), func(i int) string { return fmt.Sprintf(trust, i) }, served(http.StatusNoContent), "trustedIssuers.audiences",
	}, func(i int) string { return tokens[i] })

	// What the winner gives up, another can have; and a tenant keeps what it has.
	won := func(t *engine.Tenant) bool { return len(t.Image().SignIn.TrustedIssuers) > 0 }
	winner := slices.IndexFunc(tenants, won)
	for i, change := range []struct{ token, body string }{
		{tokens[winner], fmt.Sprintf(trust, winner)},
		{tokens[winner], `{"trustedIssuers":[]}`},
		{tokens[(winner+1)%contenders], fmt.Sprintf(trust, winner)},
	} {
		if got := w.do("PATCH", "/licensor/v1/signIn", change.token, change.body); got.status != http.StatusNoContent {
			t.Errorf("change %d: %d %s", i, got.status, got.body)
		}
	}
}

// Subscriptions that are made at once have ids of their own.
func TestSubscriptionsMadeAtOnceHaveTheirOwnIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serveQuickly(nil)
	w.atOnce(t, "POST", always("/licensor/v1/subscriptions"), always(`{"skuId":"`+e3+`","totalLicenses":1}`))
	var ids []uuid.UUID
	for _, s := range w.tenant.Image().Subscriptions {
		ids = append(ids, s.ID, s.CommerceSubscriptionID)
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	if n := len(slices.Compact(ids)); n != 2*rivals {
		t.Errorf("%d ids, want %d", n, 2*rivals)
	}
}

// A list within an application has each id, and each value, once.
func TestPermissionsOfAnApplicationAreDistinct(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const role = `{"id":"%s","value":"%s","displayName":"R","description":"R","allowedMemberTypes":["User"]}`
	one, other := uuid.NewString(), uuid.NewString()
	for name, test := range map[string]struct {
		roles  [2]string
		status int
	}{
		"distinct":   {[2]string{fmt.Sprintf(role, one, "a"), fmt.Sprintf(role, other, "b")}, http.StatusCreated},
		"same id":    {[2]string{fmt.Sprintf(role, one, "a"), fmt.Sprintf(role, one, "b")}, http.StatusBadRequest},
		"same value": {[2]string{fmt.Sprintf(role, one, "a"), fmt.Sprintf(role, other, "a")}, http.StatusBadRequest},
		"no value":   {[2]string{fmt.Sprintf(role, one, ""), fmt.Sprintf(role, other, "")}, http.StatusCreated},
	} {
		got := w.do("POST", "/v1.0/applications", w.appToken(allPermissions...), `{"displayName":"A","appRoles":[`+test.roles[0]+`,`+test.roles[1]+`]}`)
		if got.status != test.status {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, test.status)
		}
	}
}

// Of two changes of the same settings at once, neither takes back what the other has changed.
func TestChangesOfSettingsAreNotLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serveQuickly(nil)
	subscription := w.create("/licensor/v1/subscriptions", `{"skuId":"`+e3+`","totalLicenses":1}`)
	for _, test := range []struct {
		path string
		sent [2]string
		want [2]string
	}{
		{"/licensor/v1/signIn", [2]string{
			`{"allowPasswordGrant":true}`, `{"trustedIssuers":[{"issuer":"https://issuer.example","audiences":["a"],"permissionsClaim":"roles","permissions":{}}]}`,
		}, [2]string{`"allowPasswordGrant":true`, "issuer.example"}},
		{"/licensor/v1/subscriptions/" + subscription, [2]string{`{"totalLicenses":7}`, `{"status":"Warning"}`}, [2]string{`"totalLicenses":7`, "Warning"}},
	} {
		statuses, example := w.atOnce(t, "PATCH", always(test.path), func(i int) string { return test.sent[i%2] })
		if statuses[http.StatusNoContent] != rivals {
			t.Errorf("%s: %v %v", test.path, statuses, example)
		}
		got := w.do("GET", test.path, w.appToken(everyPermission()...), "")
		for _, want := range test.want {
			if !strings.Contains(got.body, want) {
				t.Errorf("%s is %s, want %s", test.path, got.body, want)
			}
		}
	}
}

// An id is that of one object of the tenant, whatever its kind and deleted or not, or of the tenant
// itself.
func TestAnIDIsOneObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serveQuickly(nil)
	application := w.create("/v1.0/applications", `{"displayName":"A"}`)
	appID := w.appIDOf(application)
	user, unified := w.create("/v1.0/users", person("gone", w.domain(), "x")), w.create("/v1.0/groups", `{"displayName":"G","groupTypes":["Unified"],"mailEnabled":true,"mailNickname":"g","securityEnabled":false}`)
	gone := w.create("/v1.0/applications", `{"displayName":"Gone"}`)
	goneUnit := w.create("/v1.0/directory/administrativeUnits", `{"displayName":"Gone"}`)
	for _, path := range []string{"/v1.0/users/" + user, "/v1.0/groups/" + unified, "/v1.0/applications/" + gone, "/v1.0/directory/administrativeUnits/" + goneUnit} {
		if got := w.do("DELETE", path, w.appToken(everyPermission()...), ""); got.status != http.StatusNoContent {
			t.Fatal(got.body)
		}
	}
	var roles struct {
		Value []struct{ ID, RoleTemplateID string }
	}
	w.must(json.Unmarshal([]byte(w.do("GET", "/v1.0/directoryRoles", w.appToken(everyPermission()...), "").body), &roles))
	for name, id := range map[string]string{
		"a user":                        w.create("/v1.0/users", person("ann", w.domain(), "x")),
		"a deleted user":                user,
		"a group":                       w.create("/v1.0/groups", `{"displayName":"S","mailEnabled":false,"mailNickname":"s","securityEnabled":true}`),
		"a deleted group":               unified,
		"an application":                application,
		"a deleted application":         gone,
		"an appId":                      appID,
		"a service principal":           w.create("/v1.0/servicePrincipals", `{"appId":"`+appID+`"}`),
		"Microsoft Graph":               w.graphID(t),
		"an administrative unit":        w.create("/v1.0/directory/administrativeUnits", `{"displayName":"U"}`),
		"a deleted administrative unit": goneUnit,
		"a role":                        roles.Value[0].ID,
		"the template of a role":        roles.Value[0].RoleTemplateID,
		"a subscription":                w.create("/licensor/v1/subscriptions", `{"skuId":"`+e3+`","totalLicenses":1}`),
		"the tenant":                    w.tenant.ID().String(),
	} {
		for _, line := range []string{
			`{"user":{"id":"` + id + `",` + person("imported", w.domain(), "x")[1:] + `}`,
			`{"group":{"id":"` + id + `","displayName":"G","mailNickname":"g","mailEnabled":false,"securityEnabled":true}}`,
		} {
			got := w.send("POST", "/licensor/v1/import", w.appToken(everyPermission()...), line, "Content-Type: "+own.LinesType)
			if got.status != http.StatusOK || !strings.Contains(got.body, takenText("id")) {
				t.Errorf("an import of the id of %s is answered %d %s", name, got.status, got.body)
			}
		}
	}
}
