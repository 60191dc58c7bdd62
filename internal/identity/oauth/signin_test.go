package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"licensor/internal/identity"
)

func TestABrowserStaysSignedIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect)).signIn(annName)
	w.clock.advance(time.Hour)
	for _, pairs := range [][]string{nil, {"prompt", "none"}, {"login_hint", "ANN@contoso.example"}, {"max_age", "3600"}} {
		back := b.open(authorizePath, request(portal, portalRedirect, pairs...)).back(portalRedirect)
		got := w.post(t, tokenPath, codeForm(portal, portalRedirect, back.Get("code")))
		if got.status != http.StatusOK || claimsOf(t, got.body["id_token"])["auth_time"] != float64(start.Unix()) {
			t.Errorf("%v: %v %s", pairs, back, got.text)
		}
	}
	if back := b.open(authorizePath, request(page, pageRedirect)).back(pageRedirect); back.Get("code") == "" {
		t.Errorf("another application: %v", back)
	}
	w.clock.advance(23 * time.Hour)
	b.open(authorizePath, request(portal, portalRedirect)).wantPage("Sign in", http.StatusOK)
}

func TestPromptsAreFollowedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect)).signIn(annName)
	w.clock.advance(time.Minute)
	for _, pairs := range [][]string{{"prompt", "login"}, {"max_age", "0"}, {"login_hint", "gil@contoso.example"}} {
		b.open(authorizePath, request(portal, portalRedirect, pairs...)).wantPage("Sign in", http.StatusOK)
		back := b.signIn(annName).back(portalRedirect)
		got := w.post(t, tokenPath, codeForm(portal, portalRedirect, back.Get("code")))
		if claimsOf(t, got.body["id_token"])["auth_time"] != float64(w.clock.now().Unix()) {
			t.Errorf("%v: %s", pairs, got.text)
		}
	}
	back := b.open(authorizePath, request(portal, portalRedirect, "login_hint", "gil@contoso.example", "prompt", "none")).back(portalRedirect)
	if back.Get("error") != "login_required" {
		t.Errorf("sent back with %v", back)
	}
}

func TestAUserChoosesAnAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect, "prompt", "select_account"))
	b.wantPage("Sign in", http.StatusOK)
	b.signIn(annName).back(portalRedirect)
	b.open(authorizePath, request(portal, portalRedirect, "prompt", "select_account")).wantPage("Choose an account", http.StatusOK)
	again := *b
	userOf := func(back url.Values) any {
		return claimsOf(t, w.post(t, tokenPath, codeForm(portal, portalRedirect, back.Get("code"))).body["id_token"])["preferred_username"]
	}
	if got := userOf(b.press("continue").back(portalRedirect)); got != annName {
		t.Errorf("signed in as %v", got)
	}
	again.press("other").wantPage("Sign in", http.StatusOK)
	if got := userOf(again.signIn("gil@contoso.example").back(portalRedirect)); got != "gil@contoso.example" {
		t.Errorf("signed in as %v", got)
	}
}

func TestTheTenantIsThatOfTheUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"common", "organizations", "Common"} {
		path := "/" + name + "/oauth2/v2.0/authorize"
		b := w.browser(t).open(path, request(portal, portalRedirect))
		b.wantPage("Who are you?", http.StatusOK)
		b.press("account", "username", "x@nowhere.example").wantPage("Who are you?", http.StatusOK)
		b.press("account", "username", annName).wantPage("Sign in", http.StatusOK)
		if !strings.HasPrefix(b.url.Path, "/"+contoso.String()+"/") || !strings.Contains(b.text, `value="`+annName+`"`) {
			t.Errorf("at %s: %s", b.url, b.text)
		}
		b.signIn(annName).back(portalRedirect)
		if back := b.open(path, request(portal, portalRedirect, "prompt", "none")).back(portalRedirect); back.Get("code") == "" {
			t.Errorf("signed in, sent back with %v", back)
		}
		for _, pairs := range [][]string{{"login_hint", annName}, {"domain_hint", contosoDomain}} {
			w.browser(t).open(path, request(portal, portalRedirect, pairs...)).wantPage("Sign in", http.StatusOK)
		}
		b.open(path, request(portal, portalRedirect, "prompt", "select_account")).wantPage("Who are you?", http.StatusOK)
	}
}

