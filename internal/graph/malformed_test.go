package graph

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"licensor/internal/graph/wire"
	"licensor/internal/identity"
)

const (
	e3        = "6fd2c87f-b296-42f0-b197-1e91e994b900"
	nobodysID = "c0000000-0000-4000-8000-00000000000f"
)

// withAnn is a world with a user, Ann, and objects to address.
func withAnn(t testing.TB) (w *world, ann string) {
	w = newWorld(t)
	made := w.do("POST", "/v1.0/users", w.appToken(allPermissions...), `{"accountEnabled":true,"displayName":"Ann","mailNickname":"ann","userPrincipalName":"ann@contoso.example","passwordProfile":{"password":"Tulip-5-tree!"},"usageLocation":"DE"}`)
	var user struct{ ID string }
	if err := json.Unmarshal([]byte(made.body), &user); err != nil || made.status != http.StatusCreated {
		t.Fatalf("create Ann: %d %s", made.status, made.body)
	}
	return w, user.ID
}

func TestMalformedRequestsAreRefusedInGraphsTerms(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	token := w.appToken(allPermissions...)
	assign := "/v1.0/users/" + ann + "/assignLicense"
	group := `{"displayName":"Red","mailEnabled":false,"mailNickname":"red","securityEnabled":true`
	var many []string
	for range 21 {
		many = append(many, `"https://graph.microsoft.com/v1.0/directoryObjects/`+nobodysID+`"`)
	}
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code, message            string
	}{
		{"unknown segment", "GET", "/v1.0/teapots", "", nil, 404, "ResourceNotFound", "Resource not found for the segment 'teapots'."},
		{"unknown root", "GET", "/v2.0/users", "", nil, 404, "ResourceNotFound", "segment 'v2.0'"},
		{"method not allowed", "PUT", "/v1.0/users", "", nil, 405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."},
		{"not served yet", "GET", "/v1.0/auditLogs/provisioning", "", nil, 501, "NotImplemented", "/auditLogs"},
		{"not served yet, anything below", "GET", "/v1.0/applications/1/extensionProperties", "", nil, 501, "NotImplemented", "/applications"},
		{"malformed key", "GET", "/v1.0/users/not-a-guid", "", nil, 404, "Request_ResourceNotFound", "Resource 'not-a-guid' does not exist"},
		{"malformed key of a group", "GET", "/v1.0/groups/not-a-guid", "", nil, 404, "Request_ResourceNotFound", "Resource 'not-a-guid'"},
		{"bad encoding in the query", "GET", "/v1.0/users?$filter=%f", "", nil, 400, "BadRequest", "not encoded"},
		{"option twice", "GET", "/v1.0/users?$top=1&top=2", "", nil, 400, "BadRequest", "more than once"},
		{"option of lists on one object", "GET", "/v1.0/users/" + ann + "?$top=1", "", nil, 400, "Request_UnsupportedQuery", "$top"},
		{"filter on the name of managers", "GET", "/v1.0/users?$filter=manager/displayName eq '" + e3 + "'", "", nil, 400, "Request_UnsupportedQuery", "for property 'manager' of resource 'User'"},

		{"no body", "POST", assign, "", nil, 400, "BadRequest", "Unable to read JSON request payload."},
		{"not JSON", "POST", assign, "{", nil, 400, "BadRequest", "Unable to read JSON request payload."},
		{"no object", "POST", assign, "[]", nil, 400, "BadRequest", "Unable to read JSON request payload."},
		{"something behind the end", "POST", assign, `{"addLicenses":[],"removeLicenses":[]}{}`, nil, 400, "BadRequest", "Unable to read JSON request payload."},
		{"a name twice", "POST", assign, `{"addLicenses":[],"addLicenses":[],"removeLicenses":[]}`, nil, 400, "BadRequest", "Unable to read JSON request payload."},
		{"a name twice inside", "POST", assign, `{"addLicenses":[{"skuId":"` + e3 + `","skuId":"` + e3 + `"}],"removeLicenses":[]}`, nil, 400, "BadRequest", "Unable to read JSON request payload."},
		{"a member missing", "POST", assign, `{"addLicenses":[]}`, nil, 400, "Request_BadRequest", "The missing parameters are: removeLicenses."},
		{"unknown member", "POST", assign, `{"addLicenses":[],"removeLicenses":[],"force":true}`, nil, 400, "Request_BadRequest", "Invalid property 'force'."},
		{"unknown member inside", "POST", assign, `{"addLicenses":[{"skuId":"` + e3 + `","seats":1}],"removeLicenses":[]}`, nil, 400, "Request_BadRequest", "Invalid property 'seats'."},
		{"no GUID", "POST", assign, `{"addLicenses":[{"skuId":"E3"}],"removeLicenses":[]}`, nil, 400, "Request_BadRequest", "Cannot convert a primitive value to the expected type 'Edm.Guid'. See the inner exception for more details."},
		{"no GUID in braces", "POST", assign, `{"addLicenses":[],"removeLicenses":["{` + e3 + `}"]}`, nil, 400, "Request_BadRequest", "Cannot convert a primitive value to the expected type 'Edm.Guid'. See the inner exception for more details."},
		{"no list", "POST", assign, `{"addLicenses":{},"removeLicenses":[]}`, nil, 400, "Request_BadRequest", "addLicenses"},
		{"null for a list", "POST", assign, `{"addLicenses":[],"removeLicenses":null}`, nil, 400, "Request_BadRequest", "Collection(Edm.Guid)"},
		{"no object in the list", "POST", assign, `{"addLicenses":["` + e3 + `"],"removeLicenses":[]}`, nil, 400, "BadRequest", "Unable to read JSON request payload."},
		{"the same SKU twice", "POST", assign, `{"addLicenses":[{"skuId":"` + e3 + `"},{"skuId":"` + e3 + `"}],"removeLicenses":[]}`, nil, 400, "Request_BadRequest", e3},
		{"not subscribed", "POST", assign, `{"addLicenses":[{"skuId":"` + e3 + `"}],"removeLicenses":[]}`, nil, 400, "Request_BadRequest", "License " + e3 + " does not correspond to a valid company License."},
		{"another type of body", "POST", assign, "a=b", []string{"Content-Type: application/x-www-form-urlencoded"}, 400, "BadRequest", "Entity only allows writes with a JSON Content-Type header."},
		{"another encoding", "POST", assign, "{}", []string{"Content-Encoding: br"}, 415, "", "'br'"},
		{"not compressed as it says", "POST", assign, "{}", []string{"Content-Encoding: gzip"}, 400, "BadRequest", "not compressed"},
		{"too large", "POST", assign, `{"x":"` + strings.Repeat("x", wire.MaxBody) + `"}`, nil, 413, "Request_BadRequest", "4 MB"},
		{"too large when unpacked", "POST", assign, compressed(`{"x":"` + strings.Repeat("x", wire.MaxBody) + `"}`), []string{"Content-Encoding: gzip"}, 413, "Request_BadRequest", "4 MB"},
		{"a body where none is expected", "POST", "/v1.0/users/" + ann + "/reprocessLicenseAssignment", `{"force":true}`, nil, 400, "Request_BadRequest", "'force'"},

		{"unknown property", "PATCH", "/v1.0/users/" + ann, `{"shoeSize":43}`, nil, 400, "Request_BadRequest", "Invalid property 'shoeSize'."},
		{"read-only property", "PATCH", "/v1.0/users/" + ann, `{"assignedLicenses":[]}`, nil, 400, "Request_BadRequest", "assignedLicenses"},
		{"wrong type", "PATCH", "/v1.0/users/" + ann, `{"accountEnabled":"yes"}`, nil, 400, "", ""},
		{"21 references", "POST", "/v1.0/groups", group + `,"members@odata.bind":[` + strings.Join(many, ",") + `]}`, nil, 400, "Request_BadRequest", "at most 20"},
		{"a reference to nobody", "POST", "/v1.0/groups", group + `,"members@odata.bind":[` + many[0] + `]}`, nil, 400, "Request_BadRequest", nobodysID},
		{"references that are no list", "POST", "/v1.0/groups", group + `,"members@odata.bind":"x"}`, nil, 400, "Request_BadRequest", "members@odata.bind"},
		{"no reference", "POST", "/v1.0/groups/" + nobodysID + "/members/$ref", `{}`, nil, 404, "Request_ResourceNotFound", nobodysID},
		{"seats beyond number", "POST", "/licensor/v1/subscriptions", `{"skuId":"` + e3 + `","totalLicenses":-1}`, nil, 400, "Request_BadRequest", "totalLicenses is -1"},
		{"seats that are no number", "POST", "/licensor/v1/subscriptions", `{"skuId":"` + e3 + `","totalLicenses":1.5}`, nil, 400, "Request_BadRequest", "totalLicenses"},
		{"a catalog that is none", "PUT", "/licensor/v1/catalog", `{"products":1}`, nil, 400, "Request_BadRequest", "not a catalog"},
		{"an import without its type", "POST", "/licensor/v1/import", `{}`, nil, 415, "", "application/x-ndjson"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := w.do(c.method, strings.ReplaceAll(c.path, " ", "%20"), token, c.body, c.headers...)
			var answer struct {
				Error struct {
					Code, Message string
					InnerError    map[string]string `json:"innerError"`
				}
			}
			if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
				t.Fatalf("%d %s: %v", got.status, got.body, err)
			}
			e := answer.Error
			if got.status != c.status || c.code != "" && e.Code != c.code || !strings.Contains(e.Message, c.message) {
				t.Errorf("%d %s: %s\nwant %d %s: %s", got.status, e.Code, e.Message, c.status, c.code, c.message)
			}
			if e.InnerError["request-id"] == "" || e.InnerError["request-id"] != got.header.Get("request-id") || e.InnerError["date"] != "2026-01-31T12:00:00" {
				t.Errorf("innerError is %v", e.InnerError)
			}
		})
	}
}

