package licensortest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"licensor"
	"licensor/licensortest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// get returns the status and the body of an answer.
func get(t *testing.T, client *http.Client, address string) (int, string) {
	t.Helper()
	response, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// count returns how many objects a collection has.
func count(t *testing.T, srv *licensortest.Server, collection string) int {
	t.Helper()
	_, body := get(t, srv.Client(), srv.URL+"/v1.0/"+collection+"?$top=999&$select=id")
	var answer struct{ Value []any }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%s: %s", collection, body)
	}
	return len(answer.Value)
}

func TestEachServerIsItsOwn(t *testing.T) {
	t.Parallel()
	var wait sync.WaitGroup
	for i := range 4 {
		srv := licensortest.New(t)
		for n := range i {
			srv.User(fmt.Sprint("user", n))
		}
		srv.Faults.Add(licensortest.Fault{Path: "/domains", Status: 500 + i})
		wait.Go(func() {
			if n := count(t, srv, "users"); n != i+1 { // with the administrator
				t.Errorf("server %d has %d users", i, n)
			}
			if status, _ := get(t, srv.Client(), srv.URL+"/v1.0/domains"); status != 500+i {
				t.Errorf("server %d answers %d", i, status)
			}
		})
	}
	wait.Wait()
}

// signIn asks for a token as a client does.
func signIn(t *testing.T, srv *licensortest.Server) string {
	t.Helper()
	response, err := http.PostForm(srv.Authority+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {srv.ClientID}, "client_secret": {srv.ClientSecret},
		"scope": {"https://graph.microsoft.com/.default"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		t.Fatalf("no token: %s, %v", response.Status, err)
	}
	return answer.AccessToken
}

func TestResetGoesBackToTheFreshTenant(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	srv := licensortest.New(t, func(o *licensor.Options) { o.Clock = start })
	before, login := signIn(t, srv), srv.Login
	srv.Group("Sales", srv.User("ann"))
	srv.Subscribe("EMS", 5)
	srv.Faults.Add(licensortest.Fault{Path: "/**", Status: 503})
	srv.AsyncGroups(time.Hour)
	srv.Clock.Advance(24 * time.Hour)

	srv.Reset()
	if srv.Login != login || srv.Login == (licensor.Login{}) {
		t.Errorf("the login is %+v, it was %+v", srv.Login, login)
	}
	for collection, want := range map[string]int{"users": 1, "groups": 0, "subscribedSkus": 0} {
		if n := count(t, srv, collection); n != want {
			t.Errorf("there are %d %s", n, collection)
		}
	}
	if now := srv.Clock.Now(); now.Before(start) || now.After(start.Add(time.Hour)) {
		t.Errorf("the time is %s", now)
	}
	if list := srv.Faults.List(); len(list) != 0 {
		t.Errorf("faults are in force: %+v", list)
	}
	sku, ann := srv.Subscribe("EMS", 5), srv.User("ann")
	err := giveLicense(t.Context(), srv.Client(), srv.URL+"/v1.0", srv.Group("Sales", ann), sku)
	if err != nil || license(t, srv, ann) != "Active" {
		t.Errorf("a group's license is still late: %v", err)
	}
	after := signIn(t, srv) // with the same secret
	if status := withToken(t, srv, after); status != 200 {
		t.Errorf("a token of after is answered %d", status)
	}
	if status := withToken(t, srv, before); status != 401 {
		t.Errorf("a token of before is answered %d", status)
	}
}

func withToken(t *testing.T, srv *licensortest.Server, token string) (status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/v1.0/users", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

func TestTheClockIsMoved(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	srv := licensortest.New(t, func(o *licensor.Options) { o.Clock = start })
	client, token := srv.Client(), signIn(t, srv)
	srv.Clock.Advance(90 * time.Minute)
	if now := srv.Clock.Now(); now.Before(start.Add(90*time.Minute)) || now.After(start.Add(2*time.Hour)) {
		t.Errorf("after an hour and a half it is %s", now)
	}
	if status := withToken(t, srv, token); status != 401 {
		t.Errorf("the token of before is answered %d", status)
	}
	if status, body := get(t, client, srv.URL+"/v1.0/users"); status != 200 {
		t.Errorf("the client of before is answered %d %s", status, body)
	}
	then := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	srv.Clock.Set(then)
	if now := srv.Clock.Now(); now.Before(then) || now.After(then.Add(time.Hour)) {
		t.Errorf("it is %s", now)
	}
	if status := withToken(t, srv, srv.Token(licensortest.Token{Lifetime: 20 * time.Minute})); status != 200 {
		t.Errorf("a token of %s is answered %d", then, status)
	}
}

func TestFaultsGoOnCountingWhenOthersAreAdded(t *testing.T) {
	t.Parallel()
	srv := licensortest.New(t)
	first := licensortest.Fault{Method: "GET", Path: "/domains", Status: 503, RetryAfter: 2 * time.Second, Times: 2}
	second := licensortest.Fault{Path: "/domains", Latency: 1500 * time.Microsecond, Probability: 1}
	client, domains := srv.Client(), srv.URL+"/v1.0/domains"
	statuses := func(n int) (list []int) {
		for range n {
			status, _ := get(t, client, domains)
			list = append(list, status)
		}
		return list
	}
	srv.Faults.Add(first)
	got := statuses(1)
	srv.Faults.Add(second)
	if got = append(got, statuses(2)...); fmt.Sprint(got) != "[503 503 200]" {
		t.Errorf("the answers are %v", got)
	}
	first.Applied, second.Applied = 2, 1
	if list := srv.Faults.List(); len(list) != 2 || list[0] != first || list[1] != second {
		t.Errorf("the faults are %+v", list)
	}
	srv.Faults.Clear()
	if list := srv.Faults.List(); len(list) != 0 {
		t.Errorf("after they were cleared, the faults are %+v", list)
	}
}

func TestFaultsDoNotConcernTheTestItself(t *testing.T) {
	t.Parallel()
	srv := licensortest.New(t)
	srv.Faults.Add(licensortest.Fault{Path: "/**", Status: 503})
	srv.Subscribe("EMS", 1)
	srv.Group("Sales", srv.User("ann"))
	srv.Clock.Advance(time.Second)
	if status, _ := get(t, srv.Client(), srv.URL+"/v1.0/users"); status != 503 {
		t.Errorf("the program is answered %d", status)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	srv := licensortest.New(t)
	ann := srv.User("ann")
	for _, test := range []struct {
		token  licensortest.Token
		path   string
		status int
	}{
		{licensortest.Token{}, "/users", 200},
		{licensortest.Token{Client: srv.ClientID, Permissions: []string{"User.Read.All"}}, "/users", 200},
		{licensortest.Token{Permissions: []string{"Organization.Read.All"}}, "/users", 403},
		{licensortest.Token{Lifetime: 24 * time.Hour}, "/users", 200},
		{licensortest.Token{Expired: true}, "/users", 401},
		{licensortest.Token{Audience: "https://management.azure.com"}, "/users", 401},
		{licensortest.Token{Authority: "https://login.fabrikam.example"}, "/users", 200}, // the key says whose it is
		{licensortest.Token{User: ann, Scopes: []string{"User.Read"}}, "/me", 200},
		{licensortest.Token{User: "ann@contoso.example", Scopes: []string{"Group.Read.All"}}, "/me", 403},
		{licensortest.Token{User: ann, Scopes: []string{"Group.Read.All"}, Roles: []string{"Directory Readers"}}, "/groups", 200},
		{licensortest.Token{User: ann, Client: srv.ClientID, Scopes: []string{"Group.Read.All"}, Personal: true}, "/groups", 403},
	} {
		if status, body := get(t, srv.As(test.token), srv.URL+"/v1.0"+test.path); status != test.status {
			t.Errorf("%+v: %s is answered %d, want %d: %s", test.token, test.path, status, test.status, body)
		}
	}
}

func TestUsersAndGroups(t *testing.T) {
	t.Parallel()
	srv := licensortest.New(t)
	nowhere := srv.User("nowhere", licensortest.Properties{"usageLocation": nil, "department": "Sales"})
	var members []string
	for i := range 45 {
		members = append(members, srv.User(fmt.Sprint("user", i)))
	}
	inner := srv.Group("Vertrieb Süd", members...)
	srv.Group("Ö")
	outer := srv.Group("All", inner, nowhere)
	if n := count(t, srv, "groups/"+inner+"/members"); n != 45 {
		t.Errorf("the inner group has %d members", n)
	}
	if n := count(t, srv, "groups/"+outer+"/transitiveMembers"); n != 47 {
		t.Errorf("the outer group has %d members in all", n)
	}
	_, body := get(t, srv.Client(), srv.URL+"/v1.0/users/"+nowhere+"?$select=usageLocation,department,userPrincipalName")
	for _, want := range []string{`"usageLocation":null`, `"department":"Sales"`, `"userPrincipalName":"nowhere@contoso.example"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s lacks %s", body, want)
		}
	}
}

// broken is a test that ends at the first thing that fails, and keeps what was said.
type broken struct {
	testing.TB
	said string
}

func (b *broken) Fatalf(format string, args ...any) {
	b.said = fmt.Sprintf(format, args...)
	panic(b)
}

func TestFailuresSayWhatToDo(t *testing.T) {
	t.Parallel()
	b := &broken{TB: t}
	srv := licensortest.New(b)
	for want, do := range map[string]func(){
		`no product "ENTERPRISEPAK": use a skuPartNumber such as ENTERPRISEPACK (`: func() { srv.Subscribe("ENTERPRISEPAK", 1) },
		`such as ENTERPRISEPACK (Office 365 E3)`:                                   func() { srv.Subscribe("office 365 e3", 1) },
		"the subscription of EMS cannot be created":                                func() { srv.Subscribe("EMS", -1) },
		"the user ann cannot be created: ":                                         func() { srv.User("ann"); srv.User("ann") },
		"the user bob cannot be created: Invalid value":                            func() { srv.User("bob", licensortest.Properties{"usageLocation": "Germany"}) },
		"Members are ids that User and Group returned":                             func() { srv.Group("Sales", "nobody") },
		"There is no user 'nobody'":                                                func() { srv.Token(licensortest.Token{User: "nobody"}) },
		`no permission of an application "User.Reed.All": the nearest is "User.Read.All"`: func() {
			srv.Client("Group.Read.All", "User.Reed.All")
		},
		`no permission of an application "Directory.AccessAsUser.All"`: func() {
			srv.As(licensortest.Token{Permissions: []string{"Directory.AccessAsUser.All"}})
		},
		`no permission of an application "user.read.all": the nearest is "User.Read.All"`: func() {
			srv.Token(licensortest.Token{Permissions: []string{"user.read.all"}})
		},
		`no scope "User.Raed": the nearest is "User.Read"`: func() {
			srv.Token(licensortest.Token{User: "admin@contoso.example", Scopes: []string{"User.Raed"}})
		},
		`no directory role "Directory Reader": the nearest is "Directory Readers"`: func() {
			srv.As(licensortest.Token{User: "admin@contoso.example", Roles: []string{"Directory Reader"}})
		},
		"use Scopes for a user": func() {
			srv.As(licensortest.Token{User: "admin@contoso.example", Permissions: []string{"User.Read.All"}})
		},
		"use Permissions for an application": func() { srv.As(licensortest.Token{Scopes: []string{"User.Read"}}) },
		"Personal and has no User":           func() { srv.As(licensortest.Token{Personal: true}) },
		"the Lifetime -1s":                   func() { srv.As(licensortest.Token{Lifetime: -time.Second}) },
		"an Option is nil":                   func() { licensortest.New(b, nil) },
		"nothing can happen before that": func() {
			srv.Clock.Set(time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC))
		},
		"does not begin with a slash": func() { srv.Faults.Add(licensortest.Fault{Path: "users", Status: 503}) },
		"RetryAfter is 1.5s: the header has whole seconds only": func() {
			srv.Faults.Add(licensortest.Fault{Path: "/users", Status: 429, RetryAfter: 1500 * time.Millisecond})
		},
		"the delay of groups is -1s: it must be 0 or more": func() { srv.AsyncGroups(-time.Second) },
		"Options.Memory is true, but Data is": func() {
			licensortest.New(b, func(o *licensor.Options) { o.Data = "licensor.db" })
		},
	} {
		b.said = ""
		func() {
			defer func() {
				if r := recover(); r != nil && r != any(b) {
					panic(r)
				}
			}()
			do()
		}()
		if !strings.Contains(b.said, want) || !strings.HasPrefix(b.said, "licensortest: ") {
			t.Errorf("want %q, have %q", want, b.said)
		}
	}
}

// TestThePageAboutTestingHasTheExamples compares the Go code of docs/testing.md with the tests
// here.
func TestThePageAboutTestingHasTheExamples(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```go\n")[1:]
	if len(blocks) < 6 {
		t.Errorf("the page has %d examples", len(blocks))
	}
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		if !strings.Contains(string(examples), code) {
			t.Errorf("example_test.go has no\n%s", code)
		}
	}
}

// one is one of many tests.
type one struct {
	testing.TB
	cleanups []func()
}

func (o *one) Cleanup(f func()) { o.cleanups = append(o.cleanups, f) }

// BenchmarkNew measures what a test pays for a tenant of its own: until it is ready, and in all.
func BenchmarkNew(b *testing.B) {
	var ready time.Duration
	for b.Loop() {
		began, test := time.Now(), &one{TB: b}
		licensortest.New(test)
		ready += time.Since(began)
		for _, end := range test.cleanups {
			end()
		}
	}
	b.ReportMetric(float64(ready.Microseconds())/1000/float64(b.N), "ms-ready/op")
}

// BenchmarkReset measures the way back to the fresh tenant.
func BenchmarkReset(b *testing.B) {
	srv := licensortest.New(b)
	for b.Loop() {
		srv.Reset()
	}
}
