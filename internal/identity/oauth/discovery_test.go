package oauth

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"licensor/internal/identity"
)

func TestDiscoveryOfATenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	base := w.https.URL + "/" + contoso.String()
	for _, name := range []string{contoso.String(), strings.ToUpper(contoso.String()), contosoDomain, "Contoso.Example"} {
		got := w.get(t, "/"+name+"/v2.0/.well-known/openid-configuration")
		if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
		for field, want := range map[string]any{
			"issuer":                                base + "/v2.0",
			"authorization_endpoint":                base + "/oauth2/v2.0/authorize",
			"token_endpoint":                        base + "/oauth2/v2.0/token",
			"device_authorization_endpoint":         base + "/oauth2/v2.0/devicecode",
			"jwks_uri":                              base + "/discovery/v2.0/keys",
			"userinfo_endpoint":                     w.https.URL + "/oidc/userinfo",
			"id_token_signing_alg_values_supported": []any{"RS256"},
			"response_types_supported":              []any{"code", "id_token", "code id_token", "id_token token"},
			"scopes_supported":                      []any{"openid", "profile", "email", "offline_access"},
			"tenant_region_scope":                   "WW",
			"cloud_instance_name":                   "microsoftonline.com",
			"cloud_graph_host_name":                 "graph.windows.net",
			"rbac_url":                              "https://pas.windows.net",
			"msgraph_host":                          strings.TrimPrefix(w.https.URL, "https://"),
		} {
			if fmt.Sprint(got.body[field]) != fmt.Sprint(want) {
				t.Errorf("%s: %s is %v, want %v", name, field, got.body[field], want)
			}
		}
	}
}

func TestDiscoveryOfAnyTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"common", "organizations", "Common"} {
		got := w.get(t, "/"+name+"/v2.0/.well-known/openid-configuration")
		if got.body["issuer"] != w.https.URL+"/{tenantid}/v2.0" {
			t.Errorf("%s: issuer is %v", name, got.body["issuer"])
		}
		if got.body["token_endpoint"] != w.https.URL+"/"+strings.ToLower(name)+"/oauth2/v2.0/token" {
			t.Errorf("%s: token endpoint is %v", name, got.body["token_endpoint"])
		}
		if region, there := got.body["tenant_region_scope"]; !there || region != nil {
			t.Errorf("%s: region is %v, want null", name, region)
		}
	}
}

func TestWhatIsNoTenantIsNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"consumers", nowhere.String(), "evil.example", "%22%3E%3Cscript%3E", "..%2f..%2fetc"} {
		for _, path := range []string{"/v2.0/.well-known/openid-configuration", "/.well-known/openid-configuration", "/discovery/v2.0/keys", "/discovery/keys"} {
			wantRefusal(t, w.get(t, "/"+name+path), http.StatusBadRequest, "invalid_request", 90002)
		}
	}
}