// A client may post what it could ask in an address (OpenID Connect Core section 3.1.2.1).
func TestARequestMayBePosted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t)
	r := w.request(t, authorizePath, request(portal, portalRedirect).Encode())
	r.Header.Set("Origin", "https://portal.contoso.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	b.answer = do(t, b.client, r)
	b.wantPage("Sign in", http.StatusOK)
	if back := b.signIn(annName).back(portalRedirect); back.Get("code") == "" {
		t.Errorf("sent back with %v", back)
	}
}

// Whether a user exists, no one is told by the answer.
func TestASignInThatFailsSaysNotWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var pages []string
	for _, test := range [][2]string{
		{annName, "wrong"},
		{"nobody@contoso.example", goodPassword},
		{"hugo@contoso.example", goodPassword},
		{"hugo@contoso.example", ""},
		{"ben@contoso.example", "wrong"},
		{annName, strings.Repeat("x", 300)},
		{"", goodPassword},
		{"ann@fabrikam.example", goodPassword},
	} {
		b := w.browser(t).open(authorizePath, request(portal, portalRedirect))
		b.press("signin", "username", test[0], "password", test[1]).wantPage("Sign in", http.StatusBadRequest)
		for _, want := range []string{"AADSTS50126", `role="alert"`, `aria-describedby="problem"`, `aria-invalid="true"`, "<title>Error: Sign in"} {
			if !strings.Contains(b.text, want) {
				t.Errorf("%q: %s is not in %s", test, want, b.text)
			}
		}
		text := tokenField.ReplaceAllString(b.text, "")
		pages = append(pages, strings.ReplaceAll(strings.ReplaceAll(text, `value="`+test[0]+`"`, "value"), " autofocus", ""))
		if len(pages) > 1 && pages[0] != pages[len(pages)-1] && test[0] != "" {
			t.Errorf("%q: the page differs", test)
		}
	}
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect)).signIn("ben@contoso.example")
	b.wantPage("Sign in", http.StatusBadRequest)
	if !strings.Contains(b.text, "AADSTS50057") {
		t.Errorf("the page is %s", b.text)
	}
}

func TestAFormThatWeHaveNotShownIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := func() (*browser, url.Values) {
		b := w.browser(t).open(authorizePath, request(portal, portalRedirect))
		return b, b.fields("signin", "username", annName, "password", goodPassword)
	}
	wantRefused := func(t *testing.T, b *browser) {
		t.Helper()
		b.wantPage("Sorry, that did not work", http.StatusForbidden)
		if strings.Contains(fmt.Sprint(b.header["Set-Cookie"]), sessionCookie) {
			t.Errorf("somebody is signed in: %v", b.header)
		}
	}
	t.Run("without token", func(t *testing.T) {
		b, form := good()
		wantRefused(t, b.send(with(form, "token", "")))
	})
	t.Run("with the token of another browser", func(t *testing.T) {
		b, form := good()
		_, others := good()
		wantRefused(t, b.send(with(form, "token", others.Get("token"))))
	})
	t.Run("without cookies", func(t *testing.T) {
		_, form := good()
		b, _ := good()
		b.client.Jar = nil
		wantRefused(t, b.send(form))
	})
	t.Run("of another request", func(t *testing.T) {
		b, form := good()
		b.open(authorizePath, request(page, pageRedirect))
		wantRefused(t, b.send(form))
	})
	t.Run("from another site", func(t *testing.T) {
		b, form := good()
		wantRefused(t, b.send(form, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"))
	})
	t.Run("from another origin, of an old browser", func(t *testing.T) {
		b, form := good()
		wantRefused(t, b.send(form, "Sec-Fetch-Site", "", "Origin", "https://evil.example"))
	})
	t.Run("of before somebody else signed in", func(t *testing.T) {
		b, _ := good()
		w.town.change(func() { clear(w.town.grants) })
		b.signIn(annName).wantPage("Permissions requested", http.StatusOK)
		consent := b.fields("accept")
		other := b.url.String()
		b.open(authorizePath, request(portal, portalRedirect, "prompt", "login")).signIn("gil@contoso.example")
		r := w.request(t, strings.TrimPrefix(other, w.https.URL), consent.Encode())
		b.answer = do(t, b.client, r)
		wantRefused(t, b)
		if len(w.town.grants) != 0 {
			t.Errorf("somebody has consented: %v", w.town.grants)
		}
	})
}

// Who puts a session's cookie into another's browser is not signed in as them.
func TestASignInMakesANewSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	attacker := w.browser(t).open(authorizePath, request(portal, portalRedirect)).signIn("gil@contoso.example")
	own, err := url.Parse(w.https.URL)
	if err != nil {
		t.Fatal(err)
	}
	fixed := attacker.client.Jar.Cookies(own)
	victim := w.browser(t)
	victim.client.Jar.SetCookies(own,
		append(fixed, &http.Cookie{Name: "__Host-" + sessionCookie, Value: "made-up", Path: "/", Secure: true}))
	victim.open(authorizePath, request(portal, portalRedirect, "prompt", "login")).signIn(annName).back(portalRedirect)
	for _, cookie := range victim.client.Jar.Cookies(own) {
		if cookie.Name == "__Host-"+sessionCookie &&
			(cookie.Value == "made-up" || strings.Contains(fmt.Sprint(fixed), cookie.Value)) {
			t.Error("the session is the one that was there")
		}
	}
	victim.client.Jar.SetCookies(own, fixed)
	got := attacker.open(authorizePath, request(portal, portalRedirect, "prompt", "none")).back(portalRedirect)
	tokens := w.post(t, tokenPath, codeForm(portal, portalRedirect, got.Get("code")))
	if tokens.status == http.StatusOK && claimsOf(t, tokens.body["id_token"])["oid"] == ann.String() {
		t.Error("the attacker is signed in as the victim")
	}
}

func TestCookiesAndHeadersOfPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect))
	cookie := b.header.Get("Set-Cookie")
	for _, want := range []string{"__Host-licensor-form=", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie %s is without %s", cookie, want)
		}
	}
	for name, want := range map[string]string{
		"Content-Security-Policy":   "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' https://portal.contoso.example",
		"X-Frame-Options":           "DENY",
		"X-Content-Type-Options":    "nosniff",
		"Referrer-Policy":           "no-referrer",
		"Cache-Control":             "no-store",
		"Strict-Transport-Security": "", // on this machine there are others, of http
		"Content-Type":              "text/html; charset=utf-8",
	} {
		if got := b.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := b.header["Cross-Origin-Opener-Policy"]; got != nil {
		t.Errorf("a client that opens the page in a pop-up loses it: %v", got) // and MSAL waits for it without success
	}
	r := w.request(t, authorizePath, "")
	r.Method, r.Host = http.MethodGet, "licensor.example"
	if got := do(t, w.https.Client(), r).header.Get("Strict-Transport-Security"); got != "max-age=31536000" {
		t.Errorf("Strict-Transport-Security is %q", got)
	}
	if strings.Contains(b.text, "<script") || strings.Contains(b.text, "style=") {
		t.Errorf("the page has a script or a style of its own: %s", b.text)
	}
	_, path, _ := strings.Cut(b.text, `href="`)
	path, _, _ = strings.Cut(path, `"`)
	if got := w.get(t, path); got.status != http.StatusOK || got.header.Get("Content-Type") != "text/css; charset=utf-8" || got.text != string(styles) {
		t.Errorf("the styles at %s: %d", path, got.status)
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete} {
		r := w.request(t, authorizePath, "")
		r.Method = method
		if got := do(t, w.https.Client(), r); got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") == "" {
			t.Errorf("%s: %d %v", method, got.status, got.header)
		}
	}
}

