package graph

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/clock"
	"licensor/identity"
	"licensor/tenant"
)

// TestWhoMayDoWhat asks for every operation as everybody, over HTTP, and compares the answers with testdata/matrix.txt. Who may is answered
// anything but 401 and 403, and who may not 403, on what is there and on what is not alike.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	for _, op := range m.operations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			m.ask(t, op)
		})
	}
}

func TestTheMatrixNamesOnlyWhatIsThere(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	names := map[string]bool{}
	for _, op := range m.operations() {
		names[op.name] = true
	}
	for name, rule := range m.rules {
		if !names[name] {
			t.Errorf("testdata/matrix.txt names %s, and there is no such operation", name)
		}
		for _, name := range rule.roles {
			if !slices.ContainsFunc(identity.Roles, func(role identity.Role) bool { return role.Name == name }) {
				t.Errorf("testdata/matrix.txt names the role %q, and there is no such role", name)
			}
		}
	}
}

// matrix is a tenant with two users and two groups, of which the caller is one user and owns one group.
type matrix struct {
	*world
	rules  map[string]*matrixRule
	known  []string
	tokens *matrixTokens
	// ids of what is there
	self, ann, owned, strange, gone, goneGroup string
}

// secretMark is in the names of all that is there, and missingID else.
const secretMark = "PELICAN"

func newMatrix(t *testing.T) *matrix {
	w := newWorld(t)
	w.serveQuickly(NewDevelopment(clock.New(w.now), func() []*tenant.Tenant { return nil }))
	m := &matrix{world: w, rules: readMatrix(t)}
	m.known = knownPermissions(m.rules)
	m.self, m.ann = m.addUser("self"), m.addUser("ann")
	m.owned, m.strange = m.addGroup("owned"), m.addGroup("strange")
	m.gone, m.goneGroup = m.addUser("gone"), m.made("POST", "/v1.0/groups", `{"displayName":"`+secretMark+
		`","mailNickname":"unified","mailEnabled":true,"securityEnabled":false,"groupTypes":["Unified"]}`) // others are gone for good when they are deleted
	m.made("POST", "/v1.0/groups/"+m.owned+"/owners/$ref", `{"@odata.id":"`+w.server.URL+`/v1.0/users/`+m.self+`"}`)
	m.made("DELETE", "/v1.0/users/"+m.gone, "")
	m.made("DELETE", "/v1.0/groups/"+m.goneGroup, "")
	m.tokens = &matrixTokens{w: w, user: uuid.MustParse(m.self), made: map[string]string{}}
	return m
}

// serveQuickly is another server for the world, on which passwords cost little.
func (w *world) serveQuickly(d *Development) {
	w.server = newServer(w.t, New(Config{
		Authority: w.authority, Tenant: w.tenants.Tenant, Now: w.now, NewID: numbered(), Log: newLog(w), Development: d,
		PasswordCost: identity.PasswordCost{Memory: 8, Passes: 1, Threads: 1},
	}))
}

// made asks as somebody who may, and answers the id of what has been made.
func (m *matrix) made(method, path, body string) string {
	m.t.Helper()
	got := m.do(method, path, m.appToken(allPermissions...), body)
	if got.status/100 != 2 {
		m.t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
	}
	var object struct{ ID string }
	_ = json.Unmarshal([]byte(got.body), &object)
	return object.ID
}

func (m *matrix) addUser(name string) string {
	m.t.Helper()
	return m.made("POST", "/v1.0/users", fmt.Sprintf(
		`{"accountEnabled":true,"displayName":"%[2]s %[1]s","mailNickname":"%[1]s","userPrincipalName":"%[1]s@contoso.example",`+
			`"passwordProfile":{"password":"Correct horse 9 battery"}}`, name, secretMark))
}

func (m *matrix) addGroup(name string) string {
	m.t.Helper()
	return m.made("POST", "/v1.0/groups", fmt.Sprintf(
		`{"displayName":"%[2]s %[1]s","mailNickname":"%[1]s","mailEnabled":false,"securityEnabled":true}`, name, secretMark))
}

// matrixOperation is an operation of the table with the objects it can be asked of.
type matrixOperation struct {
	name, method string
	objects      []matrixObject
}

// matrixObject is an address for an operation: and what the object is to the caller.
type matrixObject struct {
	path     string
	relation identity.Relation
}

// operations are those of the server, with one more for each that asks for something else where its object is a group.
func (m *matrix) operations() (all []matrixOperation) {
	for _, op := range operations {
		if op.do == nil {
			continue
		}
		all = append(all, matrixOperation{op.method + " " + op.path, op.method, m.objects(&op)})
		if op.needOfGroup != "" {
			path := strings.Replace(op.path, "{object}", m.goneGroup, 1)
			all = append(all, matrixOperation{op.method + " " + op.path + "#group", op.method, []matrixObject{{path: "/v1.0" + path}}})
		}
	}
	return all
}

