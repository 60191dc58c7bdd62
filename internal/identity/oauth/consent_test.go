package oauth

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/identity"
)

// newcomer is a world in which no one has consented to anything.
func newcomer(t *testing.T) world {
	w := newWorld(t)
	w.town.change(func() { clear(w.town.grants) })
	return w
}

func TestAUserIsAskedOnce(t *testing.T) {
	t.Parallel()
	w := newcomer(t)
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect)).signIn(annName)
	b.wantPage("Permissions requested", http.StatusOK)
	for _, want := range []string{
		"<strong>Portal</strong>", "<strong>contoso.example</strong>", "Sign you in and read your profile <code>User.Read</code>",
		"See your e-mail address <code>email</code>", "Keep this access while you are not using it <code>offline_access</code>", portal.String(),
	} {
		if !strings.Contains(b.text, want) {
			t.Errorf("%s is not on the page: %s", want, b.text)
		}
	}
	if strings.Contains(b.text, "whole organization") {
		t.Error("somebody who is no administrator is asked for all")
	}
	code := b.press("accept", "all", "yes").back(portalRedirect).Get("code")
	if got := w.post(t, tokenPath, codeForm(portal, portalRedirect, code)); got.status != http.StatusOK {
		t.Errorf("answered %d %s", got.status, got.text)
	}
	want := map[[2]uuid.UUID][]string{{principalOf(portal), ann}: {"User.Read", "openid", "profile", "email", "offline_access"}}
	if fmt.Sprint(w.town.grants) != fmt.Sprint(want) {
		t.Errorf("grants are %v, want %v", w.town.grants, want)
	}
	b.open(authorizePath, request(portal, portalRedirect)).back(portalRedirect)
	w.browser(t).open(authorizePath, request(portal, portalRedirect)).signIn("gil@contoso.example").wantPage("Permissions requested", http.StatusOK)
	b.open(authorizePath, request(portal, portalRedirect, "prompt", "consent")).wantPage("Permissions requested", http.StatusOK)
	if back := b.press("accept").back(portalRedirect); back.Get("code") == "" {
		t.Errorf("sent back with %v", back)
	}
	b.open(authorizePath, request(portal, portalRedirect, "scope", "User.Read User.ReadWrite")).wantPage("Permissions requested", http.StatusOK)
}

func TestAUserSaysNo(t *testing.T) {
	t.Parallel()
	w := newcomer(t)
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect)).signIn(annName)
	back := b.press("cancel").back(portalRedirect)
	if back.Get("error") != "access_denied" || !strings.HasPrefix(back.Get("error_description"), "AADSTS65004") || back.Get("state") == "" {
		t.Errorf("sent back with %v", back)
	}
	back = b.open(authorizePath, request(portal, portalRedirect, "prompt", "none")).back(portalRedirect)
	if back.Get("error") != "consent_required" || !strings.HasPrefix(back.Get("error_description"), "AADSTS65001") {
		t.Errorf("sent back with %v", back)
	}
	if len(w.town.grants) != 0 {
		t.Errorf("grants are %v", w.town.grants)
	}
}

func TestSomePermissionsOnlyAnAdministratorGives(t *testing.T) {
	t.Parallel()
	w := newcomer(t)
	query := request(portal, portalRedirect, "scope", "openid User.Read Group.ReadWrite.All")
	b := w.browser(t).open(authorizePath, query).signIn(annName)
	b.wantPage("Approval required", http.StatusForbidden)
	if !strings.Contains(b.text, "AADSTS90094") || !strings.Contains(b.text, "Group.ReadWrite.All") || strings.Contains(b.text, "<code>User.Read</code>") {
		t.Errorf("the page is %s", b.text)
	}
	forged := b.fields("cancel")
	forged.Set("action", "accept") // a button that is not there
	b.send(forged).wantPage("Approval required", http.StatusForbidden)
	if len(w.town.grants) != 0 {
		t.Fatalf("grants are %v", w.town.grants)
	}
	b.press("other").wantPage("Sign in", http.StatusOK)
	b.signIn("gil@contoso.example").wantPage("Permissions requested", http.StatusOK)
	if !strings.Contains(b.text, "Accept for the whole organization") {
		t.Errorf("the page is %s", b.text)
	}
	b.press("accept", "all", "yes").back(portalRedirect)
	want := map[[2]uuid.UUID][]string{{principalOf(portal), uuid.Nil}: {"User.Read", "Group.ReadWrite.All", "openid"}}
	if fmt.Sprint(w.town.grants) != fmt.Sprint(want) {
		t.Errorf("grants are %v, want %v", w.town.grants, want)
	}
	back := w.browser(t).open(authorizePath, query).signIn(annName).back(portalRedirect)
	got := w.post(t, tokenPath, codeForm(portal, portalRedirect, back.Get("code")))
	if !strings.Contains(fmt.Sprint(got.body["scope"]), "Group.ReadWrite.All") {
		t.Errorf("answered %s", got.text)
	}
	// To consent again to what an administrator gave takes one too.
	w.browser(t).open(authorizePath, with(query, "prompt", "consent")).signIn(annName).wantPage("Approval required", http.StatusForbidden)
}

