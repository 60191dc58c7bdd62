package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"licensor/internal/identity"
)

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// posted is what the page that is shown sends to the client.
func (b *browser) posted(redirect string) url.Values {
	b.t.Helper()
	b.wantPage("Back to Portal", http.StatusOK)
	if !strings.Contains(b.text, `<form method="post" action="`+redirect+`">`) {
		b.t.Fatalf("nothing is posted to %s: %s", redirect, b.text)
	}
	values := url.Values{}
	for _, field := range hiddenField.FindAllStringSubmatch(b.text, -1) {
		values.Set(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
	}
	return values
}

func halfOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// As passport-azure-ad and Microsoft.Identity.Web ask (OpenID Connect Core section 3.3).
func TestAServerIsPostedACodeAndAnIDToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect, "response_type", "code id_token",
		"response_mode", "form_post", "code_challenge", "", "code_challenge_method", "")).signIn(annName)
	back := b.posted(portalRedirect)
	claims := claimsOf(t, back.Get("id_token"))
	if claims["c_hash"] != halfOf(back.Get("code")) || claims["nonce"] != "a nonce" ||
		claims["aud"] != portal.String() || claims["preferred_username"] != annName || claims["at_hash"] != nil {
		t.Errorf("the id token says %v", claims)
	}
	if back.Get("state") != "s t&a=te" || back.Has("access_token") {
		t.Errorf("posted %v", back)
	}
	got := w.post(t, tokenPath, codeForm(portal, portalRedirect, back.Get("code"), "code_verifier", ""))
	if got.status != http.StatusOK || claimsOf(t, got.body["id_token"])["sub"] != claims["sub"] {
		t.Errorf("answered %d %s", got.status, got.text)
	}
}

func TestAnIDTokenAloneTakesNoChallenge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, mode := range []string{"", "fragment"} {
		b := w.browser(t).open(authorizePath, request(page, pageRedirect, "response_type", "id_token",
			"response_mode", mode, "scope", "openid", "code_challenge", "", "code_challenge_method", "")).signIn(annName)
		if !strings.HasPrefix(b.header.Get("Location"), pageRedirect+"#") {
			t.Fatalf("sent to %s", b.header.Get("Location"))
		}
		back := b.back(pageRedirect)
		if claims := claimsOf(t, back.Get("id_token")); claims["oid"] != ann.String() || claims["c_hash"] != nil || back.Has("code") {
			t.Errorf("sent back with %v", back)
		}
	}
	back := w.browser(t).open(authorizePath, request(page, pageRedirect, "response_type", "code id_token", "code_challenge", "", "code_challenge_method", "")).back(pageRedirect)
	if !strings.Contains(back.Get("error_description"), "AADSTS9002325") {
		t.Errorf("with a code, sent back with %v", back)
	}
}

func TestAnAccessTokenIsSentWhereTheApplicationAllowsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.town.changeApp(page, func(app *identity.App) {
		app.Implicit = func() identity.Implicit { return identity.Implicit{AccessTokens: true, IDTokens: true} }
	})
	for _, kind := range []string{"id_token token", "token id_token", "token"} {
		b := w.browser(t).open(authorizePath, request(page, pageRedirect, "response_type", kind,
			"scope", "openid User.Read offline_access", "code_challenge", "", "code_challenge_method", "")).signIn(annName)
		back := b.back(pageRedirect)
		caller, err := w.config.Authority.Verify(t.Context(), back.Get("access_token"))
		if err != nil || caller.ObjectID != ann || caller.AppID != page || !caller.Permissions.Has("User.Read") {
			t.Fatalf("%s: %v, %v: %v", kind, caller, err, back)
		}
		if back.Get("token_type") != "Bearer" || back.Get("expires_in") != "3599" || back.Get("scope") != "User.Read openid offline_access" || back.Has("refresh_token") || back.Has("code") {
			t.Errorf("%s: sent back with %v", kind, back)
		}
		if back.Has("id_token") != (kind != "token") {
			t.Errorf("%s: sent back with %v", kind, back)
		} else if kind != "token" && claimsOf(t, back.Get("id_token"))["at_hash"] != halfOf(back.Get("access_token")) {
			t.Errorf("%s: the id token says %v", kind, claimsOf(t, back.Get("id_token")))
		}
	}
}

// What was not consented to is not sent, whichever way it is asked for.
func TestTokensTakeConsentToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.town.changeApp(page, func(app *identity.App) {
		app.Implicit = func() identity.Implicit { return identity.Implicit{AccessTokens: true, IDTokens: true} }
	})
	b := w.browser(t).open(authorizePath, request(page, pageRedirect, "response_type", "id_token token", "scope", "openid User.ReadWrite")).signIn(annName)
	b.wantPage("Permissions requested", http.StatusOK)
	back := b.press("cancel").back(pageRedirect)
	if back.Get("error") != "access_denied" || back.Has("id_token") || !strings.Contains(b.header.Get("Location"), "#") {
		t.Errorf("sent back with %v", back)
	}
}

// The older endpoint's clients name a resource, or nothing when they only sign in.
func TestTheOlderEndpointSignsInWithoutAScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t).open("/"+contosoDomain+"/oauth2/authorize", request(portal, portalRedirect, "response_type", "id_token", "response_mode", "form_post", "scope", "")).signIn(annName)
	if claims := claimsOf(t, b.posted(portalRedirect).Get("id_token")); claims["oid"] != ann.String() {
		t.Errorf("the id token says %v", claims)
	}
	if types := w.get(t, "/"+contosoDomain+"/.well-known/openid-configuration").body["response_types_supported"].([]any); len(types) != 5 {
		t.Errorf("the types are %v", types)
	}
}

// As in the real service, an application must allow it.
func TestAnIDTokenIsSentOnlyWhereTheApplicationAllowsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.town.changeApp(page, func(app *identity.App) {
		app.Implicit = func() identity.Implicit { return identity.Implicit{AccessTokens: true} }
	})
	w.town.changeApp(portal, func(app *identity.App) { app.Implicit = nil })
	for _, query := range []url.Values{
		request(page, pageRedirect, "response_type", "id_token", "scope", "openid"),
		request(page, pageRedirect, "response_type", "id_token token", "scope", "openid User.Read"),
	} {
		back := w.browser(t).open(authorizePath, query).back(pageRedirect)
		if back.Get("error") != "unsupported_response_type" || !strings.Contains(back.Get("error_description"), "AADSTS700054: response_type 'id_token' is not enabled for the application.") {
			t.Errorf("sent back with %v", back)
		}
	}
	back := w.browser(t).open(authorizePath, request(portal, portalRedirect, "response_type", "code id_token")).back(portalRedirect)
	if !strings.Contains(back.Get("error_description"), "AADSTS700054") {
		t.Errorf("sent back with %v", back)
	}
}
