package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
)

// RFC 6750 section 2: a token is taken from the header Authorization, which is one, and
// from nowhere else.
func TestATokenIsTakenFromTheHeaderOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, other := w.appToken(allPermissions...), w.appToken("User.Read.All")
	for name, test := range map[string]struct {
		method, query, body string
		header              http.Header
	}{
		"in the query":                  {"GET", "?access_token=" + token, "", nil},
		"in the query, by another name": {"GET", "?token=" + token + "&authorization=Bearer%20" + token, "", nil},
		"in a form":                     {"POST", "", "access_token=" + token, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}},
		"in a body of JSON":             {"POST", "", `{"access_token":"` + token + `"}`, http.Header{"Content-Type": {wire.JSONType}}},
		"in a cookie":                   {"GET", "", "", http.Header{"Cookie": {"access_token=" + token + "; Authorization=Bearer " + token}}},
		"in another header":             {"GET", "", "", http.Header{"X-Authorization": {"Bearer " + token}, "X-Access-Token": {token}}},
		"for a proxy":                   {"GET", "", "", http.Header{"Proxy-Authorization": {"Bearer " + token}}},
		"without a scheme":              {"GET", "", "", http.Header{"Authorization": {token}}},
		"with another scheme":           {"GET", "", "", http.Header{"Authorization": {"Basic " + token}}},
		"with DPoP's scheme":            {"GET", "", "", http.Header{"Authorization": {"DPoP " + token}}},
		"two in one header":             {"GET", "", "", http.Header{"Authorization": {"Bearer " + token + ", Bearer " + other}}},
		"two in two headers":            {"GET", "", "", http.Header{"Authorization": {"Bearer " + token, "Bearer " + other}}},
		"one twice":                     {"GET", "", "", http.Header{"Authorization": {"Bearer " + token, "Bearer " + token}}},
		"an empty one first":            {"GET", "", "", http.Header{"Authorization": {"", "Bearer " + token}}},
		"the scheme twice":              {"GET", "", "", http.Header{"Authorization": {"Bearer Bearer " + token}}},
		"with a name":                   {"GET", "", "", http.Header{"Authorization": {"Bearer token=" + token}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.sendAs(t, test.method, "/v1.0/users"+test.query, test.body, test.header)
			if got.status != http.StatusUnauthorized || !strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("%d %s; want 401", got.status, got.body)
			}
			if strings.Contains(got.body+fmt.Sprint(got.header), token) {
				t.Error("the answer repeats the token")
			}
		})
	}
	if got := w.sendAs(t, "GET", "/v1.0/users", "", http.Header{"Authorization": {"bearer  " + token}}); got.status != http.StatusOK {
		t.Errorf("the scheme in small letters: %d %s", got.status, got.body) // RFC 9110 section 11.1
	}
	if logged := w.logged(); strings.Contains(logged, token) {
		t.Error("the log has the token")
	}
}

func (w *world) sendAs(t *testing.T, method, path, body string, header http.Header) answer {
	t.Helper()
	request, err := http.NewRequest(method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	return w.fetch(t, request)
}

// The requests of a batch are asked for by its caller, whatever their own headers say.
func TestABatchLetsNobodyDoMore(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	admin := m.appToken(m.known...)
	steps := map[string][]map[string]any{} // by the root of their batch
	for _, op := range m.operations() {
		rule, path := m.rules[op.name], op.objects[len(op.objects)-1].path
		if rule == nil || rule.open || rule.anyone || strings.HasPrefix(path, route.Own) {
			continue
		}
		root := "/v1.0"
		if strings.HasPrefix(path, "/beta/") {
			root = "/beta"
		}
		steps[root] = append(steps[root], map[string]any{
			"method": op.method, "url": strings.TrimPrefix(path, root),
			"headers": map[string]string{"Authorization": "Bearer " + admin, "If-Match": `W/"none"`},
		})
	}
	callers := []matrixCaller{{permissions: []string{"Mail.Read"}}, {permissions: []string{"Mail.Read"}, delegated: true, roles: nil}}
	for _, caller := range callers {
		for root, all := range steps {
			for some := range slices.Chunk(all, maxSteps) {
				m.batch(t, root, caller, some)
			}
		}
	}
}

func (m *matrix) batch(t *testing.T, root string, caller matrixCaller, steps []map[string]any) {
	t.Helper()
	for i := range steps {
		steps[i]["id"] = fmt.Sprint(i)
	}
	body, err := json.Marshal(map[string]any{"requests": steps})
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Authorization": {"Bearer " + m.tokens.of(caller)}, "Content-Type": {wire.JSONType}}
	got := m.sendAs(t, "POST", root+"/$batch", string(body), header)
	var answers struct {
		Responses []struct {
			ID     string
			Status int
		}
	}
	if err := json.Unmarshal([]byte(got.body), &answers); err != nil || len(answers.Responses) != len(steps) {
		t.Fatalf("%d %s (%v)", got.status, got.body, err)
	}
	for i, answer := range answers.Responses {
		if answer.Status != http.StatusForbidden {
			t.Errorf("%s %s in a batch by %s: %d", steps[i]["method"], steps[i]["url"], caller, answer.Status)
		}
	}
}

// No one learns without a token what there is, nor with one of another kind what the server is.
func TestStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := ""
	for _, path := range []string{
		"/v1.0/users", "/v1.0/nothing", "/v1.0/users/" + url.PathEscape("ann@contoso.example"), "/beta/groups", "/licensor/v1/settings", "/licensor/v1/nothing",
		"/v1.0/devices", "/v1.0/$batch", "/.git/config", "/v1.0/../users", "/debug/pprof/", "/metrics/x",
	} {
		for _, method := range []string{"GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE"} {
			got := w.sendAs(t, method, path, "", nil)
			if got.status != http.StatusUnauthorized {
				t.Errorf("%s %s: %d %s", method, path, got.status, got.body)
			}
			said := readMessage(got.body) + got.header.Get("Allow") + got.header.Get("Server") + got.header.Get("X-Powered-By")
			if want == "" {
				want = said
			}
			if said != want {
				t.Errorf("%s %s says %q, others say %q", method, path, said, want)
			}
		}
	}
}
