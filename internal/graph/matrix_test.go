package graph

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"licensor/internal/identity"
)

// TestWhoMayDoWhat asks for every operation as everyone, over HTTP, and compares the answers with
// testdata/matrix.txt. Permitted callers get anything but 401 and 403, and others get 403, on
// existing and on missing objects alike.
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

// ask asks for an operation, on all of its objects, as everyone.
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
			for i, c := range unpermitted(rule, m.known) {
				// Under the race detector not all: callers has one who has all that is not enough.
				if (i+len(op.name))%slowness == 0 {
					callers = append(callers, c)
				}
			}
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

// askStrangers asks without a token, and with what is not one.
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

// send sends requests that cannot succeed, so that nothing changes if the caller is permitted: a
// body that is not JSON, and a state that no object is in.
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

// wantRefused checks that a refusal has Graph's form and says nothing of the object: it is the same
// for all objects and operations.
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
	for _, secret := range []string{
		secretMark, m.ann, m.strange, m.owned, m.gone, m.goneGroup, m.goneApplication, "contoso", missingID,
	} {
		if strings.Contains(said, secret) {
			t.Errorf("the refusal says %q: %s", secret, said)
		}
	}
	if got.header.Get("ETag") != "" || got.header.Get("Allow") != "" || got.header.Get("Location") != "" {
		t.Errorf("the refusal has headers of an answer: %v", got.header)
	}
}
