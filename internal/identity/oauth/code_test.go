package oauth

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/identity"
)

// A11
func TestAUserSignsInToAServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect))
	b.wantPage("Sign in", http.StatusOK)
	back := b.signIn(annName).back(portalRedirect)
	if back.Get("state") != "s t&a=te" || len(back.Get("code")) != 43 || back.Has("error") {
		t.Fatalf("sent back with %v", back)
	}
	got := w.post(t, tokenPath, codeForm(portal, portalRedirect, back.Get("code"), "client_info", "1"))
	if got.status != http.StatusOK || got.body["scope"] != "User.Read openid profile email offline_access" || got.body["token_type"] != "Bearer" {
		t.Fatalf("answered %d %s", got.status, got.text)
	}
	caller, err := w.config.Authority.Verify(t.Context(), got.body["access_token"].(string))
	if err != nil || caller.ObjectID != ann || caller.AppID != portal || !caller.Delegated ||
		!caller.Permissions.Has("User.Read") || caller.Permissions.Has("User.ReadWrite.All") {
		t.Fatalf("caller is %+v, %v", caller, err)
	}
	access := claimsOf(t, got.body["access_token"])
	want := map[string]any{
		"aud": identity.GraphURL, "iss": w.https.URL + "/" + contoso.String() + "/v2.0",
		"tid": contoso.String(), "oid": ann.String(), "sub": ann.String(),
		"appid": portal.String(), "azp": portal.String(), "appidacr": "1", "azpacr": "1", "idtyp": "user", "ver": "2.0",
		"scp": "User.Read openid profile email", "upn": annName, "name": "Ann Example", "given_name": "Ann", "family_name": "Example", "unique_name": annName, "acct": 0.0, "acr": "1", "amr": []any{"pwd"},
		"app_displayname": "Portal", "tenant_region_scope": "WW", "wids": []any{identity.UserAdministrator.ID.String()},
		"iat": float64(start.Unix()), "nbf": float64(start.Unix()),
		"exp": float64(start.Add(identity.Lifetime).Unix()), "uti": access["uti"],
	}
	if fmt.Sprint(access) != fmt.Sprint(want) {
		t.Errorf("the access token says\n%v, want\n%v", access, want)
	}
	id := claimsOf(t, got.body["id_token"])
	want = map[string]any{
		"aud": portal.String(), "iss": w.https.URL + "/" + contoso.String() + "/v2.0",
		"tid": contoso.String(), "oid": ann.String(), "ver": "2.0",
		"nonce": "a nonce", "name": "Ann Example", "preferred_username": annName, "email": "ann.example@contoso.example", "sub": subject(contoso, portal, ann),
		"iat": float64(start.Unix()), "nbf": float64(start.Unix()),
		"exp": float64(start.Add(identity.Lifetime).Unix()), "auth_time": float64(start.Unix()),
	}
	if fmt.Sprint(id) != fmt.Sprint(want) {
		t.Errorf("the id token says\n%v, want\n%v", id, want)
	}
	if got.body["client_info"] != clientInfo(ann, contoso) {
		t.Errorf("client_info is %v", got.body["client_info"])
	}
}

func TestAUserSignsInToAPageInABrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t).open(authorizePath, request(page, pageRedirect, "response_mode", "fragment",
		"scope", "openid "+identity.GraphURL+"/User.Read offline_access")).signIn(annName)
	if !strings.HasPrefix(b.header.Get("Location"), pageRedirect+"#") {
		t.Fatalf("sent to %s", b.header.Get("Location"))
	}
	form := codeForm(page, pageRedirect, b.back(pageRedirect).Get("code"))
	for origin, code := range map[string]int{"": 9002327, "https://evil.example": 9002327, "http://page.contoso.example": 9002327, "null": 9002327} {
		got := w.post(t, tokenPath, form, "Origin", origin)
		wantRefusal(t, got, http.StatusBadRequest, "invalid_request", code)
		if got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may read the answer", origin)
		}
	}
	wantRefusal(t, w.post(t, tokenPath, with(form, "code_verifier", "x"), "Origin", pageOrigin), http.StatusBadRequest, "invalid_grant", 501481)
	got := w.post(t, tokenPath, form, "Origin", pageOrigin)
	if got.status != http.StatusOK || got.header.Get("Access-Control-Allow-Origin") != pageOrigin || got.header.Get("Access-Control-Allow-Credentials") != "" ||
		got.body["scope"] != identity.GraphURL+"/User.Read openid offline_access" {
		t.Fatalf("answered %d %s %v", got.status, got.text, got.header)
	}
	if claims := claimsOf(t, got.body["access_token"]); claims["azpacr"] != "0" {
		t.Errorf("claims are %v", claims)
	}
	refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {page.String()}, "refresh_token": {got.body["refresh_token"].(string)}}
	wantRefusal(t, w.post(t, tokenPath, refresh), http.StatusBadRequest, "invalid_request", 9002327)
	if got := w.post(t, tokenPath, refresh, "Origin", pageOrigin); got.status != http.StatusOK {
		t.Errorf("answered %d %s", got.status, got.text)
	}
}

func TestAUserSignsInToAProgramOnADevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, redirect := range []string{"http://localhost", "http://localhost:53123", "http://localhost:53123/", "http://127.0.0.1:8400/back", "http://[::1]:9/back", "contoso-tool://back"} {
		got := w.post(t, tokenPath, codeForm(tool, redirect, w.code(t, tool, redirect)))
		if got.status != http.StatusOK || claimsOf(t, got.body["access_token"])["azpacr"] != "0" {
			t.Errorf("%s: %d %s", redirect, got.status, got.text)
		}
	}
}

func TestAnAnswerIsPosted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect, "response_mode", "form_post", "state", `"><script>alert(1)</script>`)).signIn(annName)
	b.wantPage("Back to Portal", http.StatusOK)
	for _, want := range []string{
		`<form method="post" action="` + portalRedirect + `">`, `name="state" value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"`, `name="code" value="`,
		"<script>document.forms[0].submit()</script>", "<button>Continue</button>",
	} {
		if !strings.Contains(b.text, want) {
			t.Errorf("%s is not in %s", want, b.text)
		}
	}
	policy := b.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "script-src "+scriptHash) || !strings.Contains(policy, "form-action 'self' https://portal.contoso.example;") {
		t.Errorf("the policy is %s", policy)
	}
}

func TestACodeIsGoodForTenMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.code(t, portal, portalRedirect), w.code(t, portal, portalRedirect)
	w.clock.advance(codeLife - time.Second)
	if got := w.post(t, tokenPath, codeForm(portal, portalRedirect, first)); got.status != http.StatusOK {
		t.Errorf("answered %d %s", got.status, got.text)
	}
	w.clock.advance(time.Second)
	got := w.post(t, tokenPath, codeForm(portal, portalRedirect, second))
	if got.status != http.StatusBadRequest || !strings.Contains(got.text, "AADSTS70008") {
		t.Errorf("answered %d %s", got.status, got.text)
	}
}

func TestASecondUseOfACodeEndsWhatCameOfIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := w.code(t, portal, portalRedirect)
	got := w.post(t, tokenPath, codeForm(portal, portalRedirect, code))
	refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {portal.String()}, "client_secret": {goodSecret}, "refresh_token": {got.body["refresh_token"].(string)}}
	next := w.post(t, tokenPath, refresh)
	if next.status != http.StatusOK {
		t.Fatalf("answered %d %s", next.status, next.text)
	}
	for range 2 {
		wantRefusal(t, w.post(t, tokenPath, codeForm(portal, portalRedirect, code)), http.StatusBadRequest, "invalid_grant", 54005)
	}
	wantRefusal(t, w.post(t, tokenPath, with(refresh, "refresh_token", next.body["refresh_token"].(string))), http.StatusBadRequest, "invalid_grant", 70008)
}

func TestOfManyAtOnceOneRedeemsACode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := w.code(t, portal, portalRedirect)
	refreshed := make(chan string, 32)
	wantOneWinner(t, func() answer {
		got := w.post(t, tokenPath, codeForm(portal, portalRedirect, code))
		if text, ok := got.body["refresh_token"].(string); ok {
			refreshed <- text
		}
		return got
	})
	got := w.post(t, tokenPath, url.Values{"grant_type": {"refresh_token"}, "client_id": {portal.String()}, "client_secret": {goodSecret}, "refresh_token": {<-refreshed}})
	if got.status != http.StatusBadRequest {
		t.Errorf("what came of a code that was used twice is still good: %d %s", got.status, got.text)
	}
}

