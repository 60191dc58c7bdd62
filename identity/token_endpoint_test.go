package identity

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func tokenRequest(t testing.TB, server *httptest.Server, tenant, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/"+tenant+"/oauth2/v2.0/token", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", formType)
	return r
}

// form is a good request's body, changed by pairs of name and value; an empty value removes.
func form(pairs ...string) string {
	values := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {appID.String()}, "client_secret": {goodSecret}, "scope": {GraphURL + "/.default"},
	}
	for i := 0; i < len(pairs); i += 2 {
		if values.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			values.Del(pairs[i])
		}
	}
	return values.Encode()
}

func TestAnApplicationIsGivenATokenThatWeAccept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.serve(t)
	for scope, audience := range map[string]string{
		GraphURL + "/.default":    GraphURL,
		GraphURL + "//.default":   GraphURL,
		GraphAppID + "/.default":  GraphAppID,
		server.URL + "/.default":  server.URL,
		server.URL + "//.default": server.URL,
	} {
		for _, tenant := range []string{contoso.String(), contosoDomain} {
			got := do(t, server, tokenRequest(t, server, tenant, form("scope", scope)))
			if got.status != http.StatusOK || got.body["token_type"] != "Bearer" || got.body["expires_in"] != 3599.0 || got.body["ext_expires_in"] != 3599.0 {
				t.Fatalf("%s: %d %s", scope, got.status, got.text)
			}
			if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Pragma") != "no-cache" {
				t.Errorf("the answer may be cached: %v", got.header)
			}
			raw := got.body["access_token"].(string)
			caller, err := w.Verify(t.Context(), raw)
			if err != nil {
				t.Fatal(err)
			}
			if caller.AppID != appID || caller.Delegated || !slices.Equal(caller.Permissions, []string{"LicenseAssignment.ReadWrite.All", "User.Read.All"}) {
				t.Errorf("caller is %+v", caller)
			}
			wantClaims(t, raw, map[string]any{
				"aud": audience, "iss": server.URL + "/" + contoso.String() + "/v2.0", "tid": contoso.String(),
				"iat": float64(start.Unix()), "nbf": float64(start.Unix()), "exp": float64(start.Add(Lifetime).Unix()),
				"appid": appID.String(), "azp": appID.String(), "appidacr": "1", "azpacr": "1", "idtyp": "app",
				"oid": principal.String(), "sub": principal.String(), "ver": "2.0",
				"roles": []any{"LicenseAssignment.ReadWrite.All", "User.Read.All"},
			})
		}
	}
}

// wantClaims checks all claims of a token but the random uti.
func wantClaims(t *testing.T, raw string, want map[string]any) {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(payload, &got); err != nil {
		t.Fatal(err)
	}
	if uti, _ := got["uti"].(string); len(uti) != 22 {
		t.Errorf("uti is %v", got["uti"])
	}
	delete(got, "uti")
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("claims are\n%v, want\n%v", got, want)
	}
}

func TestASecretInTheHeaderIsAsGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.serve(t)
	const awkward = "a:b%c+d e"
	w.town.change(func() {
		app := w.town.apps[appID]
		app.Secrets = append(app.Secrets, Secret{Hash: HashSecret(awkward)})
		w.town.apps[appID] = app
	})
	for _, body := range []string{form("client_secret", "", "client_id", ""), form("client_secret", "")} {
		r := tokenRequest(t, server, contosoDomain, body)
		r.SetBasicAuth(appID.String(), url.QueryEscape(awkward))
		if got := do(t, server, r); got.status != http.StatusOK {
			t.Errorf("%s: %d %s", body, got.status, got.text)
		}
	}
}

