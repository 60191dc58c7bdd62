package graph

import (
	"net/http"
	"strings"
	"testing"
)

// withOrigins is a world whose server lets pages of some origins call.
func withOrigins(t *testing.T, origins ...string) *world {
	w := newWorld(t)
	config := w.config()
	config.Origins = origins
	w.server = newServer(t, New(config))
	return w
}

func TestBrowsersMayCallFromConfiguredOrigins(t *testing.T) {
	t.Parallel()
	w := withOrigins(t, "https://admin.contoso.example", "http://localhost:*")
	for origin, may := range map[string]bool{
		"https://admin.contoso.example":          true,
		"http://localhost:5173":                  true,
		"http://localhost":                       true,
		"https://admin.contoso.example:444":      false,
		"http://localhost.evil.example":          false,
		"http://localhost:80.evil.example":       false,
		"https://evil.example":                   false,
		"null":                                   false,
		"https://admin.contoso.example.evil.com": false,
	} {
		preflight := w.do("OPTIONS", "/v1.0/users", "", "", "Origin: "+origin, "Access-Control-Request-Method: PATCH", "Access-Control-Request-Headers: authorization,consistencylevel")
		if preflight.status != http.StatusNoContent || preflight.header.Get("request-id") != "" {
			t.Errorf("%s: preflight %d", origin, preflight.status)
		}
		got := w.do("GET", "/v1.0/users", w.appToken(allPermissions...), "", "Origin: "+origin)
		for _, a := range []answer{preflight, got} {
			if is := a.header.Get("Access-Control-Allow-Origin"); is != "" && is != origin || (is != "") != may {
				t.Errorf("%s: allowed is %q", origin, is)
			}
			if !strings.Contains(strings.Join(a.header.Values("Vary"), ", "), "Origin") {
				t.Errorf("%s: Vary is %q", origin, a.header.Values("Vary"))
			}
		}
		headers := preflight.header.Get("Access-Control-Allow-Headers")
		methods := preflight.header.Get("Access-Control-Allow-Methods")
		if may && (headers != "authorization,consistencylevel" || !strings.Contains(methods, "PATCH")) {
			t.Errorf("%s: headers are %q", origin, headers)
		}
		if shown := got.header.Get("Access-Control-Expose-Headers"); may && !strings.Contains(shown, "request-id") {
			t.Errorf("%s: exposed are %q", origin, shown)
		}
	}
}

// A page must read why it was refused.
func TestBrowsersReadErrors(t *testing.T) {
	t.Parallel()
	w := withOrigins(t, "http://localhost:*")
	if got := w.do("GET", "/v1.0/users", "", "", "Origin: http://localhost:1"); got.status != 401 || got.header.Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("%d %v", got.status, got.header)
	}
}

func TestNoOriginMayCallUnlessConfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.do("OPTIONS", "/v1.0/users", "", "", "Origin: http://localhost", "Access-Control-Request-Method: GET")
	if got.status != http.StatusUnauthorized || got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %v", got.status, got.header)
	}
	got = w.do("OPTIONS", "/v1.0/users", w.appToken(), "")
	if got.status != http.StatusNoContent || got.header.Get("Allow") != "GET, POST" {
		t.Errorf("%d, Allow %q", got.status, got.header.Get("Allow"))
	}
}
