package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"licensor/internal/graph"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

func TestFaultsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]graph.Fault{
		"POST /groups/*/assignLicense=429;retryAfter=2;times=3": {Method: "POST", Path: "/groups/*/assignLicense", Status: 429, RetryAfter: 2, Times: 3},
		"/users=503":                                    {Path: "/users", Status: 503},
		"get  /users = 503 ; probability=0.5":           {Method: "GET", Path: "/users", Status: 503, Probability: 0.5},
		"/**=latency=2s":                                {Path: "/**", Latency: 2 * time.Second},
		"PATCH /users/*=504;latency=100ms":              {Method: "PATCH", Path: "/users/*", Status: 504, Latency: 100 * time.Millisecond},
		"/users/ann@contoso.example=times=1;status=500": {Path: "/users/ann@contoso.example", Status: 500, Times: 1},
	} {
		if got, err := parseFault(text); err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"/users":               "write it as 'POST",
		"=503":                 "write it as 'POST",
		"GET /users now=503":   "write it as 'POST",
		"/users=abc":           `status cannot be "abc"`,
		"/users=503;times=x":   `times cannot be "x"`,
		"/users=503;latency=1": `latency cannot be "1"`,
		"/users=503;after=1":   `there is no "after"`,
		"/users=":              `status cannot be ""`,
	} {
		if got, err := parseFault(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %+v, %v; want an error with %q", text, got, err, want)
		}
	}
}

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
		{[]string{"serve", "--development", "--latency", "2m"}, "its latency is 2m0s, not 0 to 55s"},
		{[]string{"serve", "--development", "--group-processing", "-1s"}, "it is 0 or more"},
	} {
		code, _, stderr := call(t, rootCommand(), append(test.args, "--data", data, "--listen", "127.0.0.1:0")...)
		if code != exitUsage || !strings.Contains(stderr, test.want) {
			t.Errorf("%v: %d, %s", test.args, code, stderr)
		}
	}
	// The database was changed when it was made: nothing can happen before that.
	code, _, stderr := call(t, rootCommand(), "serve", "--development", "--clock", "2020-01-01T00:00:00Z", "--data", data, "--listen", "127.0.0.1:0")
	if code != exitFailed || !strings.Contains(stderr, "--clock: The clock cannot be set to 2020-01-01T00:00:00Z: tenant ") {
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
func underDevelopment(t *testing.T, dev *development) (root string, token func(args ...string) string) {
	t.Helper()
	dev.on = true
	login, args := newServerWith(t, serviceOptions{development: dev}, nil)
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
	root, token := underDevelopment(t, &development{clock: "2031-05-06T07:08:09+02:00"})
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

func TestAServerGoesOnWhereItsClockWas(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	ahead := time.Now().Add(1000 * time.Hour).UTC()
	dev := &development{on: true, clock: ahead.Format(time.RFC3339)}
	s, err := openService(t.Context(), data, serviceOptions{development: dev})
	if err != nil {
		t.Fatal(err)
	}
	first := s.tenants.List()[0]
	failure := licensing.Failure("error")
	if _, err := first.Do(t.Context(), "test", tenant.UpdateSettings{ReprocessFailure: &failure}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := &development{on: true}
	if s, err = openService(t.Context(), data, serviceOptions{development: again}); err != nil {
		t.Fatal(err)
	}
	if now := again.moved.Now(); now.Before(first.Image().At) {
		t.Errorf("it is %s, but the last change was at %s", now, first.Image().At)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestWhatTheFlagsSayIsInForce(t *testing.T) {
	t.Parallel()
	root, token := underDevelopment(t, &development{faults: []string{"GET /users=429;retryAfter=7;times=1"}, groupProcessing: time.Hour, latency: time.Millisecond})
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
	root, token := underDevelopment(t, new(development))
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
	if code != exitFailed || stdout != "" || !strings.Contains(stderr, "the server makes no tokens for tests: start it with --development") {
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
	s, err := openService(t.Context(), data, serviceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	caller, err := s.authority.Verify(t.Context(), strings.TrimSpace(stdout))
	if err != nil || caller.AppID != s.tenants.List()[0].Image().Clients()[0].AppID || fmt.Sprint(caller.Permissions) != "[User.Read.All]" {
		t.Errorf("%+v, %v", caller, err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestLimitsOfTheCommandLine(t *testing.T) {
	t.Parallel()
	var l limiting
	l.register(new(cobra.Command))
	if l.limits() != (graph.Limits{PerApplication: 200_000, PerTenant: 400_000}) {
		t.Errorf("%+v", l.limits())
	}
	login, args := newServerWith(t, serviceOptions{limits: limiting{application: 2, tenant: 10}.limits(), development: &development{on: true}}, nil)
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
	meanwhile := func(info string, login credentials) {
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
