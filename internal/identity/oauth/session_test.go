package oauth

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"licensor/internal/identity"
)

const (
	logoutPath   = "/" + contosoDomain + "/oauth2/v2.0/logout"
	userinfoPath = "/oidc/userinfo"
)

func TestUserinfoSaysWhatTheTokenWasGivenFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ask := func(method, token string) answer {
		r := w.request(t, userinfoPath, "")
		r.Method = method
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		return do(t, w.https.Client(), r)
	}
	for scope, want := range map[string]map[string]any{
		"openid":               {},
		"openid profile":       {"name": "Ann Example", "family_name": "Example", "given_name": "Ann", "preferred_username": annName},
		"openid profile email": {"name": "Ann Example", "family_name": "Example", "given_name": "Ann", "preferred_username": annName, "email": "ann.example@contoso.example"},
	} {
		tokens := w.post(t, tokenPath, codeForm(portal, portalRedirect, w.code(t, portal, portalRedirect, "scope", scope)))
		want["sub"] = claimsOf(t, tokens.body["id_token"])["sub"]
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			got := ask(method, tokens.body["access_token"].(string))
			if got.status != http.StatusOK || fmt.Sprint(got.body) != fmt.Sprint(want) || got.header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s %s: %d %s, want %v", method, scope, got.status, got.text, want)
			}
		}
	}
	app := issue(t, w, identity.Claims{
		Root: w.https.URL, Tenant: contoso, ObjectID: principalOf(robot),
		AppID: robot, Permissions: []string{"openid"},
	})
	plain := issue(t, w, identity.Claims{
		Root: w.https.URL, Tenant: contoso, ObjectID: ann, AppID: portal,
		Delegated: true, Permissions: []string{"User.Read"},
	})
	for _, test := range []struct {
		name, token string
		status      int
		error       string
		code        int
	}{
		{"no token", "", 401, "invalid_token", 50027},
		{"a bad token", "x.y.z", 401, "invalid_token", 50027},
		{"an application", app, 403, "insufficient_scope", 70011},
		{"not asked for", plain, 403, "insufficient_scope", 70011},
	} {
		got := ask(http.MethodGet, test.token)
		wantRefusal(t, got, test.status, test.error, test.code)
		if challenge := got.header.Get("WWW-Authenticate"); challenge != `Bearer error="`+test.error+`"` {
			t.Errorf("%s: the challenge is %s", test.name, challenge)
		}
	}
	if got := ask(http.MethodPut, plain); got.status != http.StatusMethodNotAllowed {
		t.Errorf("answered %d", got.status)
	}
	good := issue(t, w, identity.Claims{
		Root: w.https.URL, Tenant: contoso, ObjectID: ann,
		AppID: portal, Delegated: true, Permissions: []string{"openid"},
	})
	if got := ask(http.MethodGet, good); got.status != http.StatusOK {
		t.Errorf("a good token is answered with %d %s", got.status, got.text)
	}
	two := w.request(t, userinfoPath, "")
	two.Header["Authorization"] = []string{"Bearer " + good, "Bearer " + plain}
	wantRefusal(t, do(t, w.https.Client(), two), http.StatusUnauthorized, "invalid_token", 50027)
}

func TestTheSubjectIsAnotherForEachApplication(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, name := range []string{
		subject(contoso, portal, ann), subject(contoso, page, ann),
		subject(contoso, portal, gil), subject(fabrikam, portal, ann),
	} {
		if seen[name] || len(name) != 43 {
			t.Errorf("%s is not the only one", name)
		}
		seen[name] = true
	}
}

func TestSigningOutEndsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{logoutPath, "/common/oauth2/v2.0/logout", "/" + contosoDomain + "/oauth2/logout"} {
		b := w.browser(t).open(authorizePath, request(portal, portalRedirect)).signIn(annName)
		stolen := b.client.Jar.Cookies(b.url)
		b.open(path, nil).wantPage("You have signed out", http.StatusOK)
		b.open(authorizePath, request(portal, portalRedirect)).wantPage("Sign in", http.StatusOK)
		b.client.Jar.SetCookies(b.url, stolen)
		b.open(authorizePath, request(portal, portalRedirect)).wantPage("Sign in", http.StatusOK)
	}
}

func TestSigningOutLeadsBackToTheClientOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hint := w.tokens(t).body["id_token"].(string)
	access := issue(t, w, identity.Claims{
		Root: w.https.URL, Audience: "https://evil.example",
		Tenant: contoso, ObjectID: ann, AppID: portal, Delegated: true,
	})
	for _, test := range []struct {
		name, path string
		query      url.Values
		target     string
	}{
		{"by its id", logoutPath, url.Values{"client_id": {portal.String()}, "post_logout_redirect_uri": {portalRedirect}}, portalRedirect},
		{"by an id token", logoutPath, url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {portalRedirect}}, portalRedirect},
		{"by an id token, in any tenant", "/common/oauth2/v2.0/logout", url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {portalRedirect}}, portalRedirect},
		{"with a state", logoutPath, url.Values{"client_id": {portal.String()}, "post_logout_redirect_uri": {portalRedirect + "?x=1"}, "state": {"a b"}}, portalRedirect + "?x=1&state=a+b"},
		{"an unknown client", logoutPath, url.Values{"post_logout_redirect_uri": {portalRedirect}}, ""},
		{"another's address", logoutPath, url.Values{"client_id": {portal.String()}, "post_logout_redirect_uri": {pageRedirect}}, ""},
		{"a foreign address", logoutPath, url.Values{"client_id": {portal.String()}, "post_logout_redirect_uri": {"https://evil.example/"}}, ""},
		{"two clients", logoutPath, url.Values{"client_id": {page.String()}, "id_token_hint": {hint}, "post_logout_redirect_uri": {portalRedirect}}, ""},
		{"a bad token", logoutPath, url.Values{"client_id": {portal.String()}, "id_token_hint": {hint + "x"}, "post_logout_redirect_uri": {portalRedirect}}, ""},
		{"a token for another", logoutPath, url.Values{"id_token_hint": {access}, "post_logout_redirect_uri": {portalRedirect}}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := w.browser(t).open(test.path, test.query)
			if test.target == "" {
				b.wantPage("You have signed out", http.StatusOK)
			} else if b.header.Get("Location") != test.target || b.status != http.StatusFound {
				t.Errorf("answered %d %v", b.status, b.header)
			}
		})
	}
	twice := w.browser(t).open(logoutPath, url.Values{"post_logout_redirect_uri": {portalRedirect, "https://evil.example"}})
	if !strings.Contains(twice.text, "AADSTS9002313") {
		t.Errorf("the page is %s", twice.text)
	}
}
