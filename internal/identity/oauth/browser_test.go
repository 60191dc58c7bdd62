package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// browser is a person's, with cookies. It follows redirects as long as they lead to us.
type browser struct {
	t      testing.TB
	w      world
	client *http.Client
	answer // the page that is shown
}

func (w world) browser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	own, err := url.Parse(w.https.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, w: w, client: &http.Client{
		Transport: w.https.Client().Transport, Jar: jar,
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if r.URL.Host != own.Host {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}}
}

// open goes to a path, with a query.
func (b *browser) open(path string, query url.Values) *browser {
	b.t.Helper()
	target := b.w.https.URL + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, target, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.answer = do(b.t, b.client, r)
	return b
}

var tokenField = regexp.MustCompile(`name="token" value="([^"]*)"`)

// fields are what the form on the page would send when a button is pressed and fields are filled
// in.
func (b *browser) fields(action string, pairs ...string) url.Values {
	found := tokenField.FindStringSubmatch(b.text)
	if found == nil {
		b.t.Helper()
		b.t.Fatalf("there is no form on the page: %d %s", b.status, b.text)
	}
	if !strings.Contains(b.text, `name="action" value="`+action+`"`) {
		b.t.Helper()
		b.t.Fatalf("there is no button %q on the page: %s", action, b.text)
	}
	return with(url.Values{"token": {html.UnescapeString(found[1])}, "action": {action}}, pairs...)
}

// press presses a button.
func (b *browser) press(action string, pairs ...string) *browser {
	b.t.Helper()
	return b.send(b.fields(action, pairs...))
}

func (b *browser) send(form url.Values, headers ...string) *browser {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(),
		http.MethodPost, b.url.String(), strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", formType)
	r.Header.Set("Origin", b.w.https.URL)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	b.answer = do(b.t, b.client, r)
	return b
}

func (b *browser) signIn(name string) *browser {
	b.t.Helper()
	return b.press("signin", "username", name, "password", goodPassword)
}

// heading is the title of the step that is shown.
func (b *browser) heading() string {
	_, rest, _ := strings.Cut(b.text, "<h1>")
	heading, _, _ := strings.Cut(rest, "</h1>")
	return html.UnescapeString(heading)
}

func (b *browser) wantPage(heading string, status int) {
	b.t.Helper()
	if b.heading() != heading || b.status != status {
		b.t.Fatalf("the page is %d %q, want %d %q: %s %s", b.status, b.heading(), status, heading, b.header.Get("Location"), b.text)
	}
}

// back is what the client at a redirect address is told, in its query.
func (b *browser) back(redirect string) url.Values {
	b.t.Helper()
	location := b.header.Get("Location")
	rest, ok := strings.CutPrefix(location, redirect)
	if !ok || (b.status != http.StatusFound && b.status != http.StatusSeeOther) {
		b.t.Fatalf("not sent back to %s: %d %q %s", redirect, b.status, location, b.text)
	}
	values, err := url.ParseQuery(strings.TrimLeft(rest, "?#&"))
	if err != nil {
		b.t.Fatal(err)
	}
	return values
}

const verifier = "a-verifier-of-43-characters-or-more-0123456789"

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// request is what a client sends people here with.
func request(app uuid.UUID, redirect string, pairs ...string) url.Values {
	return with(url.Values{
		"client_id": {app.String()}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {"openid profile email offline_access User.Read"},
		"state": {"s t&a=te"}, "nonce": {"a nonce"}, "code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"},
	}, pairs...)
}

// codeForm is what a client redeems a code with.
func codeForm(app uuid.UUID, redirect, code string, pairs ...string) url.Values {
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {app.String()}, "redirect_uri": {redirect}, "code": {code}, "code_verifier": {verifier},
	}
	if app == portal {
		form.Set("client_secret", goodSecret)
	}
	return with(form, pairs...)
}

// code signs Ann in for a client, and returns the code it is given.
func (w world) code(t testing.TB, app uuid.UUID, redirect string, pairs ...string) string {
	t.Helper()
	b := w.browser(t).open(authorizePath, request(app, redirect, pairs...)).signIn(annName)
	code := b.back(redirect).Get("code")
	if code == "" {
		t.Fatalf("there is no code in %v", b.back(redirect))
	}
	return code
}

// tokens are those of a new sign-in of Ann to the portal.
func (w world) tokens(t testing.TB) answer {
	t.Helper()
	got := w.post(t, tokenPath, codeForm(portal, portalRedirect, w.code(t, portal, portalRedirect)))
	if got.status != http.StatusOK {
		t.Fatalf("answered %d %s", got.status, got.text)
	}
	return got
}
