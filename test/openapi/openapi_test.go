package openapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// server is the program, started.
type server struct {
	Graph, Authority, TenantID, ClientID, ClientSecret string

	token  string
	router routers.Router
}

func start(t *testing.T) *server {
	binary := os.Getenv("LICENSOR")
	if binary == "" {
		t.Skip("LICENSOR does not name the program to test; `make test-openapi` builds it")
	}
	info := filepath.Join(t.TempDir(), "demo.json")
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, binary, "demo", "--listen", "127.0.0.1:0", "--info", info)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait() // it was told to stop
	})
	s := new(server)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if text, err := os.ReadFile(info); err == nil {
			if err := json.Unmarshal(text, s); err != nil {
				t.Fatal(err)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the program did not start within 30 seconds")
		}
	}
	s.logIn(t)
	s.describe(t)
	return s
}

func (s *server) logIn(t *testing.T) {
	response, err := http.PostForm(s.Authority+"/"+s.TenantID+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {s.ClientID}, "client_secret": {s.ClientSecret}, "scope": {"https://graph.microsoft.com/.default"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&token); err != nil || token.AccessToken == "" {
		t.Fatalf("no token: %v", err)
	}
	s.token = token.AccessToken
}

// describe reads the document that the program serves, and checks the document itself.
func (s *server) describe(t *testing.T) {
	response, err := http.Get(s.Graph + "/licensor/v1/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	if s.router, err = gorillamux.NewRouter(document); err != nil {
		t.Fatal(err)
	}
}

// do sends a request and compares it and its answer with the document.
func (s *server) do(t *testing.T, method, path, body string, want int) []byte {
	t.Helper()
	contentType := "application/json"
	if strings.HasPrefix(path, "/import") {
		contentType = "application/x-ndjson"
	}
	request, err := http.NewRequest(method, s.Graph+"/licensor/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	if body != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != want {
		t.Errorf("%s %s: %d, want %d: %s", method, path, response.StatusCode, want, text)
	}
	if err := s.validate(request, body, response, text); err != nil {
		t.Errorf("%s %s: %v", method, path, err)
	}
	return text
}

func (s *server) validate(request *http.Request, body string, response *http.Response, answer []byte) error {
	asked := request.Clone(context.Background())
	asked.Body = io.NopCloser(strings.NewReader(body))
	asked.URL = &url.URL{Path: request.URL.Path, RawQuery: request.URL.RawQuery}
	route, parameters, err := s.router.FindRoute(asked)
	if err != nil {
		return err
	}
	options := &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true,
	}
	input := &openapi3filter.RequestValidationInput{
		Request: asked, PathParams: parameters, Route: route, Options: options,
	}
	if response.StatusCode < 400 {
		if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
			return err
		}
	}
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: response.StatusCode, Header: response.Header,
		Body: io.NopCloser(bytes.NewReader(answer)), Options: options,
	})
}

func init() {
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", openapi3filter.FileBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/yaml", openapi3filter.FileBodyDecoder)
}

