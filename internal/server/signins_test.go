package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"licensor/internal/identity"
)

// office is a server of a tenant, and a browser.
type office struct {
	t       *testing.T
	url     string
	login   Login
	token   string
	browser *http.Client
}

func newOffice(t *testing.T) *office {
	t.Helper()
	s, err := Open(t.Context(), Options{Memory: true, Development: true, Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	end := s.Run(t.Context())
	t.Cleanup(func() {
		web.Close()
		end()
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	stay := func(r *http.Request, _ []*http.Request) error {
		if "http://"+r.URL.Host != web.URL {
			return http.ErrUseLastResponse
		}
		return nil
	}
	o := &office{t: t, url: web.URL, browser: &http.Client{Jar: jar, CheckRedirect: stay}}
	o.login, err = s.Found(t.Context(), Founding{
		Name: "Contoso", Domain: "contoso.example", Country: "DE", Admin: "admin", FirstParty: true, Application: "Script",
		KeepPassword: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	o.token = o.grant(o.client())["access_token"].(string)
	return o
}

// client is a request of the application for itself.
func (o *office) client() url.Values {
	return url.Values{
		"grant_type": {"client_credentials"}, "client_id": {o.login.ClientID}, "client_secret": {o.login.ClientSecret},
		"scope": {identity.GraphURL + "/.default"},
	}
}

// read returns the body of a response, which must have a status below 400.
func (o *office) read(response *http.Response, err error) string {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 400 {
		o.t.Fatalf("%s %v: %d %v %s", response.Request.Method, response.Request.URL, response.StatusCode, err, text)
	}
	return string(text)
}

// grant returns the response of the token endpoint.
func (o *office) grant(form url.Values) (answer map[string]any) {
	o.t.Helper()
	text := o.read(http.PostForm(o.url+"/"+o.login.TenantID+"/oauth2/v2.0/token", form))
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		o.t.Fatal(err)
	}
	return answer
}

// ask sends a request to the API as the application, and returns the response.
func (o *office) ask(method, path, body string) (answer map[string]any) {
	o.t.Helper()
	path = strings.ReplaceAll(path, " ", "%20")
	r, err := http.NewRequestWithContext(o.t.Context(), method, o.url+path, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+o.token)
	r.Header.Set("Content-Type", "application/json")
	if text := o.read(http.DefaultClient.Do(r)); text != "" {
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			o.t.Fatal(err)
		}
	}
	return answer
}

// list returns the elements of a list.
func (o *office) list(path string) (list []map[string]any) {
	o.t.Helper()
	for _, element := range o.ask("GET", path, "")["value"].([]any) {
		list = append(list, element.(map[string]any))
	}
	return list
}

func (o *office) advance(by string) {
	o.t.Helper()
	o.ask("PUT", "/licensor/v1/development/clock", `{"advance":"`+by+`"}`)
}

var pageToken = regexp.MustCompile(`name="token" value="([^"]+)"`)

// press sends the form of a page.
func (o *office) press(page, text string, fields ...string) (*http.Response, error) {
	o.t.Helper()
	found := pageToken.FindStringSubmatch(text)
	if found == nil {
		o.t.Fatalf("the page has no form: %s", text)
	}
	form := url.Values{"token": {found[1]}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return o.browser.PostForm(page, form)
}

const azureCLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"

// TestU33ASignInOnAPage is scenario 14 of docs/spec/audit.md.
func TestU33ASignInOnAPage(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	verifier := strings.Repeat("a", 43)
	page := o.url + "/" + o.login.TenantID + "/oauth2/v2.0/authorize?" + url.Values{
		"client_id": {azureCLI}, "response_type": {"code"}, "redirect_uri": {"http://localhost"}, "scope": {"openid offline_access User.Read"},
		"code_challenge": {"ZtNPunH49FD35FWYhT5Tv8I7vRKQJ8uxMaL0_9eHjNA"}, "code_challenge_method": {"S256"},
	}.Encode()
	text := o.read(o.browser.Get(page))
	response, err := o.press(page, text, "action", "signin", "username", o.login.AdminName, "password", "wrong")
	if err != nil || response.StatusCode != http.StatusBadRequest {
		t.Fatalf("a wrong password: %v, %v", response, err)
	}
	response.Body.Close()
	o.advance("PT1M")
	response, err = o.press(page, text, "action", "signin", "username", o.login.AdminName, "password", o.login.AdminPassword)
	text = o.read(response, err)
	if response.StatusCode == http.StatusOK { // consent is asked
		response, err = o.press(page, text, "action", "accept")
		o.read(response, err)
	}
	back, err := url.Parse(response.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	tokens := o.grant(url.Values{
		"grant_type": {"authorization_code"}, "client_id": {azureCLI}, "redirect_uri": {"http://localhost"},
		"code": {back.Query().Get("code")}, "code_verifier": {verifier},
	})
	signIns := o.list("/v1.0/auditLogs/signIns?$orderby=createdDateTime")
	if len(signIns) != 2 {
		t.Fatalf("there are %v", signIns)
	}
	for i, code := range []float64{50126, 0} {
		in := signIns[i]
		if in["status"].(map[string]any)["errorCode"] != code || in["userPrincipalName"] != o.login.AdminName || in["appId"] != azureCLI ||
			in["ipAddress"] != "127.0.0.1" {
			t.Errorf("sign-in %d is %v", i, in)
		}
	}
	if others := o.list("/v1.0/auditLogs/signIns?$filter=isInteractive eq false"); len(others) != 0 {
		t.Errorf("there are %v that are not interactive", others)
	}

	o.wantSeen(signIns[1], nil, signIns[1])

	o.advance("PT1H")
	o.token = o.grant(o.client())["access_token"].(string)
	o.grant(url.Values{
		"grant_type": {"refresh_token"}, "client_id": {azureCLI}, "refresh_token": {tokens["refresh_token"].(string)},
		"scope": {"openid offline_access User.Read"},
	})
	others := o.list("/v1.0/auditLogs/signIns?$filter=isInteractive eq false")
	if len(others) != 1 || others[0]["userPrincipalName"] != o.login.AdminName || others[0]["clientAppUsed"] == "Browser" {
		t.Errorf("there are %v that are not interactive", others)
	}

	o.wantSeen(signIns[1], others[0], signIns[1])

	// The same application and another one use the session, without a page.
	o.advance("PT1H")
	o.token = o.grant(o.client())["access_token"].(string)
	o.read(o.browser.Get(page))
	if others := o.list("/v1.0/auditLogs/signIns?$filter=isInteractive eq false and clientAppUsed eq 'Browser'"); len(others) != 1 {
		t.Errorf("there are %v of sessions", others)
	}
}

// wantSeen checks when the administrator was last seen, by the sign-ins that these times are of.
func (o *office) wantSeen(interactive, other, successful map[string]any) {
	o.t.Helper()
	got := o.ask("GET", "/v1.0/users/"+o.login.AdminName+"?$select=signInActivity", "")["signInActivity"].(map[string]any)
	for name, want := range map[string]map[string]any{
		"lastSignIn": interactive, "lastNonInteractiveSignIn": other, "lastSuccessfulSignIn": successful,
	} {
		at, id := got[name+"DateTime"], got[name+"RequestId"]
		if id != want["id"] || (at == nil) != (want == nil) {
			o.t.Errorf("%s is %v (%v), want %v", name, at, id, want)
		}
		if at != nil && !timeOf(o.t, at).Equal(timeOf(o.t, want["createdDateTime"]).Truncate(time.Second)) {
			o.t.Errorf("%s is at %v, want %v", name, at, want["createdDateTime"])
		}
	}
}

func timeOf(t *testing.T, text any) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text.(string))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestU35WhoWasNotSeenForLong asks for users by their last sign-in.
func TestU35WhoWasNotSeenForLong(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	page := o.url + "/" + o.login.TenantID + "/oauth2/v2.0/authorize?" + url.Values{
		"client_id": {azureCLI}, "response_type": {"code"}, "redirect_uri": {"http://localhost"}, "scope": {"openid"},
		"code_challenge": {"ZtNPunH49FD35FWYhT5Tv8I7vRKQJ8uxMaL0_9eHjNA"}, "code_challenge_method": {"S256"},
	}.Encode()
	response, err := o.press(page, o.read(o.browser.Get(page)), "action", "signin", "username", o.login.AdminName, "password", "wrong")
	if err != nil || response.StatusCode != http.StatusBadRequest {
		t.Fatalf("a wrong password: %v, %v", response, err)
	}
	response.Body.Close()
	at := o.list("/v1.0/auditLogs/signIns")[0]["createdDateTime"].(string)
	for filter, want := range map[string]int{
		"le " + at: 1, "ge " + at: 1, "eq " + at: 1, "lt " + at: 0, "gt " + at: 0, "le 2020-01-01T00:00:00Z": 0, "ge 2020-01-01": 1,
	} {
		users := o.list("/v1.0/users?$select=userPrincipalName,signInActivity&$filter=signInActivity/lastSignInDateTime " + filter)
		if len(users) != want || want == 1 && users[0]["userPrincipalName"] != o.login.AdminName {
			t.Errorf("%s finds %v", filter, users)
		}
	}
	if users := o.list("/v1.0/users?$select=signInActivity"); len(users) != 1 || users[0]["signInActivity"] == nil {
		t.Errorf("all users are %v", users)
	}
	o.refused(http.StatusBadRequest, "/v1.0/users?$filter=signInActivity/lastSignInDateTime le "+at+" and accountEnabled eq true")
	o.refused(http.StatusBadRequest, "/v1.0/users?$filter=signInActivity/lastSignInDateTime le 'yesterday'")
	o.refused(http.StatusBadRequest, "/v1.0/users?$filter=signInActivity/lastSignInDateTime ne "+at)

	answer := o.ask("POST", "/licensor/v1/development/tokens", `{"permissions":["User.Read.All"]}`)
	o.token = answer["accessToken"].(string)
	if users := o.list("/v1.0/users?$select=displayName"); len(users) != 1 {
		t.Errorf("without AuditLog.Read.All, users are %v", users)
	}
	o.refused(http.StatusForbidden, "/v1.0/users?$select=signInActivity")
	o.refused(http.StatusForbidden, "/v1.0/users/"+o.login.AdminName+"?$select=signInActivity")
	o.refused(http.StatusForbidden, "/v1.0/users/"+o.login.AdminName+"/signInActivity")
	o.refused(http.StatusForbidden, "/v1.0/users?$filter=signInActivity/lastSignInDateTime le "+at)
}

// refused checks the status of a response.
func (o *office) refused(status int, path string) {
	o.t.Helper()
	r, err := http.NewRequestWithContext(o.t.Context(), "GET", o.url+strings.ReplaceAll(path, " ", "%20"), nil)
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+o.token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != status {
		text, _ := io.ReadAll(response.Body)
		o.t.Errorf("GET %s: %d %s, want %d", path, response.StatusCode, text, status)
	}
}

// TestU33ClientCredentials is scenario 15 of docs/spec/audit.md.
func TestU33ClientCredentials(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for range 100 {
		o.grant(o.client())
	}
	const path = "/beta/auditLogs/signIns?$filter=signInEventTypes/any(t:t eq 'servicePrincipal')"
	signIns := o.list(path)
	if len(signIns) != 1 || signIns[0]["appId"] != o.login.ClientID || signIns[0]["servicePrincipalName"] != "Script" {
		t.Fatalf("there are %v", signIns)
	}
	o.advance("PT5M")
	o.grant(o.client())
	if signIns := o.list(path); len(signIns) != 2 {
		t.Errorf("five minutes later there are %v", signIns)
	}
	if interactive := o.list("/v1.0/auditLogs/signIns"); len(interactive) != 0 {
		t.Errorf("%v are interactive", interactive)
	}
}

// TestU34SignInsOutliveTheProcess: what was reported is written before the server ends.
func TestU34SignInsOutliveTheProcess(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/licensor.db"
	login := Login{}
	for run := range 2 {
		s, err := Open(t.Context(), Options{Data: path, Development: true, Quick: true})
		if err != nil {
			t.Fatal(err)
		}
		o := &office{t: t, login: login}
		if run == 0 {
			o.login, err = s.Found(t.Context(), Founding{
				Name: "Contoso", Domain: "contoso.example", Country: "DE", Admin: "admin", Application: "Script",
			})
			if err != nil {
				t.Fatal(err)
			}
			login = o.login
		}
		web := httptest.NewServer(s)
		o.url = web.URL
		o.token = o.grant(o.client())["access_token"].(string)
		if run == 1 {
			signIns := o.list("/beta/auditLogs/signIns?$filter=signInEventTypes/any(t:t eq 'servicePrincipal')")
			if len(signIns) != 2 {
				t.Errorf("there are %v", signIns)
			}
		}
		web.Close()
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
}
