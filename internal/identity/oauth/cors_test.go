package oauth

import (
	"net/http"
	"net/url"
	"testing"
)

func TestAPageMayReadWhyItWasRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, test := range map[string]struct {
		form   url.Values
		origin string
		may    bool
	}{
		"its own":         {codeForm(page, pageRedirect, "x"), pageOrigin, true},
		"another's":       {codeForm(page, pageRedirect, "x"), "https://evil.example", false},
		"of a subdomain":  {codeForm(page, pageRedirect, "x"), "https://x.page.contoso.example", false},
		"of another port": {codeForm(page, pageRedirect, "x"), pageOrigin + ":444", false},
		"of a server":     {codeForm(portal, portalRedirect, "x"), "https://portal.contoso.example", false},
		"unknown":         {codeForm(nowhere, portalRedirect, "x"), "https://portal.contoso.example", false},
		"null":            {codeForm(page, pageRedirect, "x"), "null", false},
	} {
		got := w.post(t, tokenPath, test.form, "Origin", test.origin)
		want := ""
		if test.may {
			want = test.origin
		}
		if got.header.Get("Access-Control-Allow-Origin") != want || got.header.Get("Access-Control-Allow-Credentials") != "" || got.status < 400 {
			t.Errorf("%s: %d %v", name, got.status, got.header)
		}
	}
}

func TestAPreflightTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{tokenPath, "/common/oauth2/v2.0/token", "/nowhere/oauth2/v2.0/token", userinfoPath} {
		r := w.request(t, path, "")
		r.Method = http.MethodOptions
		r.Header.Set("Origin", "https://anybody.example")
		r.Header.Set("Access-Control-Request-Method", "POST")
		got := do(t, w.https.Client(), r)
		if got.status != http.StatusNoContent || got.header.Get("Access-Control-Allow-Origin") != "*" ||
			got.header.Get("Access-Control-Allow-Credentials") != "" || got.text != "" {
			t.Errorf("%s: %d %v", path, got.status, got.header)
		}
	}
}

func TestOriginsAreWrittenAsBrowsersDo(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://Page.Example/x?y": "https://page.example", "https://page.example:443/": "https://page.example", "http://page.example:80": "http://page.example",
		"http://localhost:3000/x": "http://localhost:3000", "https://page.example:80/": "https://page.example:80", "http://[::1]:80/": "http://[::1]",
		"contoso-tool://back": "", "urn:ietf:wg:oauth:2.0:oob": "", "": "", "https:///x": "",
	} {
		if got := originOf(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
