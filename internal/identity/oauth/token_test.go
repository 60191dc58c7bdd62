package oauth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"licensor/internal/identity"
)

// form is a good request's body, changed by pairs of name and value; an empty value removes.
func form(pairs ...string) url.Values {
	return with(url.Values{
		"grant_type": {"client_credentials"}, "client_id": {robot.String()}, "client_secret": {goodSecret}, "scope": {identity.GraphURL + "/.default"},
	}, pairs...)
}

func TestAnApplicationIsGivenATokenThatWeAccept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for scope, audience := range map[string]string{
		identity.GraphURL + "/.default":                               identity.GraphURL,
		identity.GraphURL + "//.default":                              identity.GraphURL,
		identity.GraphURL + "/.default openid offline_access profile": identity.GraphURL, // as MSAL for Go asks
		identity.GraphAppID + "/.default":                             identity.GraphAppID,
		w.https.URL + "/.default":                                     w.https.URL,
		w.https.URL + "//.default":                                    w.https.URL,
	} {
		for _, tenant := range []string{contoso.String(), contosoDomain} {
			got := w.post(t, "/"+tenant+"/oauth2/v2.0/token", form("scope", scope))
			if got.status != http.StatusOK || got.body["token_type"] != "Bearer" || got.body["expires_in"] != 3899.0 || got.body["ext_expires_in"] != 3899.0 {
				t.Fatalf("%s: %d %s", scope, got.status, got.text)
			}
			if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Pragma") != "no-cache" {
				t.Errorf("the answer may be cached: %v", got.header)
			}
			raw := got.body["access_token"].(string)
			caller, err := w.config.Authority.Verify(t.Context(), raw)
			if err != nil {
				t.Fatal(err)
			}
			if caller.AppID != robot || caller.Delegated || !slices.Equal(caller.Permissions, []string{"LicenseAssignment.ReadWrite.All", "User.Read.All"}) {
				t.Errorf("caller is %+v", caller)
			}
			wantClaims(t, raw, map[string]any{
				"aud": audience, "iss": w.https.URL + "/" + contoso.String() + "/v2.0", "tid": contoso.String(),
				"iat": float64(start.Unix()), "nbf": float64(start.Unix()),
				"exp":   float64(start.Add(identity.Lifetime + 5*time.Minute).Unix()),
				"appid": robot.String(), "azp": robot.String(), "appidacr": "1", "azpacr": "1", "idtyp": "app",
				"app_displayname": "Robot", "idp": w.https.URL + "/" + contoso.String() + "/v2.0", "tenant_region_scope": "WW",
				"oid": principalOf(robot).String(), "sub": principalOf(robot).String(), "ver": "2.0",
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
	const awkward = "a:b%c+d e"
	w.town.changeApp(robot, func(app *identity.App) {
		app.Secrets = append(app.Secrets, identity.Secret{Hash: identity.HashSecret(awkward)})
	})
	for _, body := range []url.Values{form("client_secret", "", "client_id", ""), form("client_secret", "")} {
		r := w.request(t, tokenPath, body.Encode())
		r.SetBasicAuth(robot.String(), url.QueryEscape(awkward))
		if got := do(t, w.https.Client(), r); got.status != http.StatusOK {
			t.Errorf("%s: %d %s", body, got.status, got.text)
		}
	}
}

// A30
func TestEveryRefusalOfTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
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
		{"an unknown tenant", nowhere.String(), form().Encode(), nil, 400, "invalid_request", 90002},
		{"an unknown domain", "evil.example", form().Encode(), nil, 400, "invalid_request", 90002},
		{"personal accounts", "consumers", form().Encode(), nil, 400, "invalid_request", 90002},
		{"any tenant", "common", form().Encode(), nil, 400, "invalid_request", 50059},
		{"any organization", "organizations", form().Encode(), nil, 400, "invalid_request", 50059},
		{"no grant", good, form("grant_type", "").Encode(), nil, 400, "invalid_request", 900144},
		{"an empty body", good, "", nil, 400, "invalid_request", 900144},
		{"no client", good, form("client_id", "").Encode(), nil, 400, "invalid_request", 900144},
		{"no secret", good, form("client_secret", "").Encode(), nil, 401, "invalid_client", 7000218},
		{"no scope", good, form("scope", "").Encode(), nil, 400, "invalid_request", 900144},
		{"an unknown grant", good, form("grant_type", "magic").Encode(), nil, 400, "unsupported_grant_type", 70003},
		{"a scope of one permission", good, form("scope", identity.GraphURL+"/User.Read").Encode(), nil, 400, "invalid_scope", 70011},
		{"a scope of another resource", good, form("scope", "https://management.azure.com/.default").Encode(), nil, 400, "invalid_scope", 70011},
		{"two scopes", good, form("scope", identity.GraphURL+"/.default User.Read").Encode(), nil, 400, "invalid_scope", 70011},
		{"no resource", good, form("scope", "/.default").Encode(), nil, 400, "invalid_scope", 70011},
		{"an unknown application", good, form("client_id", nowhere.String()).Encode(), nil, 400, "unauthorized_client", 700016},
		{"no id of an application", good, form("client_id", "robot").Encode(), nil, 400, "unauthorized_client", 700016},
		{"an id in another form", good, form("client_id", "urn:uuid:"+robot.String()).Encode(), nil, 400, "unauthorized_client", 700016},
		{"an id between others", good, form("client_id", "x"+robot.String()+"y").Encode(), nil, 400, "unauthorized_client", 700016},
		{"an application of another tenant", fabrikam.String(), form().Encode(), nil, 400, "unauthorized_client", 700016},
		{"a bad secret", good, form("client_secret", "bad").Encode(), nil, 401, "invalid_client", 7000215},
		{"the hash of the secret", good, form("client_secret", fmt.Sprintf("%x", identity.HashSecret(goodSecret))).Encode(), nil, 401, "invalid_client", 7000215},
		{"an expired secret", good, form("client_secret", expiredText).Encode(), nil, 401, "invalid_client", 7000222},
		{"a disabled application", good, form("client_id", brokenApp.String()).Encode(), nil, 400, "unauthorized_client", 7000112},
		{"a disabled application with a bad secret", good, form("client_id", brokenApp.String(), "client_secret", "x").Encode(), nil, 401, "invalid_client", 7000215},
		{"an assertion", good, form("client_secret", "", "client_assertion", "x").Encode(), nil, 401, "invalid_client", 700027},
		{"a bad secret in the header", good, form("client_secret", "").Encode(), basic(robot.String(), "x"), 401, "invalid_client", 7000215},
		{"two secrets", good, form().Encode(), basic(robot.String(), goodSecret), 400, "invalid_request", 9002313},
		{"two clients", good, form("client_secret", "").Encode(), basic(brokenApp.String(), goodSecret), 400, "invalid_request", 9002313},
		{"a header that is not encoded", good, form("client_secret", "").Encode(), basic(robot.String(), "%zz"), 400, "invalid_request", 9002313},
		{"a parameter twice", good, form().Encode() + "&scope=x", nil, 400, "invalid_request", 9002313},
		{"a bad form", good, "grant_type=%zz", nil, 400, "invalid_request", 9002313},
		{"JSON", good, "{}", content("application/json"), 415, "invalid_request", 9002313},
		{"no type", good, form().Encode(), content(""), 415, "invalid_request", 9002313},
		{"a large body", good, form("x", strings.Repeat("x", maxForm)).Encode(), nil, 413, "invalid_request", 9002313},
		{"parameters in the address", good, "", func(r *http.Request) { r.URL.RawQuery = form().Encode() }, 400, "invalid_request", 900144},
		{"reading", good, "", func(r *http.Request) { r.Method = http.MethodGet }, 405, "invalid_request", 900561},
		{"the older endpoint without resource", good, form().Encode(), func(r *http.Request) { r.URL.Path = "/" + good + "/oauth2/token" }, 400, "invalid_request", 900144},
		{"the older endpoint for another resource", good, form("resource", "https://management.azure.com").Encode(), func(r *http.Request) { r.URL.Path = "/" + good + "/oauth2/token" }, 400, "invalid_scope", 70011},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := w.request(t, "/"+test.tenant+"/oauth2/v2.0/token", test.body)
			if test.change != nil {
				test.change(r)
			}
			got := do(t, w.https.Client(), r)
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
	w := newWorld(t)
	for sent, taken := range map[string]bool{nowhere.String(): true, "<script>": false} {
		if got := w.post(t, tokenPath, nil, "client-request-id", sent); (got.body["correlation_id"] == sent) != taken {
			t.Errorf("sent %q, answered %v", sent, got.body["correlation_id"])
		}
	}
}

func TestASecretIsRotatedAndEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	status := func(secret string) int {
		return w.post(t, tokenPath, form("client_secret", secret)).status
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
	const fresh = "fresh-secret"
	w.town.changeApp(robot, func(app *identity.App) {
		app.Secrets = []identity.Secret{
			{Hash: identity.HashSecret(fresh), Expires: w.clock.now()},
			{Hash: identity.HashSecret(fresh), Expires: w.clock.now().Add(time.Hour)},
		}
	})
	if status(goodSecret) != 401 || status(fresh) != 200 {
		t.Error("the old secret works, or the new one does not")
	}
}

func TestWithoutRandomnessThereIsNoToken(t *testing.T) {
	t.Parallel()
	empty := errors.New("no randomness")
	w := newWorld(t, func(c *Config) { c.Random = failing{empty} })
	got := w.post(t, tokenPath, form())
	wantRefusal(t, got, http.StatusServiceUnavailable, "temporarily_unavailable", 90033)
	if strings.Contains(got.text, "no randomness") {
		t.Errorf("the answer tells what is inside: %s", got.text)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A1
func TestTheOlderEndpointTakesAResource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, resource := range []string{identity.GraphURL, identity.GraphURL + "/", w.https.URL, identity.GraphAppID} {
		got := w.post(t, "/"+contosoDomain+"/oauth2/token", form("scope", "", "resource", resource))
		want := map[string]any{
			"token_type": "Bearer", "expires_in": "3899", "ext_expires_in": "3899", "resource": resource,
			"expires_on": fmt.Sprint(start.Unix() + 3899), "not_before": fmt.Sprint(start.Unix() - 1), "access_token": got.body["access_token"],
		}
		if got.status != http.StatusOK || fmt.Sprint(got.body) != fmt.Sprint(want) {
			t.Fatalf("%s: %d %s", resource, got.status, got.text)
		}
		if _, err := w.config.Authority.Verify(t.Context(), got.body["access_token"].(string)); err != nil {
			t.Error(err)
		}
	}
}

// Scripts log in before each call; see givenTokens.
func TestAnApplicationThatAsksAgainIsGivenTheSameToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ask := func(pairs ...string) (string, float64) {
		got := w.post(t, tokenPath, form(pairs...))
		if got.status != http.StatusOK {
			t.Fatalf("answered %d %s", got.status, got.text)
		}
		return got.body["access_token"].(string), got.body["expires_in"].(float64)
	}
	first, seconds := ask()
	w.clock.advance(4*time.Minute + 59*time.Second)
	if again, left := ask("client_secret", otherSecret); again != first ||
		left != seconds-299 || left < identity.Lifetime.Seconds() {
		t.Errorf("another token, or %v seconds left of %v", left, seconds)
	}
	if other, _ := ask("scope", w.https.URL+"/.default"); other == first {
		t.Error("the same token for another audience")
	}
	w.clock.advance(time.Second)
	fresh, left := ask()
	if fresh == first || left != seconds {
		t.Errorf("the same token after five minutes, or %v seconds left", left)
	}
	w.town.changeApp(robot, func(app *identity.App) { app.Permissions = app.Permissions[:1] })
	if other, _ := ask(); other == fresh {
		t.Error("the same token with fewer permissions")
	}
	if got := w.post(t, tokenPath, form("client_secret", "bad")); got.status != http.StatusUnauthorized {
		t.Errorf("a token without the secret: %d", got.status)
	}
	w.town.changeApp(robot, func(app *identity.App) { app.Enabled = false })
	if got := w.post(t, tokenPath, form()); got.status != http.StatusBadRequest {
		t.Errorf("a token for a disabled application: %d", got.status)
	}
}

// A token gotten under a false name is what it would be under the true one: of the same
// application, for us only, and not for what the false name may stand for.
func TestAFalseHostGainsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.request(t, tokenPath, form("scope", "https://evil.example/.default").Encode())
	r.Host = "evil.example"
	got := do(t, w.https.Client(), r)
	raw, _ := got.body["access_token"].(string)
	caller, err := w.config.Authority.Verify(t.Context(), raw)
	if err != nil || caller.AppID != robot || caller.Tenant != contoso {
		t.Errorf("caller is %+v, %v", caller, err)
	}
	other := issue(t, w, identity.Claims{
		Root: w.https.URL, Audience: "https://evil.example",
		Tenant: contoso, ObjectID: principalOf(robot), AppID: robot,
	})
	if caller, err := w.config.Authority.Verify(t.Context(), other); err == nil {
		t.Errorf("a token for another resource is accepted, of %+v", caller)
	}
}