func TestAnAdministratorConsentsForThemselvesOnlyWhenTheyDoNotSayMore(t *testing.T) {
	t.Parallel()
	w := newcomer(t)
	w.browser(t).open(authorizePath, request(portal, portalRedirect, "scope", "Group.Read.All")).signIn("gil@contoso.example").press("accept").back(portalRedirect)
	want := map[[2]uuid.UUID][]string{{principalOf(portal), gil}: {"Group.Read.All"}}
	if fmt.Sprint(w.town.grants) != fmt.Sprint(want) {
		t.Errorf("grants are %v, want %v", w.town.grants, want)
	}
}

func TestAnAdministratorConsentsForAllWithoutSigningInToTheApplication(t *testing.T) {
	t.Parallel()
	w := newcomer(t)
	w.town.changeApp(portal, func(app *identity.App) {
		app.Requested = func() []string { return []string{"User.Read", "Group.Read.All"} }
	})
	query := url.Values{"client_id": {portal.String()}, "redirect_uri": {portalRedirect}, "state": {"a b"}}
	for _, path := range []string{"/" + contosoDomain + "/v2.0/adminconsent", "/organizations/adminconsent"} {
		b := w.browser(t).open(path, query)
		if strings.HasPrefix(path, "/organizations") {
			b.press("account", "username", annName)
		}
		b.signIn(annName).wantPage("Approval required", http.StatusForbidden)
		forged := b.fields("cancel")
		forged.Set("action", "accept")
		if b.send(forged).wantPage("Approval required", http.StatusForbidden); len(w.town.grants) != 0 {
			t.Fatalf("grants are %v", w.town.grants)
		}
		b.press("other").signIn("gil@contoso.example").wantPage("Permissions requested", http.StatusOK)
		if !strings.Contains(b.text, "anyone in contoso.example who") || !strings.Contains(b.text, "Group.Read.All") {
			t.Errorf("the page is %s", b.text)
		}
		refused := *b
		if back := refused.press("cancel").back(portalRedirect); back.Get("error") != "access_denied" || back.Get("state") != "a b" {
			t.Errorf("sent back with %v", back)
		}
		back := b.press("accept").back(portalRedirect)
		if back.Get("admin_consent") != "True" || back.Get("tenant") != contoso.String() || back.Get("state") != "a b" {
			t.Errorf("sent back with %v", back)
		}
		want := map[[2]uuid.UUID][]string{{principalOf(portal), uuid.Nil}: {"User.Read", "Group.Read.All"}}
		if fmt.Sprint(w.town.grants) != fmt.Sprint(want) {
			t.Errorf("grants are %v, want %v", w.town.grants, want)
		}
		w.town.change(func() { clear(w.town.grants) })
	}
	for _, test := range []url.Values{with(query, "redirect_uri", "https://evil.example"), with(query, "client_id", nowhere.String()), with(query, "redirect_uri", "")} {
		w.browser(t).open("/"+contosoDomain+"/adminconsent", test).wantPage("Sorry, that did not work", http.StatusBadRequest)
	}
	if back := w.browser(t).open("/"+contosoDomain+"/adminconsent", with(query, "scope", "x/y")).back(portalRedirect); back.Get("error") != "invalid_scope" {
		t.Errorf("sent back with %v", back)
	}
}

// A14
func TestAllPermissionsAreThoseThatWereGranted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for prefix, audience := range map[string]string{
		identity.GraphURL + "/": identity.GraphURL, "": identity.GraphURL,
		identity.GraphAppID + "/": identity.GraphAppID, w.https.URL + "/": w.https.URL,
	} {
		code := w.code(t, portal, portalRedirect, "scope", "openid "+prefix+".default")
		got := w.post(t, tokenPath, codeForm(portal, portalRedirect, code))
		if want := prefix + "User.Read " + prefix + "User.ReadWrite.All " + prefix + ".default openid"; got.body["scope"] != want {
			t.Errorf("%q: answered %s, want the scope %s", prefix, got.text, want)
		}
		if claims := claimsOf(t, got.body["access_token"]); claims["aud"] != audience || claims["scp"] != "User.Read User.ReadWrite.All openid" || got.body["refresh_token"] != nil {
			t.Errorf("%q: the token says %v", prefix, claims)
		}
		if _, err := w.config.Authority.Verify(t.Context(), got.body["access_token"].(string)); err != nil {
			t.Errorf("%q: %v", prefix, err)
		}
	}
}