func TestACodeIsBoundToWhatItWasAskedForWith(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.town.changeApp(service, func(app *identity.App) { app.Redirects.Web = []string{portalRedirect} })
	code := w.code(t, portal, portalRedirect)
	without := w.code(t, portal, portalRedirect, "code_challenge", "", "code_challenge_method", "")
	public := w.code(t, tool, toolRedirect)
	for _, test := range []struct {
		name, path string
		form       url.Values
		status     int
		error      string
		code       int
	}{
		{"another client", tokenPath, codeForm(service, portalRedirect, code, "client_secret", goodSecret), 400, "invalid_grant", 70000},
		{"another tenant", "/" + fabrikamDomain + "/oauth2/v2.0/token", codeForm(portal, portalRedirect, code), 400, "invalid_grant", 700005},
		{"another redirect address", tokenPath, codeForm(portal, portalRedirect+"?x=1", code), 400, "invalid_grant", 500112},
		{"no redirect address", tokenPath, codeForm(portal, "", code, "redirect_uri", ""), 400, "invalid_request", 900144},
		{"no secret", tokenPath, codeForm(portal, portalRedirect, code, "client_secret", ""), 401, "invalid_client", 7000218},
		{"a wrong secret", tokenPath, codeForm(portal, portalRedirect, code, "client_secret", "x"), 401, "invalid_client", 7000215},
		{"a wrong verifier", tokenPath, codeForm(portal, portalRedirect, code, "code_verifier", verifier+"x"), 400, "invalid_grant", 501481},
		{"no verifier", tokenPath, codeForm(portal, portalRedirect, code, "code_verifier", ""), 400, "invalid_grant", 501481},
		{"the challenge as verifier", tokenPath, codeForm(portal, portalRedirect, code, "code_verifier", challengeOf(verifier)), 400, "invalid_grant", 501481},
		{"a verifier where there was no challenge", tokenPath, codeForm(portal, portalRedirect, without), 400, "invalid_grant", 501481},
		{"no verifier of a public client", tokenPath, codeForm(tool, toolRedirect, public, "code_verifier", ""), 400, "invalid_grant", 501481},
		{"a secret of a client that has none", tokenPath, codeForm(tool, toolRedirect, public, "client_secret", "x"), 401, "invalid_client", 7000215},
		{"no code", tokenPath, codeForm(portal, portalRedirect, "", "code", ""), 400, "invalid_request", 900144},
		{"no such code", tokenPath, codeForm(portal, portalRedirect, code[1:]+"x"), 400, "invalid_grant", 70008},
		{"no such code, in any tenant", "/common/oauth2/v2.0/token", codeForm(portal, portalRedirect, code[1:]+"x"), 400, "invalid_grant", 70008},
		{"a code as refresh token", tokenPath, codeForm(portal, portalRedirect, code, "grant_type", "refresh_token", "refresh_token", code), 400, "invalid_grant", 70008},
		{"a code as device code", tokenPath, codeForm(portal, portalRedirect, code, "grant_type", grantDevice, "device_code", code), 400, "expired_token", 70020},
		{"two codes", tokenPath, url.Values{"grant_type": {grantCode}, "code": {code, public}}, 400, "invalid_request", 9002313},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantRefusal(t, w.post(t, test.path, test.form), test.status, test.error, test.code)
		})
	}
	for _, path := range []string{"/common/oauth2/v2.0/token"} { // it was not used up by any of these
		if got := w.post(t, path, codeForm(portal, portalRedirect, code)); got.status != http.StatusOK {
			t.Errorf("answered %d %s", got.status, got.text)
		}
	}
	if got := w.post(t, tokenPath, codeForm(portal, portalRedirect, without, "code_verifier", "")); got.status != http.StatusOK {
		t.Errorf("answered %d %s", got.status, got.text)
	}
}

func TestWhatHappensToTheUserAfterTheCodeCounts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*town)
		code   int
	}{
		"disabled": {func(t *town) { t.changeUser(ann, func(u *identity.User) { u.Enabled = false }) }, 50057},
		"deleted":  {func(t *town) { t.change(func() { delete(t.users, ann) }) }, 50057},
		"sessions ended": {
			func(t *town) { t.changeUser(ann, func(u *identity.User) { u.SessionsFrom = start.Add(time.Second) }) },
			50173,
		},
		"password reset": {func(t *town) { t.changeUser(ann, func(u *identity.User) { u.MustChangePassword = true }) }, 50055},
		"not assigned": {func(t *town) {
			t.change(func() {
				app := t.apps[portal]
				app.Admits = func(user uuid.UUID) bool { return user != ann }
				t.apps[portal] = app
			})
		}, 50105},
		"assigned": {func(t *town) {
			t.change(func() {
				app := t.apps[portal]
				app.Admits = func(user uuid.UUID) bool { return user == ann }
				t.apps[portal] = app
			})
		}, 0},
		"consent withdrawn": {func(t *town) { t.change(func() { t.grants = map[[2]uuid.UUID][]string{} }) }, 65001},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			code := w.code(t, portal, portalRedirect)
			test.change(w.town)
			got := w.post(t, tokenPath, codeForm(portal, portalRedirect, code))
			if test.code == 0 {
				if got.status != http.StatusOK {
					t.Errorf("answered %d %s", got.status, got.text)
				}
				return
			}
			wantRefusal(t, got, http.StatusBadRequest, "invalid_grant", test.code)
			if consent := got.body["suberror"] == "consent_required"; consent != (test.code == 65001) {
				t.Errorf("suberror is %v", got.body["suberror"])
			}
		})
	}
}