// TestBadInputs sends what is wrong in each way that there is, and compares status, code and
// message.
func TestBadInputs(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	token := w.appToken(allPermissions...)
	red := idOf('b', "red")
	w.imports(`{"group":{"id":"`+red+`","displayName":"Red","mailEnabled":false,"mailNickname":"red","securityEnabled":true}}`,
		`{"member":{"group":"`+red+`","member":"`+ann+`"}}`, `{"subscription":{"skuId":"`+e3+`","totalLicenses":5}}`)
	known := strings.NewReplacer("<ann>", ann, "<red>", red, "<e3>", e3,
		"<object>", w.app.ID.String(), "<client>", w.app.Principal.ID.String(), "<graph>", identity.GraphPrincipalID(w.tenant.ID()).String(),
		"<global>", identity.RoleObjectID(w.tenant.ID(), identity.GlobalAdministrator.ID).String())
	for _, c := range malformed {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := strings.ReplaceAll(known.Replace(c.path), " ", "%20")
			got := w.do(c.method, path, token, known.Replace(c.body), c.headers...)
			var answer struct {
				Error struct {
					Code, Message string
					Details       []struct{ Message string }
				}
			}
			w.must(json.Unmarshal([]byte(got.body), &answer))
			e := answer.Error
			for _, detail := range e.Details {
				e.Message += " " + detail.Message
			}
			if got.status != c.status || e.Code != c.code || !strings.Contains(e.Message, known.Replace(c.message)) {
				t.Errorf("%d %s: %s\nwant %d %s: %s", got.status, e.Code, e.Message, c.status, c.code, known.Replace(c.message))
			}
		})
	}
	t.Cleanup(func() {
		if log := w.logged(); log != "" {
			t.Errorf("the server logged: %s", log)
		}
	})
}

