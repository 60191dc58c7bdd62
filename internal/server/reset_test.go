package server

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/oauth2/clientcredentials"
)

// shared is a server for tests, and an application that may do everything.
type shared struct {
	testing.TB
	server *Server
	web    *httptest.Server
	login  *clientcredentials.Config
	bearer string
}

// newShared starts a server over a file; it is founded if that does not exist.
func newShared(t testing.TB, data string, login *clientcredentials.Config) *shared {
	t.Helper()
	return newSharedWith(t, Options{Data: data}, login)
}

func newSharedWith(t testing.TB, o Options, login *clientcredentials.Config) *shared {
	t.Helper()
	o.Development, o.Quick = true, true
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if login == nil {
		founded, err := s.Found(t.Context(), Founding{
			Name: "T", Domain: "t.example", Country: "DE", Admin: "admin", Application: "Tests",
		})
		if err != nil {
			t.Fatal(err)
		}
		login = &clientcredentials.Config{
			ClientID: founded.ClientID, ClientSecret: founded.ClientSecret,
			Scopes:   []string{"https://graph.microsoft.com/.default"},
			TokenURL: "/" + founded.TenantID + "/oauth2/v2.0/token",
		}
	}
	web := httptest.NewServer(s)
	return &shared{t, s, web, login, ""}
}

func (s *shared) close() {
	s.Helper()
	s.web.Close()
	if err := s.server.Close(s.Context()); err != nil {
		s.Fatal(err)
	}
}

// ask sends a request and returns the body of the response.
func (s *shared) ask(method, path, body string, want int) string {
	s.Helper()
	if s.bearer == "" {
		s.bearer = token(s, s.web.Client(), s.web.URL, s.login)
	}
	r, err := http.NewRequestWithContext(s.Context(), method, s.web.URL+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.bearer)
	r.Header.Set("Content-Type", "application/json")
	if strings.HasSuffix(path, "/import") {
		r.Header.Set("Content-Type", "application/x-ndjson")
	}
	response, err := s.web.Client().Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != want {
		s.Fatalf("%s %s: %s %s, %v", method, path, response.Status, text, err)
	}
	return string(text)
}

// state is everything that a caller can see.
func (s *shared) state() string {
	s.Helper()
	var all strings.Builder
	for _, path := range []string{
		"/licensor/v1/export", "/licensor/v1/export?table=commits", "/licensor/v1/settings", "/licensor/v1/signIn",
		"/v1.0/organization", "/v1.0/applications", "/v1.0/directory/deletedItems/microsoft.graph.user",
		"/v1.0/auditLogs/directoryAudits", "/licensor/v1/development/faults",
	} {
		all.WriteString(strings.ReplaceAll(s.ask("GET", path, "", http.StatusOK), s.web.URL, "") + "\n")
	}
	return all.String()
}

// change makes changes of all kinds.
func (s *shared) change(user string) {
	s.Helper()
	s.ask("PATCH", "/v1.0/users/"+user, `{"displayName":"Another","userPrincipalName":"other@t.example"}`, http.StatusNoContent)
	s.ask("POST", "/licensor/v1/import", `{"user":{"displayName":"N","userPrincipalName":"new@t.example","mailNickname":"n","accountEnabled":true}}
{"group":{"displayName":"G","mailNickname":"g","mailEnabled":false,"securityEnabled":true}}
`, http.StatusOK)
	s.ask("DELETE", "/v1.0/users/new@t.example", "", http.StatusNoContent)
	s.ask("PATCH", "/licensor/v1/settings", `{"auditDays":7,"signInDays":7}`, http.StatusNoContent)
	s.ask("POST", "/v1.0/applications", `{"displayName":"Web"}`, http.StatusCreated)
	s.ask("POST", "/licensor/v1/subscriptions", `{"skuId":"6fd2c87f-b296-42f0-b197-1e91e994b900","totalLicenses":3}`, http.StatusCreated)
	s.ask("PUT", "/licensor/v1/development/faults", `{"rules":[{"path":"/nothing","status":503}]}`, http.StatusOK)
	s.ask("PUT", "/licensor/v1/development/clock", `{"advance":"P40D"}`, http.StatusOK)
	s.bearer = "" // the token has expired
	s.ask("GET", "/v1.0/organization", "", http.StatusOK)
}