// A30
func TestEveryRefusalOfTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	server := newWorld(t).serve(t)
	basic := func(id, secret string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(id, secret) }
	}
	content := func(kind string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Content-Type", kind) }
	}
	good := contoso.String()
	for _, test := range []struct {
		name         string
		tenant, body string
		change       func(*http.Request)
		status       int
		error        string
		code         int
	}{
		{"an unknown tenant", nowhere.String(), form(), nil, 400, "invalid_request", 90002},
		{"an unknown domain", "evil.example", form(), nil, 400, "invalid_request", 90002},
		{"personal accounts", "consumers", form(), nil, 400, "invalid_request", 90002},
		{"any tenant", "common", form(), nil, 400, "invalid_request", 50059},
		{"any organization", "organizations", form(), nil, 400, "invalid_request", 50059},
		{"no grant", good, form("grant_type", ""), nil, 400, "invalid_request", 900144},
		{"an empty body", good, "", nil, 400, "invalid_request", 900144},
		{"no client", good, form("client_id", ""), nil, 400, "invalid_request", 900144},
		{"no secret", good, form("client_secret", ""), nil, 400, "invalid_request", 900144},
		{"no scope", good, form("scope", ""), nil, 400, "invalid_request", 900144},
		{"an unknown grant", good, form("grant_type", "password"), nil, 400, "unsupported_grant_type", 70003},
		{"a scope of one permission", good, form("scope", GraphURL+"/User.Read"), nil, 400, "invalid_scope", 70011},
		{"a scope of another resource", good, form("scope", "https://management.azure.com/.default"), nil, 400, "invalid_scope", 70011},
		{"two scopes", good, form("scope", GraphURL+"/.default openid"), nil, 400, "invalid_scope", 70011},
		{"no resource", good, form("scope", "/.default"), nil, 400, "invalid_scope", 70011},
		{"an unknown application", good, form("client_id", nowhere.String()), nil, 400, "unauthorized_client", 700016},
		{"no id of an application", good, form("client_id", "robot"), nil, 400, "unauthorized_client", 700016},
		{"an application of another tenant", fabrikam.String(), form(), nil, 400, "unauthorized_client", 700016},
		{"a bad secret", good, form("client_secret", "bad"), nil, 401, "invalid_client", 7000215},
		{"the hash of the secret", good, form("client_secret", fmt.Sprintf("%x", HashSecret(goodSecret))), nil, 401, "invalid_client", 7000215},
		{"an expired secret", good, form("client_secret", expiredText), nil, 401, "invalid_client", 7000222},
		{"a disabled application", good, form("client_id", brokenApp.String()), nil, 400, "unauthorized_client", 7000112},
		{"a disabled application with a bad secret", good, form("client_id", brokenApp.String(), "client_secret", "x"), nil, 401, "invalid_client", 7000215},
		{"an assertion", good, form("client_secret", "", "client_assertion", "x"), nil, 401, "invalid_client", 700027},
		{"a bad secret in the header", good, form("client_secret", ""), basic(appID.String(), "x"), 401, "invalid_client", 7000215},
		{"two secrets", good, form(), basic(appID.String(), goodSecret), 400, "invalid_request", 9002313},
		{"two clients", good, form("client_secret", ""), basic(brokenApp.String(), goodSecret), 400, "invalid_request", 9002313},
		{"a header that is not encoded", good, form("client_secret", ""), basic(appID.String(), "%zz"), 400, "invalid_request", 9002313},
		{"a parameter twice", good, form() + "&scope=x", nil, 400, "invalid_request", 9002313},
		{"a bad form", good, "grant_type=%zz", nil, 400, "invalid_request", 9002313},
		{"JSON", good, "{}", content("application/json"), 415, "invalid_request", 9002313},
		{"no type", good, form(), content(""), 415, "invalid_request", 9002313},
		{"a large body", good, form("x", strings.Repeat("x", maxForm)), nil, 413, "invalid_request", 9002313},
		{"parameters in the address", good, "", func(r *http.Request) { r.URL.RawQuery = form() }, 400, "invalid_request", 900144},
		{"reading", good, "", func(r *http.Request) { r.Method = http.MethodGet }, 405, "invalid_request", 900561},
		{"the older endpoint", good, form(), func(r *http.Request) { r.URL.Path = "/" + good + "/oauth2/token" }, 400, "invalid_request", 9002313},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := tokenRequest(t, server, test.tenant, test.body)
			if test.change != nil {
				test.change(r)
			}
			got := do(t, server, r)
			wantRefusal(t, got, test.status, test.error, test.code)
			if challenge := got.header.Get("WWW-Authenticate"); (challenge != "") != (test.status == 401) {
				t.Errorf("WWW-Authenticate is %q", challenge)
			}
			if strings.Contains(got.text, goodSecret) || strings.Contains(got.text, otherSecret) {
				t.Errorf("a secret is in the answer: %s", got.text)
			}
		})
	}
}

func TestTheClientsOwnRequestIDIsTheCorrelationID(t *testing.T) {
	t.Parallel()
	server := newWorld(t).serve(t)
	for sent, taken := range map[string]bool{nowhere.String(): true, "<script>": false} {
		r := tokenRequest(t, server, contosoDomain, "")
		r.Header.Set("client-request-id", sent)
		if got := do(t, server, r); (got.body["correlation_id"] == sent) != taken {
			t.Errorf("sent %q, answered %v", sent, got.body["correlation_id"])
		}
	}
}

func TestASecretIsRotatedAndEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.serve(t)
	status := func(secret string) int {
		return do(t, server, tokenRequest(t, server, contosoDomain, form("client_secret", secret))).status
	}
	if status(goodSecret) != 200 || status(otherSecret) != 200 {
		t.Error("one of two secrets is refused")
	}
	w.clock.advance(time.Hour - time.Nanosecond)
	if status(otherSecret) != 200 {
		t.Error("a secret is refused before its end")
	}
	w.clock.advance(time.Nanosecond)
	if status(otherSecret) != 401 || status(goodSecret) != 200 {
		t.Error("a secret works after its end, or the other does not")
	}
	fresh, err := NewSecret(bytes.NewReader(bytes.Repeat([]byte{0xff}, secretBytes)))
	if err != nil || fresh != strings.Repeat("_", 42)+"8" {
		t.Fatalf("new secret is %q, %v", fresh, err)
	}
	w.town.change(func() {
		app := w.town.apps[appID]
		app.Secrets = []Secret{{Hash: HashSecret(fresh), Expires: w.clock.now()}, {Hash: HashSecret(fresh), Expires: w.clock.now().Add(time.Hour)}}
		w.town.apps[appID] = app
	})
	if status(goodSecret) != 401 || status(fresh) != 200 {
		t.Error("the old secret works, or the new one does not")
	}
}

func TestWithoutRandomnessThereIsNoSecretAndNoToken(t *testing.T) {
	t.Parallel()
	empty := errors.New("no randomness")
	if secret, err := NewSecret(failing{empty}); !errors.Is(err, empty) || secret != "" {
		t.Errorf("answered %q, %v", secret, err)
	}
	w := newWorld(t, func(c *Config) { c.Random = failing{empty} })
	if _, err := w.Issue(robot()); !errors.Is(err, empty) {
		t.Errorf("answered %v", err)
	}
	server := w.serve(t)
	got := do(t, server, tokenRequest(t, server, contosoDomain, form()))
	wantRefusal(t, got, http.StatusServiceUnavailable, "temporarily_unavailable", 90033)
	if strings.Contains(got.text, "no randomness") {
		t.Errorf("the answer tells what is inside: %s", got.text)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