func TestAllPermissionsOfAnApplicationWithNoneAreWhatItsRegistrationAsksFor(t *testing.T) {
	t.Parallel()
	w := newcomer(t)
	query := request(portal, portalRedirect, "scope", "openid .default")
	b := w.browser(t).open(authorizePath, query).signIn(annName)
	b.press("accept").back(portalRedirect)
	if got := w.town.grants[[2]uuid.UUID{principalOf(portal), ann}]; !slices.Equal(got, []string{"User.Read", "openid"}) {
		t.Errorf("grants are %v", got)
	}
	w.town.change(func() { clear(w.town.grants) })
	w.town.changeApp(portal, func(app *identity.App) {
		app.Requested = func() []string { return []string{"User.ReadWrite", "Group.Read.All"} }
	})
	b.open(authorizePath, query).wantPage("Approval required", http.StatusForbidden)
	if !strings.Contains(b.text, "Group.Read.All") || strings.Contains(b.text, "<code>User.ReadWrite</code>") {
		t.Errorf("the page is %s", b.text)
	}
}

func TestSigningInNeedsNoConsentOfItsOwnBesideAnother(t *testing.T) {
	t.Parallel()
	w := newcomer(t)
	w.town.change(func() { w.town.grants[[2]uuid.UUID{principalOf(portal)}] = []string{"User.Read"} })
	if code := w.code(t, portal, portalRedirect, "scope", "openid profile email offline_access"); code == "" {
		t.Error("consent is asked for")
	}
	w.town.change(func() { clear(w.town.grants) })
	w.browser(t).open(authorizePath, request(portal, portalRedirect, "scope", "openid")).
		signIn(annName).wantPage("Permissions requested", http.StatusOK)
}

func TestTheOlderAuthorizeEndpointTakesAResource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t).open("/"+contosoDomain+"/oauth2/authorize",
		request(portal, portalRedirect, "scope", "", "resource", identity.GraphURL)).signIn(annName)
	got := w.post(t, "/"+contosoDomain+"/oauth2/token",
		codeForm(portal, portalRedirect, b.back(portalRedirect).Get("code"), "resource", identity.GraphURL))
	if got.status != http.StatusOK || got.body["refresh_token"] == nil || got.body["id_token"] == nil || got.body["expires_in"] != "3599" {
		t.Errorf("answered %d %s", got.status, got.text)
	}
}

func TestScopesAsTheyStand(t *testing.T) {
	t.Parallel()
	const root = "https://localhost:8443"
	for text, want := range map[string]string{
		"User.Read":                           "https://graph.microsoft.com [User.Read] []",
		"User.Read User.Read openid openid":   "https://graph.microsoft.com [User.Read] [openid]",
		root + "/User.Read":                   root + " [User.Read] []",
		root + "//User.Read":                  root + " [User.Read] []",
		"openid":                              "https://graph.microsoft.com [] [openid]",
		"api://" + service.String() + "/x.y":  service.String() + " [x.y] []",
		service.String() + "/.default":        service.String() + " [] []",
		"user.read":                           "",
		"https://graph.microsoft.com":         "",
		"https://graph.microsoft.com/":        "",
		"https://graph.microsoft.com.evil/x":  "",
		"http://graph.microsoft.com/.default": "",
		"api://" + service.String() + "/<x>":  "",
		"api://" + service.String() + "/":     "",
		"api://x/y":                           "",
		"/User.Read":                          "",
		" ":                                   "",
		"{" + service.String() + "}/.default": "",
	} {
		got, err := parseScopes(text, root)
		said := fmt.Sprint(got.audience(root), " ", got.Names, " ", got.SignIn)
		if (err == nil) != (want != "") || (err == nil && said != want) {
			t.Errorf("%q: %s, %v; want %s", text, said, err, want)
		}
	}
}

// serviceToken is one of Ann that the portal was given for the service's own API.
func (w world) serviceToken(t *testing.T, scope string) any {
	t.Helper()
	got := w.post(t, tokenPath, codeForm(portal, portalRedirect, w.code(t, portal, portalRedirect, "scope", scope)))
	if got.status != http.StatusOK {
		t.Fatalf("answered %d %s", got.status, got.text)
	}
	return got.body["access_token"]
}