// What is sent back are errors of the request itself; see also
// TestNothingIsSentToAnAddressThatIsNotTheClients.
func TestErrorsAreToldToTheClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, test := range []struct {
		name, error, code string
		query             url.Values
	}{
		{"no challenge of a public client", "invalid_request", "AADSTS9002325", request(tool, toolRedirect, "code_challenge", "", "code_challenge_method", "")},
		{"no challenge of a page", "invalid_request", "AADSTS9002325", request(page, pageRedirect, "code_challenge", "", "code_challenge_method", "")},
		{"a method without challenge", "invalid_request", "AADSTS9002325", request(portal, portalRedirect, "code_challenge", "")},
		{"plain", "invalid_request", "AADSTS501491", request(portal, portalRedirect, "code_challenge_method", "plain", "code_challenge", verifier)},
		{"plain, which is meant without a method", "invalid_request", "AADSTS501491", request(tool, toolRedirect, "code_challenge_method", "", "code_challenge", verifier)},
		{"s256", "invalid_request", "AADSTS501491", request(tool, toolRedirect, "code_challenge_method", "s256")},
		{"a short challenge", "invalid_request", "AADSTS501491", request(tool, toolRedirect, "code_challenge", "abc")},
		{"no scope", "invalid_request", "AADSTS900144", request(portal, portalRedirect, "scope", "")},
		{"an unknown scope", "invalid_scope", "AADSTS70011", request(portal, portalRedirect, "scope", "openid Mail.Explode")},
		{"another resource", "invalid_scope", "AADSTS70011", request(portal, portalRedirect, "scope", "https://management.azure.com/.default")},
		{"two resources", "invalid_request", "AADSTS28000", request(portal, portalRedirect, "scope", "User.Read "+identity.GraphAppID+"/User.Read")},
		{"all and one", "invalid_scope", "AADSTS70011", request(portal, portalRedirect, "scope", identity.GraphURL+"/.default "+identity.GraphURL+"/User.Read")},
		{"a token at once", "unsupported_response_type", "AADSTS700051", request(portal, portalRedirect, "response_type", "token")},
		{"an id token with it", "unsupported_response_type", "AADSTS700051", request(portal, portalRedirect, "response_type", "id_token token")},
		{"a token and a code", "unsupported_response_type", "AADSTS70005", request(portal, portalRedirect, "response_type", "code token")},
		{"what is no type", "unsupported_response_type", "AADSTS70005", request(portal, portalRedirect, "response_type", "code none")},
		{"an id token in a query", "invalid_request", "AADSTS70007", request(portal, portalRedirect, "response_type", "code id_token", "response_mode", "query")},
		{"an id token without nonce", "invalid_request", "AADSTS900144", request(portal, portalRedirect, "response_type", "id_token", "nonce", "")},
		{"an id token without openid", "invalid_scope", "AADSTS70011", request(portal, portalRedirect, "response_type", "id_token", "scope", "User.Read")},
		{"no type", "invalid_request", "AADSTS900144", request(portal, portalRedirect, "response_type", "")},
		{"an unknown mode", "invalid_request", "AADSTS70007", request(portal, portalRedirect, "response_mode", "web_message")},
		{"a post to a program", "invalid_request", "AADSTS70007", request(tool, "contoso-tool://back", "response_mode", "form_post")},
		{"an unknown prompt", "invalid_request", "AADSTS90023", request(portal, portalRedirect, "prompt", "create")},
		{"none and login", "invalid_request", "AADSTS90023", request(portal, portalRedirect, "prompt", "none login")},
		{"an age that is no number", "invalid_request", "AADSTS90023", request(portal, portalRedirect, "max_age", "x")},
		{"a request object", "request_not_supported", "AADSTS9002313", request(portal, portalRedirect, "request", "x.y.z")},
		{"a request address", "request_uri_not_supported", "AADSTS9002313", request(portal, portalRedirect, "request_uri", "https://evil.example")},
		{"nobody is signed in", "login_required", "AADSTS50058", request(portal, portalRedirect, "prompt", "none")},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := w.browser(t).open(authorizePath, test.query)
			back := b.back(test.query.Get("redirect_uri"))
			if back.Get("error") != test.error || !strings.HasPrefix(back.Get("error_description"), test.code+": ") ||
				back.Get("state") != "s t&a=te" || back.Has("code") {
				t.Errorf("sent back with %v", back)
			}
		})
	}
}