func TestAnswersAreAsTheDocumentSays(t *testing.T) {
	s := start(t)
	s.do(t, "GET", "/openapi.yaml", "", 200)
	s.do(t, "GET", "/subscriptions", "", 200)
	s.do(t, "GET", "/subscriptions?$select=id,skuId", "", 200)
	s.do(t, "GET", "/settings", "", 200)
	s.do(t, "PATCH", "/settings", `{"reprocessFailure":"state"}`, 204)
	s.do(t, "PATCH", "/settings", `{"reprocessFailure":"maybe"}`, 400)
	catalog := s.do(t, "GET", "/catalog", "", 200)
	s.do(t, "PUT", "/catalog", string(catalog), 204)
	s.do(t, "GET", "/products", "", 200)
	s.do(t, "PUT", "/prices", `{"prices":[{"skuId":"6fd2c87f-b296-42f0-b197-1e91e994b900","amount":21.9,"currency":"EUR","period":"month","validFrom":"2026-01-01"}]}`, 204)
	s.do(t, "GET", "/prices", "", 200)
	s.do(t, "GET", "/costs", "", 200)
	s.do(t, "GET", "/costs?by=group&$top=2", "", 200)
	s.do(t, "GET", "/costs?by=manager", "", 400)
	time.Sleep(time.Second) // the tenant has just been created, and times have seconds
	now := time.Now().UTC().Format(time.RFC3339)
	s.do(t, "GET", "/costs?at="+now, "", 200)
	s.do(t, "GET", "/products?at=2020-01-01T00:00:00Z", "", 410)
	s.do(t, "GET", "/costs/history?from="+now, "", 200)
	s.do(t, "GET", "/costs/history?from="+now+"&step=P", "", 400)
	s.do(t, "GET", "/difference?from="+now, "", 200)
	s.do(t, "GET", "/difference", "", 400)
	s.do(t, "PUT", "/prices", `{"prices":[{"skuId":"6fd2c87f-b296-42f0-b197-1e91e994b900","amount":"1","currency":"XYZ","period":"month","validFrom":"2026-01-01"}]}`, 400)
	s.do(t, "GET", "/products?$top=1", "", 200)
	s.do(t, "GET", "/overview", "", 200)
	s.do(t, "GET", "/export", "", 200)
	s.do(t, "GET", "/export?table=users&format=csv", "", 200)
	s.do(t, "GET", "/export?table=none", "", 400)
	s.do(t, "POST", "/previews", `{"requests":[{"id":"1","method":"DELETE","url":"/users/clara.jung@contoso.example"}]}`, 200)
	s.do(t, "POST", "/previews", `{"requests":[]}`, 400)
	s.do(t, "GET", "/log?$top=3", "", 200)
	s.do(t, "GET", "/log/1", "", 200)
	s.do(t, "GET", "/log/0", "", 404)
	s.do(t, "POST", "/log/1/undo", "", 200)
	s.do(t, "POST", "/log/2/undo", "", 200)
	s.do(t, "POST", "/log/0/undo", "", 404)
	s.do(t, "GET", "/users/clara.jung@contoso.example/history", "", 200)
	s.do(t, "GET", "/previews/nothing", "", 404)
	s.do(t, "POST", "/checks", `{"requests":[{"id":1,"method":"DELETE","url":"/users/clara.jung@contoso.example"},{"id":2,"method":"DELETE","url":"/users/nobody"}]}`, 200)
	s.do(t, "POST", "/swaps", `{"from":"ENTERPRISEPACK","to":"STANDARDPACK","plans":"same"}`, 200)
	s.do(t, "POST", "/swaps", `{"from":"ENTERPRISEPACK","to":"nothing"}`, 400)
	s.do(t, "GET", "/drift?$count=true&$top=2&days=1", "", 200)
	s.do(t, "GET", "/drift?$filter="+url.QueryEscape("kind eq 'none'"), "", 400)
	s.do(t, "POST", "/drift/cleanups", `{"filter":"kind ne 'inactive'","days":1}`, 200)
	s.do(t, "POST", "/drift/cleanups", `{"filter":"kind eq 'unassigned'"}`, 200)
	s.do(t, "POST", "/drift/cleanups", `{"filter":""}`, 400)
	s.do(t, "GET", "/licenseErrors", "", 200)
	s.do(t, "GET", "/licenseErrors?$top=3", "", 200)
	s.do(t, "GET", "/licenseErrors?group=nobody", "", 400)
	s.do(t, "GET", "/licenseErrors?$count=true&$orderby=since%20desc&$filter="+url.QueryEscape("error ne 'Other'"), "", 200)
	s.do(t, "GET", "/licenseErrors/summary", "", 200)
	s.do(t, "POST", "/reprocess", `{"filter":"error eq 'CountViolation'"}`, 200)
	s.do(t, "POST", "/reprocess", `{"inError":true}`, 200)
	s.do(t, "POST", "/reprocess", `{"all":true}`, 200)
	s.do(t, "GET", "/users/clara.jung@contoso.example/explain", "", 200)
	for _, plan := range []string{"EXCHANGE_S_ENTERPRISE", "MCOEV", "exchange_s_standard"} {
		s.do(t, "GET", "/users/clara.jung@contoso.example/explain?servicePlan="+plan, "", 200)
	}
	s.do(t, "GET", "/users/clara.jung@contoso.example/explain?servicePlan=NOTHING", "", 400)
	s.do(t, "GET", "/users/nobody/explain", "", 404)
	s.do(t, "POST", "/import", `{"user":{"id":"a0000000-0000-4000-8000-00000000000f","displayName":"Zoe","userPrincipalName":"zoe@contoso.example","mailNickname":"zoe","accountEnabled":true}}`+"\n{}\n", 200)
	made := s.do(t, "POST", "/subscriptions", `{"skuId":"6fd2c87f-b296-42f0-b197-1e91e994b900","totalLicenses":3}`, 201)
	var subscription struct{ ID string }
	if err := json.Unmarshal(made, &subscription); err != nil {
		t.Fatal(err)
	}
	s.do(t, "GET", "/subscriptions/"+subscription.ID, "", 200)
	s.do(t, "PATCH", "/subscriptions/"+subscription.ID, `{"totalLicenses":4}`, 204)
	s.do(t, "DELETE", "/subscriptions/"+subscription.ID, "", 204)
	s.do(t, "GET", "/subscriptions/"+subscription.ID, "", 404)
}