func onBehalfForm(assertion any, pairs ...string) url.Values {
	text, _ := assertion.(string)
	return with(url.Values{
		"grant_type": {grantOnBehalfOf}, "requested_token_use": {"on_behalf_of"}, "client_id": {service.String()}, "client_secret": {goodSecret},
		"assertion": {text}, "scope": {identity.GraphURL + "/User.Read offline_access openid"},
	}, pairs...)
}

// A13
func TestAServiceActsOnBehalfOfItsCaller(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for scope, scp := range map[string]string{
		"api://" + service.String() + "/access_as_user": "access_as_user", service.String() + "/.default": "user_impersonation",
	} {
		token := w.serviceToken(t, scope)
		claims := claimsOf(t, token)
		if claims["aud"] != service.String() || claims["scp"] != scp || claims["azp"] != portal.String() {
			t.Errorf("the token says %v", claims)
		}
		if caller, err := w.config.Authority.Verify(t.Context(), token.(string)); err == nil {
			t.Errorf("a token for the service is good for us, as %+v", caller)
		}
		w.town.change(func() { delete(w.town.grants, [2]uuid.UUID{principalOf(service)}) })
		wantRefusal(t, w.post(t, tokenPath, onBehalfForm(token)), http.StatusBadRequest, "invalid_grant", 65001)
		w.town.change(func() { w.town.grants[[2]uuid.UUID{principalOf(service)}] = []string{"User.Read"} })
		got := w.post(t, tokenPath, onBehalfForm(token))
		if got.status != http.StatusOK || got.body["refresh_token"] == nil {
			t.Fatalf("answered %d %s", got.status, got.text)
		}
		caller, err := w.config.Authority.Verify(t.Context(), got.body["access_token"].(string))
		if err != nil || caller.ObjectID != ann || caller.AppID != service || caller.Permissions.Has("User.ReadWrite.All") {
			t.Errorf("caller is %+v, %v", caller, err)
		}
		wantOver(t, w.post(t, tokenPath, onBehalfForm(token, "scope", "User.ReadWrite.All")), "invalid_grant", 65001)
	}
}

func TestThereAreNoTokensForAnApplicationThatTheTenantDoesNotHave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, resource := range []string{nowhere.String(), brokenApp.String()} {
		back := w.browser(t).open(authorizePath, request(portal, portalRedirect, "scope", "openid api://"+resource+"/x")).
			signIn(annName).back(portalRedirect)
		if back.Get("error") != "invalid_resource" || !strings.HasPrefix(back.Get("error_description"), "AADSTS500011") {
			t.Errorf("sent back with %v", back)
		}
		wantOver(t, w.post(t, tokenPath, refreshForm(w.tokens(t).body["refresh_token"], "scope", resource+"/.default")), "invalid_resource", 500011)
	}
}

func TestABadAssertionOfAUserIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.town.change(func() { w.town.grants[[2]uuid.UUID{principalOf(service)}] = []string{"User.Read"} })
	token := w.serviceToken(t, service.String()+"/.default").(string)
	claims := identity.Claims{
		Root: w.https.URL, Audience: service.String(), Tenant: contoso,
		ObjectID: ann, AppID: portal, Delegated: true,
	}
	changed := func(change func(*identity.Claims)) string {
		other := claims
		change(&other)
		return issue(t, w, other)
	}
	id := w.tokens(t).body["id_token"].(string)
	if got := w.post(t, tokenPath, onBehalfForm(issue(t, w, claims))); got.status != http.StatusOK {
		t.Fatalf("answered %d %s", got.status, got.text)
	}
	for _, test := range []struct {
		name   string
		form   url.Values
		status int
		error  string
		code   int
	}{
		{"for Graph", onBehalfForm(w.tokens(t).body["access_token"]), 400, "invalid_grant", 50013},
		{"for another application", onBehalfForm(changed(func(c *identity.Claims) { c.Audience = portal.String() })), 400, "invalid_grant", 50013},
		{"of an application", onBehalfForm(changed(func(c *identity.Claims) { c.Delegated = false })), 400, "invalid_grant", 50013},
		{"of another tenant", onBehalfForm(changed(func(c *identity.Claims) { c.Tenant = fabrikam })), 400, "invalid_grant", 50013},
		{
			"expired",
			onBehalfForm(changed(func(c *identity.Claims) { c.NotBefore = start.Add(-2 * identity.Lifetime) })),
			400, "invalid_grant", 500133,
		},
		{"not yet valid", onBehalfForm(changed(func(c *identity.Claims) { c.NotBefore = start.Add(skew + 1e9) })), 400, "invalid_grant", 500133},
		{"of a disabled user", onBehalfForm(changed(func(c *identity.Claims) { c.ObjectID = ben })), 400, "invalid_grant", 50057},
		{"of an unknown user", onBehalfForm(changed(func(c *identity.Claims) { c.ObjectID = nowhere })), 400, "invalid_grant", 50057},
		{"of a disabled application", onBehalfForm(changed(func(c *identity.Claims) { c.AppID = brokenApp })), 400, "invalid_grant", 50013},
		{"an id token", onBehalfForm(id, "client_id", portal.String()), 400, "invalid_grant", 50013},
		{"a signature cut short", onBehalfForm(token[:len(token)-8]), 400, "invalid_grant", 50013},
		{
			"by a key of its own",
			onBehalfForm(cards()[0].sign(t, "RS256",
				map[string]any{"kid": w.config.Authority.PublicKeys().Keys[0].KeyID}, claimsOf(t, token))),
			400, "invalid_grant", 50013,
		},
		{"without secret", onBehalfForm(token, "client_secret", ""), 401, "invalid_client", 7000218},
		{"without use", onBehalfForm(token, "requested_token_use", ""), 400, "invalid_request", 9002313},
		{"without assertion", onBehalfForm("", "assertion", ""), 400, "invalid_request", 900144},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantRefusal(t, w.post(t, tokenPath, test.form), test.status, test.error, test.code)
		})
	}
	if got := w.post(t, "/common/oauth2/v2.0/token", onBehalfForm(token)); !strings.Contains(got.text, "AADSTS50059") {
		t.Errorf("answered %d %s", got.status, got.text)
	}
}