func TestAPasswordThatSomebodyElseHasSetIsChangedFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const name, chosen = "dora@contoso.example", "a better one than that"
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect)).signIn(name)
	b.wantPage("Choose a new password", http.StatusOK)
	silent := w.again(t, b).open(authorizePath, request(portal, portalRedirect, "prompt", "none"))
	if back := silent.back(portalRedirect); back.Get("error") != "login_required" {
		t.Errorf("sent back with %v before a new password is chosen", back)
	}
	for problem, fields := range map[string][]string{
		"too short":          {"old", goodPassword, "new", "short", "again", "short"},
		"too long":           {"old", goodPassword, "new", strings.Repeat("x", 257), "again", strings.Repeat("x", 257)},
		"is the current one": {"old", goodPassword, "new", goodPassword, "again", goodPassword},
		"has your user name": {"old", goodPassword, "new", "Hello-DORA-99", "again", "Hello-DORA-99"},
		"was not repeated":   {"old", goodPassword, "new", chosen, "again", chosen + "x"},
		"current password":   {"old", "wrong", "new", chosen, "again", chosen},
	} {
		b.press("password", fields...).wantPage("Choose a new password", http.StatusBadRequest)
		if !strings.Contains(b.text, problem) {
			t.Errorf("%s: the page is %s", problem, b.text)
		}
	}
	before := b.client.Jar.Cookies(b.url)
	back := b.press("password", "old", goodPassword, "new", chosen, "again", chosen).back(portalRedirect)
	if got := w.post(t, tokenPath, codeForm(portal, portalRedirect, back.Get("code"))); got.status != http.StatusOK {
		t.Errorf("answered %d %s", got.status, got.text)
	}
	if fmt.Sprint(before) == fmt.Sprint(b.client.Jar.Cookies(b.url)) {
		t.Error("the session is the one of before")
	}
	if ok, err := identity.CheckPassword(t.Context(), w.town.passwords[dora], chosen); !ok || err != nil {
		t.Errorf("the new password is not kept: %v", err)
	}
	w.browser(t).open(authorizePath, request(portal, portalRedirect)).signIn(name).wantPage("Sign in", http.StatusBadRequest)
}

// again is another tab of a browser.
func (w world) again(t *testing.T, b *browser) *browser {
	return &browser{t: t, w: w, client: b.client}
}

func TestASessionEndsWithTheUser(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*identity.User){
		"disabled":       func(u *identity.User) { u.Enabled = false },
		"sessions ended": func(u *identity.User) { u.SessionsFrom = start.Add(time.Second) },
	} {
		w := newWorld(t)
		b := w.browser(t).open(authorizePath, request(portal, portalRedirect)).signIn(annName)
		w.town.changeUser(ann, change)
		if b.open(authorizePath, request(portal, portalRedirect)); b.heading() != "Sign in" {
			t.Errorf("%s: %d %s", name, b.status, b.text)
		}
	}
}

func TestAFaultOfOursIsLoggedAndNotShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect))
	w.town.change(func() { w.town.broken = errors.New("the disk is gone") })
	b.signIn(annName).wantPage("Sorry, that did not work", http.StatusServiceUnavailable)
	if strings.Contains(b.text, "disk") || !strings.Contains(w.log.String(), "the disk is gone") ||
		strings.Contains(w.log.String(), goodPassword) {
		t.Errorf("shown: %s; logged: %s", b.text, w.log)
	}
}