// A server becomes again what it was when it started, as often as wanted, and its file has that,
// too.
func TestAServerIsReset(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "x.db")
	s := newShared(t, data, nil)
	s.ask("POST", "/licensor/v1/import",
		`{"user":{"displayName":"Ann","userPrincipalName":"ann@t.example","mailNickname":"ann","accountEnabled":true}}`+"\n", http.StatusOK)
	s.close()
	s = newShared(t, data, s.login) // it starts with the user
	before := s.state()
	first := s.bearer
	for range 3 {
		s.change("ann@t.example")
		if s.state() == before {
			t.Fatal("the changes cannot be seen")
		}
		s.ask("POST", "/licensor/v1/development/reset", "", http.StatusNoContent)
		s.bearer = first // of before the clock was moved
		if after := s.state(); after != before {
			t.Fatalf("the server has\n%s\nand had\n%s", after, before)
		}
	}
	s.close()
	s = newShared(t, data, s.login)
	if after := s.state(); after != before {
		t.Errorf("after a restart the server has\n%s\nand had\n%s", after, before)
	}
	s.close()
}

// Requests that are in progress end before a reset, and later ones wait: none sees a part of each.
func TestAResetWaitsForRequests(t *testing.T) {
	t.Parallel()
	s := newShared(t, filepath.Join(t.TempDir(), "x.db"), nil)
	defer s.close()
	s.ask("GET", "/v1.0/organization", "", http.StatusOK)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 10 {
				name := fmt.Sprintf("u%d-%d", i, n)
				body := `{"accountEnabled":true,"displayName":"U","mailNickname":"` + name + `","userPrincipalName":"` + name +
					`@t.example","passwordProfile":{"password":"Correct horse 9"}}`
				if got := s.send("POST", "/v1.0/users", body); got != http.StatusCreated {
					t.Errorf("creating a user is answered %d", got)
				}
				if got := s.send("POST", "/licensor/v1/development/reset", ""); got != http.StatusNoContent {
					t.Errorf("a reset is answered %d", got)
				}
			}
		})
	}
	all.Wait()
	s.ask("POST", "/licensor/v1/development/reset", "", http.StatusNoContent)
	if got := s.ask("GET", "/v1.0/users?$select=userPrincipalName", "", http.StatusOK); strings.Count(got, "@t.example") != 1 {
		t.Errorf("there are other users than the administrator: %s", got)
	}
}

// send sends a request from another goroutine, and returns the status.
func (s *shared) send(method, path, body string) int {
	r, err := http.NewRequestWithContext(s.Context(), method, s.web.URL+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0
	}
	r.Header.Set("Authorization", "Bearer "+s.bearer)
	r.Header.Set("Content-Type", "application/json")
	response, err := s.web.Client().Do(r)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// The file of permissions has all when the server has ended.
func TestPermissionsAreRecorded(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "permissions.json")
	s := newSharedWith(t, Options{Memory: true, Record: file}, nil)
	end := s.server.Run(t.Context())
	for _, path := range []string{"/v1.0/groups", "/v1.0/users", "/v1.0/users/admin@t.example"} {
		s.ask("GET", path, "", http.StatusOK)
	}
	end()
	s.close()
	text, err := os.ReadFile(file)
	const want = `"type":"Application","permissions":["Group.Read.All","User.Read.All"],"operations":[` +
		`{"method":"GET","path":"/groups","permissions":["Group.Read.All"]},` +
		`{"method":"GET","path":"/users","permissions":["User.Read.All"]},` +
		`{"method":"GET","path":"/users/{user}","permissions":["User.Read.All"]}]}`
	if err != nil || !strings.Contains(string(text), want) {
		t.Errorf("the file has %s, %v; want %s", text, err, want)
	}
}