func passwordForm(pairs ...string) url.Values {
	return with(url.Values{
		"grant_type": {"password"}, "client_id": {tool.String()}, "username": {annName}, "password": {goodPassword}, "scope": {"openid offline_access User.Read"},
	}, pairs...)
}

// A13
func TestAPasswordIsExchangedWhereTheTenantAllowsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wantRefusal(t, w.post(t, tokenPath, passwordForm()), http.StatusBadRequest, "unsupported_grant_type", 70003)
	w.town.change(func() { w.town.signIn.AllowPasswordGrant = true })
	for _, path := range []string{tokenPath, "/organizations/oauth2/v2.0/token"} {
		got := w.post(t, path, passwordForm())
		if got.status != http.StatusOK || got.body["refresh_token"] == nil || got.body["id_token"] == nil {
			t.Fatalf("answered %d %s", got.status, got.text)
		}
		caller, err := w.config.Authority.Verify(t.Context(), got.body["access_token"].(string))
		if err != nil || caller.ObjectID != ann || caller.AppID != tool {
			t.Errorf("caller is %+v, %v", caller, err)
		}
	}
	for _, test := range []struct {
		name   string
		form   url.Values
		status int
		error  string
		code   int
	}{
		{"a wrong password", passwordForm("password", "x"), 400, "invalid_grant", 50126},
		{"no password", passwordForm("password", ""), 400, "invalid_grant", 50126},
		{"an unknown user", passwordForm("username", "nobody@contoso.example"), 400, "invalid_grant", 50126},
		{"a user without password", passwordForm("username", "hugo@contoso.example"), 400, "invalid_grant", 50126},
		{"a disabled user", passwordForm("username", "ben@contoso.example"), 400, "invalid_grant", 50057},
		{"a password to be changed", passwordForm("username", "dora@contoso.example"), 400, "invalid_grant", 50055},
		{"no name", passwordForm("username", ""), 400, "invalid_request", 900144},
		{"no scope", passwordForm("scope", ""), 400, "invalid_request", 900144},
		{"a permission nobody has given", passwordForm("scope", "Group.Read.All"), 400, "invalid_grant", 65001},
		{"a server without its secret", passwordForm("client_id", portal.String()), 401, "invalid_client", 7000218},
		{"a page", passwordForm("client_id", page.String()), 401, "invalid_client", 7000218},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantRefusal(t, w.post(t, tokenPath, test.form), test.status, test.error, test.code)
		})
	}
	if got := w.post(t, tokenPath, passwordForm("client_id", portal.String(), "client_secret", goodSecret)); got.status != http.StatusOK {
		t.Errorf("answered %d %s", got.status, got.text)
	}
	for range guessesPerHour {
		w.post(t, tokenPath, passwordForm("password", "x"))
	}
	got := w.post(t, tokenPath, passwordForm())
	if got.status != http.StatusTooManyRequests || !strings.Contains(got.text, "AADSTS50053") {
		t.Errorf("answered %d %s", got.status, got.text)
	}
}
