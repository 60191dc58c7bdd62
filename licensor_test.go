package licensor_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"licensor"
)

func open(t *testing.T, options licensor.Options) *licensor.Server {
	t.Helper()
	srv, err := licensor.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

func TestAServerInAProgram(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "licensor.db")
	srv := open(t, licensor.Options{Data: data})
	if ids, err := srv.Tenants(t.Context()); err != nil || len(ids) != 0 {
		t.Errorf("a new database has tenants: %v, %v", ids, err)
	}
	login, err := srv.Found(t.Context(), licensor.Tenant{Domain: "contoso.example", Application: "Deployment"})
	if err != nil {
		t.Fatal(err)
	}
	ids, err := srv.Tenants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if login.AdminName != "admin@contoso.example" || login.AdminPassword == "" ||
		len(ids) != 1 || ids[0] != login.TenantID {
		t.Errorf("founded is %+v, the tenants are %v", login, ids)
	}
	if _, err := srv.Found(t.Context(), licensor.Tenant{Domain: "contoso.example"}); err == nil {
		t.Error("a domain is given to two tenants")
	}
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}

	srv = open(t, licensor.Options{Data: data})
	t.Cleanup(func() { _ = srv.Close() })
	web := httptest.NewServer(srv)
	t.Cleanup(web.Close)
	token := tokenOf(t, web.URL, login)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+"/v1.0/organization", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK ||
		!strings.Contains(string(text), `"displayName":"contoso.example"`) {
		t.Errorf("%s %s %v", response.Status, text, err)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		response, err := http.Get(web.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
}

func tokenOf(t *testing.T, root string, login licensor.Login) string {
	t.Helper()
	response, err := http.PostForm(root+"/"+login.TenantID+"/oauth2/v2.0/token", map[string][]string{
		"grant_type": {"client_credentials"}, "client_id": {login.ClientID}, "client_secret": {login.ClientSecret},
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

func TestTheClientOfTheProgramMayDoEverything(t *testing.T) {
	t.Parallel()
	srv := open(t, licensor.Options{Memory: true, Development: true, Quick: true})
	t.Cleanup(func() { _ = srv.Close() })
	if _, err := srv.Found(t.Context(), licensor.Tenant{Domain: "contoso.example"}); err != nil {
		t.Fatal(err)
	}
	client, err := srv.Client(t.Context(), "contoso.example")
	if err != nil {
		t.Fatal(err)
	}
	user := `{"accountEnabled":true,"displayName":"Ann","mailNickname":"ann","userPrincipalName":"ann@contoso.example","passwordProfile":{"password":"Correct horse 9"}}`
	response, err := client.Post(licensor.OperatorURL+"/v1.0/users", "application/json", strings.NewReader(user))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusCreated {
		t.Errorf("%s %s %v", response.Status, text, err)
	}
	if _, err := srv.Client(t.Context(), "fabrikam.example"); err == nil {
		t.Error("there is a client for a tenant that is not there")
	}
}

func TestATenantWithALoginThatIsGiven(t *testing.T) {
	t.Parallel()
	srv := open(t, licensor.Options{Memory: true, Development: true, Quick: true})
	t.Cleanup(func() { _ = srv.Close() })
	tenant := licensor.Tenant{
		ID: "11111111-2222-3333-4444-555555555555", Domain: "contoso.example", AdminPassword: "Correct horse 9", KeepPassword: true,
		Application: "Deployment", ClientID: "66666666-7777-8888-9999-aaaaaaaaaaaa", ClientSecret: "a secret of 32 characters, or more",
	}
	login, err := srv.Found(t.Context(), tenant)
	want := licensor.Login{
		TenantID: tenant.ID, AdminName: "admin@contoso.example", AdminPassword: tenant.AdminPassword,
		ClientID: tenant.ClientID, ClientSecret: tenant.ClientSecret,
	}
	if err != nil || login != want {
		t.Fatalf("%+v, %v", login, err)
	}
	web := httptest.NewServer(srv)
	t.Cleanup(web.Close)
	tokenOf(t, web.URL, want)
}