func compressed(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.String()
}

func TestCompressedBodiesAreRead(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	got := w.do("PATCH", "/v1.0/users/"+ann, w.appToken(allPermissions...), compressed(`{"jobTitle":"Head"}`), "Content-Encoding: gzip")
	if got.status != http.StatusNoContent {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	token := w.appToken(allPermissions...)
	for _, path := range []string{"/v1.0/users/" + ann, "/v1.0/users", "/v1.0/teapots"} {
		got := w.do("GET", path, token, "", "client-request-id: 42")
		for name, want := range map[string]string{"client-request-id": "42", "OData-Version": "4.0", "x-ms-ags-diagnostic": wire.Diagnostic, "Date": "Sat, 31 Jan 2026 12:00:00 GMT"} {
			if got.header.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got.header.Get(name), want)
			}
		}
		if got.header.Get("request-id") == "" {
			t.Errorf("%s: no request-id", path)
		}
	}
	got := w.do("POST", "/v1.0/users/"+ann+"/reprocessLicenseAssignment", token, "", "client-request-id: "+strings.Repeat("x", 300))
	if id := got.header.Get("client-request-id"); id != got.header.Get("request-id") {
		t.Errorf("client-request-id is %s", id)
	}
}

func TestMethodsAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.do("PUT", "/v1.0/users", w.appToken(allPermissions...), "{}")
	if allow := got.header.Get("Allow"); allow != "GET, POST" {
		t.Errorf("Allow is %q", allow)
	}
}

func TestPathsAreNotToldWithoutAToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/v1.0/users", "/v1.0/teapots", "/v1.0/$batch"} {
		if got := w.do("GET", path, "", ""); got.status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

func TestAPanicIsAnswered500AndLoggedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	api := New(Config{Authority: w.authority, Tenant: nil, Now: w.now, NewID: numbered(), Log: newLog(w)})
	w.server = newServer(t, api)
	got := w.do("GET", "/v1.0/users", w.appToken(allPermissions...), "")
	id := got.header.Get("request-id")
	if got.status != http.StatusInternalServerError || !strings.Contains(got.body, id) || id == "" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if log := w.logged(); strings.Count(log, id) != 1 || strings.Contains(got.body, "nil pointer") {
		t.Errorf("log is %s", log)
	}
}