func (m *matrix) objects(op *operation) []matrixObject {
	root := "/v1.0"
	if strings.HasPrefix(op.path, ownRoot) {
		root = ""
	}
	at := func(first, key string) string { return root + fill(strings.Replace(op.path, first, key, 1), missingID) }
	missing := matrixObject{path: at("", "")}
	switch {
	case op.ofUser():
		objects := []matrixObject{
			missing,
			{path: at("{user}", m.ann)},
			{path: at("{user}", m.self), relation: identity.Self},
			{path: at("{user}", "SELF@contoso.example"), relation: identity.Self},
		}
		if root != "" && (op.method != "DELETE" || op.path != "/users/{user}") {
			objects = append(objects, matrixObject{path: at("users/{user}", "me"), relation: identity.Self})
		}
		return objects
	case strings.HasPrefix(op.path, "/me/"):
		return []matrixObject{{path: root + fill(op.path, ""), relation: identity.Self}}
	case op.ofGroup():
		return []matrixObject{missing, {path: at("{group}", m.strange)}, {path: at("{group}", m.owned), relation: identity.Owned}}
	case strings.HasPrefix(op.path, "/directory/deletedItems/{"):
		return []matrixObject{missing, {path: at("{object}", m.gone)}}
	case strings.HasPrefix(op.path, "/directoryObjects/{"):
		return []matrixObject{missing, {path: at("{object}", m.ann)}, {path: at("{object}", m.self)}}
	}
	return []matrixObject{missing}
}

const missingID = "00000000-1111-4222-8333-444444444444"

// fill puts a key in for all names in a template.
func fill(template, key string) string {
	for {
		from := strings.IndexByte(template, '{')
		if from < 0 {
			return strings.ReplaceAll(template, "()", "")
		}
		template = template[:from] + key + template[from+strings.IndexByte(template[from:], '}')+1:]
	}
}

// ask asks for an operation, on all of its objects, as everybody.
func (m *matrix) ask(t *testing.T, op matrixOperation) {
	rule := m.rules[op.name]
	if rule == nil {
		t.Fatal("testdata/matrix.txt does not say who may do this: add it there, from the reference and not from identity.Needs")
	}
	before := m.tenant.Image().Seq
	for n, object := range op.objects {
		m.askStrangers(t, op, object, rule)
		callers := matrixCallers(rule, m.known)
		if n == 0 || object.relation != op.objects[n-1].relation { // the first of its relation
			callers = append(callers, unpermitted(rule, m.known)...)
		}
		for _, caller := range callers {
			allowed := rule.allows(caller, object.relation)
			got := m.send(t, op.method, object.path, m.tokens.of(caller))
			if t.Failed() {
				return
			}
			if allowed != (got.status != http.StatusUnauthorized && got.status != http.StatusForbidden) {
				t.Errorf("%s %s by %s: %d %s; allowed is %v", op.method, object.path, caller, got.status, got.body, allowed)
			}
			if !allowed {
				m.wantRefused(t, got, http.StatusForbidden, "Authorization_RequestDenied")
			}
		}
	}
	if after := m.tenant.Image().Seq; after != before {
		t.Errorf("the tenant has changed: commit %d, was %d", after, before)
	}
}

// askStrangers asks without a token, and with what is none.
func (m *matrix) askStrangers(t *testing.T, op matrixOperation, object matrixObject, rule *matrixRule) {
	for _, token := range []string{"", "x", "a.b.c"} {
		got := m.send(t, op.method, object.path, token)
		if rule.open != (got.status != http.StatusUnauthorized) {
			t.Errorf("%s %s with the token %q: %d %s", op.method, object.path, token, got.status, got.body)
		}
		if !rule.open {
			m.wantRefused(t, got, http.StatusUnauthorized, "InvalidAuthenticationToken")
		}
	}
}

// send asks with what cannot succeed, so that nothing changes where the caller may: a body that is no JSON, and a state that no object is in.
func (m *matrix) send(t *testing.T, method, path, token string) answer {
	body := ""
	if method != "GET" && method != "DELETE" {
		body = "!"
	}
	request, err := http.NewRequest(method, m.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("If-Match", `W/"none"`)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return m.fetch(t, request)
}

// fetch is the server's answer. It may be called by several goroutines.
func (w *world) fetch(t failing, request *http.Request) answer {
	t.Helper()
	response, err := w.server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// failing is a test, of Go or of rapid.
type failing interface {
	Helper()
	Fatal(arguments ...any)
}

// wantRefused checks that a refusal has Graph's form and says nothing of the object: it is the same for all objects and operations.
func (m *matrix) wantRefused(t *testing.T, got answer, status int, code string) {
	t.Helper()
	var body struct {
		Error struct {
			Code, Message string
			InnerError    map[string]string `json:"innerError"`
		}
	}
	decoder := json.NewDecoder(strings.NewReader(got.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil || got.status != status || body.Error.Code != code {
		t.Errorf("%d %s; want %d %s (%v)", got.status, got.body, status, code, err)
	}
	if status == http.StatusForbidden && body.Error.Message != "Insufficient privileges to complete the operation." {
		t.Errorf("the message is %q", body.Error.Message)
	}
	said := fmt.Sprint(got.header) + got.body
	for _, secret := range []string{secretMark, m.ann, m.strange, m.owned, m.gone, m.goneGroup, "contoso", missingID} {
		if strings.Contains(said, secret) {
			t.Errorf("the refusal says %q: %s", secret, said)
		}
	}
	if got.header.Get("ETag") != "" || got.header.Get("Allow") != "" || got.header.Get("Location") != "" {
		t.Errorf("the refusal has headers of an answer: %v", got.header)
	}
}
