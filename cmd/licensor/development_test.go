package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"licensor/internal/server"
)

func TestDevelopmentFlagsAreCheckedBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"serve", "--latency", "1s"}, "add --development"},
		{[]string{"serve", "--fault", "/users=503"}, "add --development"},
		{[]string{"serve", "--group-processing", "1s"}, "add --development"},
		{[]string{"serve", "--clock", "2026-01-31T12:00:00Z"}, "add --development"},
		{[]string{"serve", "--development", "--clock", "noon"}, `--clock is "noon"; write a time as 2026-01-31T12:00:00Z`},
		{[]string{"serve", "--development", "--fault", "users=503"}, "does not begin with a slash"},
		{[]string{"serve", "--development", "--latency", "2m"}, "--latency is 2m0s: it must be 0 to 55s"},
		{[]string{"serve", "--development", "--group-processing", "-1s"}, "it must be 0 or more"},
	} {
		code, _, stderr := call(t, rootCommand(), append(test.args, "--data", data, "--listen", "127.0.0.1:0")...)
		if code != exitUsage || !strings.Contains(stderr, test.want) {
			t.Errorf("%v: %d, %s", test.args, code, stderr)
		}
	}
	// The database was changed when it was made: nothing can happen before that.
	code, _, stderr := call(t, rootCommand(), "serve", "--development", "--clock", "2020-01-01T00:00:00Z", "--data", data, "--listen", "127.0.0.1:0")
	if code != exitFailed || !strings.Contains(stderr, "The clock cannot be set to 2020-01-01T00:00:00Z: tenant ") {
		t.Errorf("%d, %s", code, stderr)
	}
}

// ask sends a request with a token, and returns status, headers and body.
func ask(t *testing.T, method, address, token, body string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(text)
}

// underDevelopment is a server with the options, and how to get tokens of it.
func underDevelopment(t *testing.T, dev server.Options) (root string, token func(args ...string) string) {
	t.Helper()
	dev.Development = true
	login, args := newServerWith(t, dev, nil)
	return login.Graph, func(more ...string) string {
		t.Helper()
		code, stdout, stderr := call(t, rootCommand(), append(append([]string{"token"}, args...), more...)...)
		if code != exitDone {
			t.Fatalf("no token: %s", stderr)
		}
		return strings.TrimSpace(stdout)
	}
}

func TestEverythingGoesByOneClock(t *testing.T) {
	t.Parallel()
	root, token := underDevelopment(t, server.Options{Clock: time.Date(2031, 5, 6, 5, 8, 9, 0, time.UTC)})
	first := token()
	if status, header, body := ask(t, "GET", root+"/v1.0/organization", first, ""); status != 200 || !strings.HasPrefix(header.Get("Date"), "Tue, 06 May 2031 05:08:") {
		t.Errorf("%d, %s, %s", status, header.Get("Date"), body)
	}
	clock := root + "/licensor/v1/development/clock"
	if status, _, body := ask(t, "PUT", clock, first, `{"advance":"PT1H30M"}`); status != 200 || !strings.Contains(body, `"now":"2031-05-06T06:38:`) {
		t.Errorf("%d, %s", status, body)
	}
	if status, _, body := ask(t, "GET", clock, first, ""); status != 401 || !strings.Contains(body, "expired") {
		t.Errorf("a token of an hour and a half ago: %d, %s", status, body)
	}
	if status, _, body := ask(t, "GET", clock, token(), ""); status != 200 { // the authority has moved, too
		t.Errorf("%d, %s", status, body)
	}
}

func TestWhatTheFlagsSayIsInForce(t *testing.T) {
	t.Parallel()
	root, token := underDevelopment(t, server.Options{
		Faults:          []string{"GET /users=429;retryAfter=7;times=1"},
		GroupProcessing: time.Hour, Latency: time.Millisecond,
	})
	all := token()
	if status, header, _ := ask(t, "GET", root+"/v1.0/users", all, ""); status != 429 || header.Get("Retry-After") != "7" {
		t.Errorf("%d, Retry-After %s", status, header.Get("Retry-After"))
	}
	if status, _, body := ask(t, "GET", root+"/v1.0/users", all, ""); status != 200 {
		t.Errorf("%d, %s", status, body)
	}
	if _, _, body := ask(t, "GET", root+"/licensor/v1/development/groupProcessing", all, ""); !strings.Contains(body, `"delay":"PT1H"`) {
		t.Error(body)
	}
	if _, _, body := ask(t, "GET", root+"/licensor/v1/development/faults", all, ""); !strings.Contains(body, `"rules":[{"path":"/**","latency":"PT0.001S"`) {
		t.Error(body)
	}
}

