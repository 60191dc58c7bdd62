package identity

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
)

// answer is what a request was answered with.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

func do(t testing.TB, server *httptest.Server, r *http.Request) answer {
	t.Helper()
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := answer{status: response.StatusCode, header: response.Header, text: string(text)}
	_ = json.Unmarshal(text, &got.body) // nil when it is no JSON
	return got
}

func get(t testing.TB, server *httptest.Server, path string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, server, r)
}

func TestDiscoveryOfATenant(t *testing.T) {
	t.Parallel()
	server := newWorld(t).serve(t)
	base := server.URL + "/" + contoso.String()
	for _, name := range []string{contoso.String(), strings.ToUpper(contoso.String()), contosoDomain, "Contoso.Example"} {
		got := get(t, server, "/"+name+"/v2.0/.well-known/openid-configuration")
		if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
		for field, want := range map[string]any{
			"issuer":                                base + "/v2.0",
			"authorization_endpoint":                base + "/oauth2/v2.0/authorize",
			"token_endpoint":                        base + "/oauth2/v2.0/token",
			"device_authorization_endpoint":         base + "/oauth2/v2.0/devicecode",
			"jwks_uri":                              base + "/discovery/v2.0/keys",
			"userinfo_endpoint":                     server.URL + "/oidc/userinfo",
			"id_token_signing_alg_values_supported": []any{"RS256"},
			"response_types_supported":              []any{"code"},
			"scopes_supported":                      []any{"openid", "profile", "email", "offline_access"},
			"tenant_region_scope":                   "WW",
			"cloud_instance_name":                   strings.TrimPrefix(server.URL, "https://"),
			"msgraph_host":                          strings.TrimPrefix(server.URL, "https://"),
		} {
			if fmt.Sprint(got.body[field]) != fmt.Sprint(want) {
				t.Errorf("%s: %s is %v, want %v", name, field, got.body[field], want)
			}
		}
	}
}

func TestDiscoveryOfAnyTenant(t *testing.T) {
	t.Parallel()
	server := newWorld(t).serve(t)
	for _, name := range []string{"common", "organizations", "Common"} {
		got := get(t, server, "/"+name+"/v2.0/.well-known/openid-configuration")
		if got.body["issuer"] != server.URL+"/{tenantid}/v2.0" {
			t.Errorf("%s: issuer is %v", name, got.body["issuer"])
		}
		if got.body["token_endpoint"] != server.URL+"/"+strings.ToLower(name)+"/oauth2/v2.0/token" {
			t.Errorf("%s: token endpoint is %v", name, got.body["token_endpoint"])
		}
		if region, there := got.body["tenant_region_scope"]; !there || region != nil {
			t.Errorf("%s: region is %v, want null", name, region)
		}
	}
}

func TestWhatIsNoTenantIsNotFound(t *testing.T) {
	t.Parallel()
	server := newWorld(t).serve(t)
	for _, name := range []string{"consumers", nowhere.String(), "evil.example", "%22%3E%3Cscript%3E", "..%2f..%2fetc"} {
		for _, path := range []string{"/v2.0/.well-known/openid-configuration", "/discovery/v2.0/keys"} {
			wantRefusal(t, get(t, server, "/"+name+path), http.StatusBadRequest, "invalid_request", 90002)
		}
	}
}

func TestAnybodyCanVerifyOurTokensWithThePublishedKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.serve(t)
	for _, name := range []string{contoso.String(), contosoDomain, "common", "organizations"} {
		got := get(t, server, "/"+name+"/discovery/v2.0/keys")
		var set jose.JSONWebKeySet
		if err := json.Unmarshal([]byte(got.text), &set); err != nil || len(set.Keys) != 1 {
			t.Fatalf("%s: %s: %v", name, got.text, err)
		}
		if private := []string{`"d"`, `"p"`, `"q"`, `"dp"`, `"dq"`, `"qi"`}; slices.ContainsFunc(private, func(part string) bool { return strings.Contains(got.text, part) }) {
			t.Fatalf("the private key is published: %s", got.text)
		}
		key := set.Keys[0]
		if !key.IsPublic() || key.Use != "sig" || key.Algorithm != "RS256" || key.KeyID == "" {
			t.Errorf("%s: key is %s", name, got.text)
		}
		signed, err := jose.ParseSignedCompact(w.issue(t, robot()), []jose.SignatureAlgorithm{jose.RS256})
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