func TestAnswersForDevelopmentAreAsTheDocumentSays(t *testing.T) {
	s := start(t)
	s.do(t, "GET", "/development/clock", "", 200)
	s.do(t, "PUT", "/development/clock", `{"advance":"PT1M"}`, 200)
	s.do(t, "PUT", "/development/clock", `{"now":"2020-01-01T00:00:00Z"}`, 400)
	s.do(t, "GET", "/development/groupProcessing", "", 200)
	s.do(t, "PUT", "/development/groupProcessing", `{"delay":"PT1.5S"}`, 200)
	s.do(t, "GET", "/development/faults", "", 200)
	s.do(t, "PUT", "/development/faults", `{"seed":3,"rules":[
		{"method":"GET","path":"/users/*","status":503,"retryAfter":1,"times":2},{"path":"/groups/**","latency":"PT0.1S","probability":0.5},{"path":"/licensor/**","status":429,"times":1}]}`, 200)
	s.do(t, "GET", "/settings", "", 429)
	s.do(t, "GET", "/settings", "", 200)
	s.do(t, "GET", "/development/faults", "", 200)
	s.do(t, "PUT", "/development/faults", `{"rules":[{"path":"/users"}]}`, 400)
	s.do(t, "POST", "/development/faults", `{"path":"/users/*","status":503,"times":1}`, 200)
	s.do(t, "POST", "/development/faults", `{"path":"/users"}`, 400)
	s.do(t, "DELETE", "/development/faults", "", 204)
	s.do(t, "POST", "/development/tokens", `{}`, 200)
	s.do(t, "GET", "/development/permissions", "", 200)
	s.do(t, "POST", "/development/reset", "", 204)
	s.do(t, "POST", "/development/tokens", `{"user":"clara.jung@contoso.example","scopes":["User.Read"],"roles":["License Administrator"],"lifetime":"PT5M"}`, 200)
	s.do(t, "POST", "/development/tokens", `{"user":"nobody@contoso.example"}`, 400)
}

func TestAnswersAboutSignInsAreAsTheDocumentSays(t *testing.T) {
	s := start(t)
	s.do(t, "GET", "/signIn", "", 200)
	minted := s.do(t, "POST", "/development/tokens", `{"permissions":["Policy.ReadWrite.Authorization"]}`, 200)
	var token struct{ AccessToken string }
	if err := json.Unmarshal(minted, &token); err != nil {
		t.Fatal(err)
	}
	s.token = token.AccessToken
	s.do(t, "PATCH", "/signIn", `{"allowPasswordGrant":true,"trustedIssuers":[{"issuer":"https://dex.example","audiences":["licensor"],"permissionsClaim":"groups"},
		{"issuer":"https://keycloak.example","audiences":["licensor"],"userClaim":"upn","permissionsClaim":"realm_access.roles","permissions":{"admin":["User.ReadWrite.All"]}}]}`, 204)
	s.do(t, "PATCH", "/signIn", `{"trustedIssuers":[{"issuer":"ftp://dex.example","audiences":["licensor"],"permissionsClaim":"groups"}]}`, 400)
	s.do(t, "GET", "/signIn", "", 200)
}
