package graph

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"licensor/internal/graph/devkit"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/route"
	"licensor/internal/graph/throttle"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// limited is a world whose server has limits.
func limited(t *testing.T, l throttle.Limits) *world {
	w := newWorld(t)
	config := w.config()
	config.Limits, config.Development = l, devkit.New(w.moved, w.tenants.Loaded)
	w.server = newServer(t, New(config))
	w.once = true
	return w
}

func (a answer) want(t testing.TB, status int, headers ...string) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status is %d, want %d: %s", a.status, status, a.body)
	}
	for _, line := range headers {
		name, want, _ := strings.Cut(line, ": ")
		if got := a.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

const domains = "/v1.0/domains" // costs 1

func TestAnApplicationIsToldHowMuchIsLeftAndThenRefused(t *testing.T) {
	t.Parallel()
	w := limited(t, throttle.Limits{PerApplication: 10})
	token := w.appToken(allPermissions...)
	for range 7 {
		w.do("GET", domains, token, "").want(t, 200, "x-ms-resource-unit: 1", "RateLimit-Limit: ", "x-ms-throttle-limit-percentage: ")
	}
	w.do("GET", domains, token, "").want(t, 200, "RateLimit-Limit: 10", "RateLimit-Remaining: 2", "RateLimit-Reset: 8", "x-ms-throttle-limit-percentage: 0.8")
	w.do("GET", domains, token, "").want(t, 200, "RateLimit-Remaining: 1", "x-ms-throttle-limit-percentage: 0.9")
	w.do("GET", domains, token, "").want(t, 200, "RateLimit-Remaining: 0", "x-ms-throttle-limit-percentage: 1")
	refused := w.do("GET", "/v1.0/users", token, "")
	refused.want(t, 429, "Retry-After: 2", "RateLimit-Limit: 10", "RateLimit-Remaining: 0", "RateLimit-Reset: 2", "x-ms-resource-unit: 2",
		"x-ms-throttle-limit-percentage: 1.17", "x-ms-throttle-information: ResourceUnitLimitExceeded",
		fmt.Sprintf("x-ms-throttle-scope: Tenant_Application/ReadWrite/%s/%s", w.app.AppID, w.tenant.ID()))
	for _, want := range []string{`{"error":{"code":"TooManyRequests","message":"Please retry again later."`, `"request-id":`, "Send it again after 2 s."} {
		if !strings.Contains(refused.body, want) {
			t.Errorf("the body lacks %s: %s", want, refused.body)
		}
	}
	w.clock.Add(2)
	w.do("GET", "/v1.0/users", token, "").want(t, 200)
	w.do("GET", domains, token, "").want(t, 429)
	w.clock.Add(10)
	w.do("GET", domains, token, "").want(t, 200, "RateLimit-Limit: ")
}

func TestEachApplicationHasABucketAndTheTenantOne(t *testing.T) {
	t.Parallel()
	w := limited(t, throttle.Limits{PerApplication: 4, PerTenant: 6, Window: 5 * time.Second})
	other := newClient("Other")
	_, err := w.tenant.Do(t.Context(), "system", tenant.SetClient{Client: other})
	w.must(err)
	first := w.appToken(allPermissions...)
	second, err := w.authority.Issue(identity.Claims{
		Tenant: w.tenant.ID(), ObjectID: other.Principal.ID, AppID: other.AppID, Permissions: allPermissions,
	})
	w.must(err)
	for range 4 {
		w.do("GET", domains, first, "").want(t, 200)
	}
	w.do("GET", domains, first, "").want(t, 429)
	w.do("GET", domains, second, "").want(t, 200, "RateLimit-Limit: 6", "RateLimit-Remaining: 1")
	w.do("GET", domains, second, "").want(t, 200)
	w.do("GET", domains, second, "").want(t, 429, "RateLimit-Limit: 6", "Retry-After: 1", fmt.Sprintf("x-ms-throttle-scope: Tenant/ReadWrite/%s/%s", other.AppID, w.tenant.ID()))
	// What the tenant refuses costs the application nothing: 2 of its 4 are left, and more by now.
	w.clock.Add(5)
	for range 4 {
		w.do("GET", domains, second, "").want(t, 200)
	}
	w.do("GET", domains, second, "").want(t, 429, "RateLimit-Limit: 4")
}

func TestEachRequestOfABatchCountsForItself(t *testing.T) {
	t.Parallel()
	w := limited(t, throttle.Limits{PerApplication: 3})
	token := w.appToken(allPermissions...)
	var steps []string
	for i := range 5 {
		step := fmt.Sprintf(`{"id":"%d","method":"GET","url":"/domains"`, i)
		if i > 0 {
			step += fmt.Sprintf(`,"dependsOn":["%d"]`, i-1) // one after the other
		}
		steps = append(steps, step+"}")
	}
	got := w.do("POST", "/v1.0/$batch", token, `{"requests":[`+strings.Join(steps, ",")+`]}`)
	got.want(t, 200, "x-ms-resource-unit: ", "Retry-After: ")
	for _, want := range []string{`{"id":"2","status":200,`, `{"id":"3","status":429,`, `"Retry-After":"4"`, `"RateLimit-Limit":"3"`, `"x-ms-resource-unit":"1"`, `{"id":"4","status":424,`} {
		if !strings.Contains(got.body, want) {
			t.Errorf("the answer lacks %s: %s", want, got.body)
		}
	}
}

func TestWhatIsNotThereCountsToo(t *testing.T) {
	t.Parallel()
	w := limited(t, throttle.Limits{PerApplication: 3})
	token := w.appToken(allPermissions...)
	w.do("GET", "/v1.0/nothing", token, "").want(t, 404)
	w.do("GET", "/v1.0/users?$top=x", token, "").want(t, 400)
	w.do("GET", "/v1.0/nothing", token, "").want(t, 429)
}

func TestTheClockOfDevelopmentIsNotLimited(t *testing.T) {
	t.Parallel()
	w := limited(t, throttle.Limits{PerApplication: 1})
	token := w.appToken(allPermissions...)
	w.do("GET", domains, token, "").want(t, 200)
	w.do("GET", domains, token, "").want(t, 429)
	w.do("PUT", "/licensor/v1/development/clock", token, `{"advance":"PT10S"}`).want(t, 200, "x-ms-resource-unit: ")
	w.do("GET", domains, token, "").want(t, 200)
	w.do("GET", domains, token, "").want(t, 429)
	w.do("PUT", "/licensor/v1/development/clock", token, `{"now":"2026-01-31T12:00:05Z"}`).want(t, 200)
	w.do("GET", domains, token, "").want(t, 200)
}

func TestCosts(t *testing.T) {
	t.Parallel()
	routes := newRoutes(furtherOperations)
	for _, test := range []struct {
		method, path, query string
		want                int
	}{
		{"GET", "/v1.0/users", "", 2},
		{"GET", "/v1.0/users", "$select=id", 1},
		{"GET", "/v1.0/users", "$top=19", 1},
		{"GET", "/v1.0/users", "$top=20", 2},
		{"GET", "/v1.0/users", "$expand=manager", 3},
		{"GET", "/v1.0/users", "$expand=manager&$select=id&$top=5", 1},
		{"GET", "/v1.0/users/x", "", 1},
		{"GET", "/v1.0/users/x", "$select=id", 1},
		{"PATCH", "/v1.0/users/x", "", 1},
		{"GET", "/v1.0/me/memberOf", "", 2},
		{"GET", "/beta/groups/x/members", "", 3},
		{"GET", "/beta/groups/x/transitiveMembers", "", 5},
		{"GET", "/beta/groups/x/transitiveMembers", "$expand=memberOf", 6},
		{"GET", "/v1.0/subscribedSkus", "", 3},
		{"POST", "/v1.0/users/x/assignLicense", "", 1},
		{"POST", "/v1.0/$batch", "", 0},
		{"PUT", "/licensor/v1/development/clock", "", 0},
		{"POST", "/licensor/v1/reprocess", "", 5},
	} {
		path, _ := route.Segments(test.path)
		m, _, ok := routes.Find(path)
		if !ok {
			t.Fatalf("%s leads nowhere", test.path)
		}
		options, err := odata.Parse(test.query)
		if err != nil {
			t.Fatal(err)
		}
		r := &wire.Request{Op: m.Place.Operations[test.method]}
		if got := r.Cost(options); got != test.want {
			t.Errorf("%s %s?%s costs %d, want %d", test.method, test.path, test.query, got, test.want)
		}
	}
}

// TestTheTableOfCostsNamesOperations finds what stands in the table and is not, or no longer, an
// operation's name.
func TestTheTableOfCostsNamesOperations(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for i := range everyOperation {
		known[everyOperation[i].Method+" "+everyOperation[i].Path] = true
	}
	for name := range throttle.Costs {
		if !known[name] {
			t.Errorf("%s is no operation", name)
		}
	}
}

func TestStrangersAreBoundedByAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config := w.config()
	config.Limits = throttle.Limits{PerApplication: 20}
	api := New(config)
	ask := func(from, path, token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.RemoteAddr = from
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		a := httptest.NewRecorder()
		api.ServeHTTP(a, r)
		return a
	}
	good := w.appToken(allPermissions...)
	for _, test := range []struct {
		what, from, path, token string
		want                    int
	}{
		{"no token", "192.0.2.1:1000", domains, "", 401},
		{"what is open counts, too", "192.0.2.1:1001", "/v1.0/$metadata", "", 200},
		{"no more without a token", "192.0.2.1:1002", domains, "", 429},
		{"nor what is open", "192.0.2.1:1003", "/licensor/v1/openapi.yaml", "", 429},
		{"nor with a bad one", "192.0.2.1:1003", domains, "a.b.c", 429},
		{"a good one is not touched by it", "192.0.2.1:1004", domains, good, 200},
		{"nor another address", "192.0.2.2:1000", domains, "", 401},
		{"as IPv6 it is the same address", "[::ffff:192.0.2.1]:1000", domains, "", 429},
		{"of IPv6, a network", "[2001:db8:0:1::1]:1000", domains, "", 401},
		{"has the same bucket", "[2001:db8:0:1::2]:1000", domains, "", 401},
		{"for all its addresses", "[2001:db8:0:1:ffff::3]:1000", domains, "", 429},
		{"another does not", "[2001:db8:0:2::1]:1000", domains, "", 401},
		{"loopback", "127.0.0.1:1000", domains, "", 401},
		{"is not counted", "127.0.0.1:1000", domains, "", 401},
		{"in any form", "127.0.0.1:1000", domains, "", 401},
		{"nor as IPv6", "[::1]:1000", domains, "", 401},
	} {
		got := ask(test.from, test.path, test.token)
		if got.Code != test.want {
			t.Errorf("%s: %d, want %d: %s", test.what, got.Code, test.want, got.Body)
		}
		if got.Code == 429 && got.Header().Get("Retry-After") != "5" { // 2 in 10 s
			t.Errorf("%s: Retry-After is %q", test.what, got.Header().Get("Retry-After"))
		}
	}
	w.clock.Add(5)
	if got := ask("192.0.2.1:1000", domains, ""); got.Code != 401 {
		t.Errorf("after what Retry-After says: %d", got.Code)
	}
}