func TestTokensOfAServer(t *testing.T) {
	t.Parallel()
	root, token := underDevelopment(t, server.Options{})
	for _, test := range []struct {
		args   []string
		path   string
		status int
	}{
		{nil, "/v1.0/users", 200},
		{[]string{"--permission", "Organization.Read.All"}, "/v1.0/users", 403},
		{[]string{"--permission", "Organization.Read.All"}, "/v1.0/organization", 200},
		{[]string{"--expired"}, "/v1.0/users", 401},
		{[]string{"--audience", "https://management.azure.com"}, "/v1.0/users", 401},
		{[]string{"--lifetime", "24h"}, "/v1.0/users", 200},
		{[]string{"--user", "admin@contoso.example", "--scope", "User.Read"}, "/v1.0/me", 200},
		{[]string{"--user", "admin@contoso.example", "--scope", "User.Read"}, "/v1.0/groups", 403},
		{[]string{"--user", "admin@contoso.example", "--scope", "User.Read,Group.Read.All", "--role", "Directory Readers"}, "/v1.0/groups", 200},
		{[]string{"--user", "admin@contoso.example", "--scope", "Group.Read.All", "--personal"}, "/v1.0/groups", 403},
	} {
		if status, _, body := ask(t, "GET", root+test.path, token(test.args...), ""); status != test.status {
			t.Errorf("%v: %s answers %d, want %d: %s", test.args, test.path, status, test.status, body)
		}
	}
}

func TestAServerWithoutTheOptionsMakesNoTokens(t *testing.T) {
	t.Parallel()
	_, args := newServer(t, nil)
	code, stdout, stderr := call(t, rootCommand(), append([]string{"token"}, args...)...)
	if code != exitFailed || stdout != "" || !strings.Contains(stderr, "the server does not create tokens for tests: start it with --development") {
		t.Errorf("%d, %q, %s", code, stdout, stderr)
	}
}

// TestTokensOfADatabase makes a token with nothing but the file, and shows it to a server on it.
func TestTokensOfADatabase(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	code, stdout, stderr := call(t, rootCommand(), "token", "--data", data, "--authority", "https://licensor.example", "--permission", "User.Read.All")
	if code != exitDone {
		t.Fatal(stderr)
	}
	wantToken(t, data, stdout, true)
	_, claims, _ := strings.Cut(stdout, ".")
	claims, _, _ = strings.Cut(claims, ".")
	text, err := base64.RawURLEncoding.DecodeString(claims)
	if err != nil || !strings.Contains(string(text), `"roles":["User.Read.All"]`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestLimitsOfTheCommandLine(t *testing.T) {
	t.Parallel()
	login, args := newServerWith(t, server.Options{ApplicationLimit: 2, TenantLimit: 10, Development: true}, nil)
	_, stdout, _ := call(t, rootCommand(), append([]string{"token"}, args...)...)
	for _, want := range []int{200, 200, 429} {
		status, _, body := ask(t, "GET", login.Graph+"/v1.0/domains", strings.TrimSpace(stdout), "")
		var answer any
		if err := json.Unmarshal([]byte(body), &answer); status != want || err != nil {
			t.Errorf("%d, want %d: %s", status, want, body)
		}
	}
}

func TestWhatTheDemoMeetsComesAfterItsStory(t *testing.T) {
	t.Parallel()
	meanwhile := func(info string, login server.Login) {
		code, stdout, stderr := call(t, rootCommand(), "token", "--info", info)
		if code != exitDone {
			t.Fatal(stderr)
		}
		for _, want := range []int{503, 200} {
			status, header, body := ask(t, "GET", login.Graph+"/v1.0/organization", strings.TrimSpace(stdout), "")
			if status != want || !strings.HasPrefix(header.Get("Date"), "Thu, 05 Feb 2026") {
				t.Errorf("%d at %s, want %d: %s", status, header.Get("Date"), want, body)
			}
		}
	}
	runDemo(t, meanwhile, "--clock", "2026-02-05T06:07:08Z", "--fault", "/**=503;times=1", "--group-processing", "1h")
}