func TestAnybodyCanVerifyOurTokensWithThePublishedKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{contoso.String(), contosoDomain, "common", "organizations"} {
		got := w.get(t, "/"+name+"/discovery/v2.0/keys")
		var set jose.JSONWebKeySet
		if err := json.Unmarshal([]byte(got.text), &set); err != nil || len(set.Keys) != 1 {
			t.Fatalf("%s: %s: %v", name, got.text, err)
		}
		private := []string{`"d"`, `"p"`, `"q"`, `"dp"`, `"dq"`, `"qi"`}
		if slices.ContainsFunc(private, func(part string) bool { return strings.Contains(got.text, part) }) {
			t.Fatalf("the private key is published: %s", got.text)
		}
		key := set.Keys[0]
		if !key.IsPublic() || key.Use != "sig" || key.Algorithm != "RS256" || key.KeyID == "" {
			t.Errorf("%s: key is %s", name, got.text)
		}
		signed, err := jose.ParseSignedCompact(issue(t, w, identity.Claims{
			Tenant: contoso, ObjectID: principalOf(robot), AppID: robot,
		}), []jose.SignatureAlgorithm{jose.RS256})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signed.Verify(set); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

var description = regexp.MustCompile(`^AADSTS(\d+): .+ Trace ID: (\S+) Correlation ID: (\S+) Timestamp: (.+)$`)

func wantRefusal(t *testing.T, got answer, status int, name string, code int) {
	t.Helper()
	if got.status != status || got.body["error"] != name || !strings.Contains(got.text, fmt.Sprintf(`"error_codes":[%d]`, code)) {
		t.Fatalf("answered %d %s, want %d %s %d", got.status, got.text, status, name, code)
	}
	parts := description.FindStringSubmatch(fmt.Sprint(got.body["error_description"]))
	if parts == nil {
		t.Fatalf("description is %q", got.body["error_description"])
	}
	want := []any{fmt.Sprint(code), got.body["trace_id"], got.body["correlation_id"], got.body["timestamp"]}
	for i, part := range parts[1:] {
		if part != want[i] {
			t.Errorf("the description says %q, want %q", part, want[i])
		}
	}
	if got.body["timestamp"] != "2026-10-01 12:00:00Z" || got.body["error_uri"] != fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", code) {
		t.Errorf("answered %s", got.text)
	}
	for _, id := range []string{"trace_id", "correlation_id"} {
		if _, err := uuid.Parse(fmt.Sprint(got.body[id])); err != nil {
			t.Errorf("%s is %v", id, got.body[id])
		}
	}
	if got.header.Get("Cache-Control") != "no-store" || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers are %v", got.header)
	}
}

func issue(t testing.TB, w world, claims identity.Claims) string {
	t.Helper()
	raw, err := w.config.Authority.Issue(claims)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A1
func TestDiscoveryOfTheOlderVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.get(t, "/"+contosoDomain+"/.well-known/openid-configuration")
	base := w.https.URL + "/" + contoso.String()
	for field, want := range map[string]string{
		"issuer": base + "/v2.0", "authorization_endpoint": base + "/oauth2/authorize", "token_endpoint": base + "/oauth2/token",
	} {
		if got.body[field] != want {
			t.Errorf("%s is %v, want %s", field, got.body[field], want)
		}
	}
}

func TestDiscoveryOfInstances(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	host := strings.TrimPrefix(w.https.URL, "https://")
	for name, tenant := range map[string]string{
		"common": "common", "organizations": "organizations",
		contosoDomain: contoso.String(), contoso.String(): contoso.String(),
	} {
		got := w.get(t, "/common/discovery/instance?api-version=1.1&authorization_endpoint="+url.QueryEscape(w.https.URL+"/"+name+"/oauth2/v2.0/authorize"))
		want := fmt.Sprintf(`{"tenant_discovery_endpoint":"%s/%s/v2.0/.well-known/openid-configuration","api-version":"1.1","metadata":[{"preferred_network":"%[3]s","preferred_cache":"%[3]s","aliases":["%[3]s"]}]}`, w.https.URL, tenant, host)
		if got.text != want {
			t.Errorf("%s: %s", name, got.text)
		}
	}
	wantRefusal(t, w.get(t, "/common/discovery/instance"), http.StatusBadRequest, "invalid_request", 900144)
	wantRefusal(t, w.get(t, "/common/discovery/instance?authorization_endpoint=https://x.example/evil.example/oauth2"), http.StatusBadRequest, "invalid_request", 90002)
}

func TestPagesOfAllOriginsMayReadTheDocuments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{
		"/common/v2.0/.well-known/openid-configuration", "/common/discovery/v2.0/keys", "/common/discovery/keys",
		"/common/discovery/instance?authorization_endpoint=https://x.example/common/oauth2/v2.0/authorize", "/nowhere/discovery/keys",
	} {
		for _, method := range []string{http.MethodGet, http.MethodOptions, http.MethodPost} {
			r, err := http.NewRequestWithContext(t.Context(), method, w.https.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Origin", "https://anybody.example")
			got := do(t, w.https.Client(), r)
			if path != "/nowhere/discovery/keys" && got.header.Get("Access-Control-Allow-Origin") != "*" || got.header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s %s: %v", method, path, got.header)
			}
			if method == http.MethodPost && got.status != http.StatusMethodNotAllowed &&
				got.status != http.StatusBadRequest {
				t.Errorf("%s %s: %d", method, path, got.status)
			}
		}
	}
}
