package server

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// consenting is a tenant with an application that asks for consent, on a server with TLS.
type consenting struct {
	*testing.T
	web    *httptest.Server
	in     *engine.Tenant
	client directory.Client
}

const consentRedirect = "https://tool.example/back"

// TestU22ConsentIsAnEntry covers people who consent on the real pages: a user for themself, and an
// administrator for the organization (docs/spec/audit.md U13, U22).
func TestU22ConsentIsAnEntry(t *testing.T) {
	t.Parallel()
	inFounded(t, func(s *Server, first *engine.Tenant) {
		c := &consenting{T: t, web: httptest.NewTLSServer(s), in: first, client: directory.Client{
			Application: directory.Application{
				ID: uuid.New(), AppID: uuid.New(), DisplayName: "Tool",
				Redirects: directory.Redirects{Web: []string{consentRedirect}},
			},
			Principal: directory.ServicePrincipal{ID: uuid.New(), DisplayName: "Tool"},
		}}
		defer c.web.Close()
		c.do(tenant.SetClient{Client: c.client})
		ann, gil := c.person("ann"), c.person("gil")
		c.do(tenant.SetRole{Role: identity.GlobalAdministrator.ID, Principal: gil})
		authority := "/" + first.ID().String()
		query := url.Values{
			"client_id": {c.client.AppID.String()}, "redirect_uri": {consentRedirect}, "response_type": {"code"},
			"scope": {"https://graph.microsoft.com/User.Read"}, "state": {"s"},
		}
		c.consents("ann", authority+"/oauth2/v2.0/authorize?"+query.Encode())
		query.Set("scope", "https://graph.microsoft.com/User.ReadWrite.All")
		c.consents("gil", authority+"/v2.0/adminconsent?"+query.Encode())

		reader := Registration{Name: "Reader", Permissions: []string{"AuditLog.Read.All", "Directory.Read.All"}}
		clientID, secret, err := s.AddApplication(t.Context(), first, reader)
		if err != nil {
			t.Fatal(err)
		}
		got := c.entries(clientID, secret)
		want := fmt.Sprintf("%s ann@contoso.example \"Principal\" [\"User.Read\"]\n%s gil@contoso.example \"AllPrincipals\" [\"User.ReadWrite.All\"]\n", ann, gil)
		if got != want {
			t.Errorf("the entries are\n%swant\n%s", got, want)
		}
	})
}

func (c *consenting) do(command tenant.Command) tenant.Done {
	c.Helper()
	done, err := c.in.Do(c.Context(), Author, command)
	if err != nil {
		c.Fatal(err)
	}
	return done
}

// person adds a user with a password.
func (c *consenting) person(name string) uuid.UUID {
	c.Helper()
	members, err := directory.Members(fmt.Appendf(nil, `{"accountEnabled":true,"displayName":%[1]q,"mailNickname":%[1]q,"userPrincipalName":"%[1]s@contoso.example"}`, name))
	if err != nil {
		c.Fatal(err)
	}
	patch, err := directory.ParseUserImport(members)
	if err != nil {
		c.Fatal(err)
	}
	id := uuid.New()
	c.do(tenant.Import{Rows: []tenant.ImportRow{{Line: 1, User: &tenant.ImportUser{ID: id, Patch: patch}}}})
	user, err := c.in.Image().LiveUser(id.String())
	if err != nil {
		c.Fatal(err)
	}
	cost := identity.PasswordCost{Memory: 64, Passes: 1, Threads: 1}
	hash, err := identity.HashPassword(c.Context(), fixedRandom{}, cost, reusedPassword)
	if err != nil {
		c.Fatal(err)
	}
	c.do(tenant.SetPassword{User: user, Hash: hash})
	return id
}

var formToken = regexp.MustCompile(`name="token" value="([^"]*)"`)

// consents signs in with a browser of its own and accepts what the page asks.
func (c *consenting) consents(name, path string) {
	c.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.Fatal(err)
	}
	browser := &http.Client{Transport: c.web.Client().Transport, Jar: jar}
	browser.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), consentRedirect) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	response, err := browser.Get(c.web.URL + path)
	for _, form := range []url.Values{
		{"action": {"signin"}, "username": {name + "@contoso.example"}, "password": {reusedPassword}}, {"action": {"accept"}},
	} {
		if err != nil {
			c.Fatal(err)
		}
		page, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		found := formToken.FindSubmatch(page)
		if found == nil {
			c.Fatalf("before %v, the page is %s %s", form["action"], response.Status, page)
		}
		form.Set("token", html.UnescapeString(string(found[1])))
		target := response.Request.URL.String()
		request, _ := http.NewRequestWithContext(c.Context(), http.MethodPost, target, strings.NewReader(form.Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", c.web.URL)
		response, err = browser.Do(request)
	}
	if err != nil {
		c.Fatal(err)
	}
	_ = response.Body.Close()
	if to := response.Header.Get("Location"); !strings.HasPrefix(to, consentRedirect) || strings.Contains(to, "error=") {
		c.Fatalf("%s is sent to %q with %s", name, to, response.Status)
	}
}

// entries describes the consents in the audit log, the oldest first.
func (c *consenting) entries(clientID, secret string) (text string) {
	c.Helper()
	response, err := c.web.Client().PostForm(c.web.URL+"/"+c.in.ID().String()+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}, "scope": {"https://graph.microsoft.com/.default"},
	})
	var token struct {
		AccessToken string `json:"access_token"`
	}
	c.decode(response, err, &token)
	request, _ := http.NewRequestWithContext(c.Context(), http.MethodGet, c.web.URL+"/v1.0/auditLogs/directoryAudits?$orderby=activityDateTime&$filter="+
		url.QueryEscape("activityDisplayName eq 'Consent to application' and targetResources/any(t:t/id eq '"+c.client.Principal.ID.String()+"')"), nil)
	request.Header.Set("Authorization", "Bearer "+token.AccessToken)
	response, err = c.web.Client().Do(request)
	var page struct {
		Value []struct {
			InitiatedBy struct {
				User struct{ ID, UserPrincipalName string }
			}
			TargetResources []struct{ ModifiedProperties []struct{ NewValue string } }
		}
	}
	c.decode(response, err, &page)
	for _, e := range page.Value {
		list, by := e.TargetResources[0].ModifiedProperties, e.InitiatedBy.User
		text += fmt.Sprintln(by.ID, by.UserPrincipalName, list[1].NewValue, list[0].NewValue)
	}
	return text
}

func (c *consenting) decode(response *http.Response, err error, into any) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil || response.StatusCode != http.StatusOK {
		c.Fatalf("%s %v", response.Status, err)
	}
}
