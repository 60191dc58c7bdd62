package clients

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"github.com/hashicorp/go-azure-sdk/sdk/auth"
	"github.com/hashicorp/go-azure-sdk/sdk/environments"
)

// world is the server that run.mjs has started.
type world struct {
	Graph, Authority, TenantID, ClientID, ClientSecret, PublicClientID, UserName, UserPassword string
}

func open(t *testing.T) (w world) {
	t.Helper()
	text, err := os.ReadFile(os.Getenv("LICENSOR_INFO"))
	if err != nil {
		t.Skip("LICENSOR_INFO names no server to test: run `make test-clients`")
	}
	if err := json.Unmarshal(text, &w); err != nil {
		t.Fatal(err)
	}
	return w
}

// call sends a request with a token, and returns the status.
func call(t *testing.T, method, url, token, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
	return answer.StatusCode
}

// MSAL asks where the user signs in before it sends the password.
func TestMSALSignsAPersonInByPassword(t *testing.T) {
	w := open(t)
	app := environmentToken(t, w)
	status := call(t, http.MethodPatch, w.Graph+"/licensor/v1/signIn", app, `{"allowPasswordGrant":true}`)
	if status != http.StatusNoContent && status != http.StatusOK {
		t.Fatalf("the password grant cannot be allowed: %d", status)
	}
	client, err := public.New(w.PublicClientID,
		public.WithAuthority(w.Authority+"/"+w.TenantID), public.WithInstanceDiscovery(false))
	if err != nil {
		t.Fatal(err)
	}
	result, err := client.AcquireTokenByUsernamePassword(t.Context(), []string{"User.Read"}, w.UserName, w.UserPassword)
	if err == nil || !strings.Contains(err.Error(), "AADSTS65001") {
		t.Fatalf("without consent answered %v, %v", result, err)
	}
	consent(t, w, app)
	result, err = client.AcquireTokenByUsernamePassword(t.Context(), []string{"User.Read"}, w.UserName, w.UserPassword)
	if err != nil || result.Account.PreferredUsername != w.UserName {
		t.Fatalf("answered %+v, %v", result.Account, err)
	}
	if status := call(t, http.MethodGet, w.Graph+"/v1.0/me", result.AccessToken, ""); status != http.StatusOK {
		t.Errorf("/me answered %d", status)
	}
}

// consent lets the demo's public client read the profile of all users.
func consent(t *testing.T, w world, token string) {
	t.Helper()
	find := func(appID string) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Graph+"/v1.0/servicePrincipals(appId='"+appID+"')?$select=id", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var principal struct{ ID string }
		if err := json.NewDecoder(answer.Body).Decode(&principal); err != nil || principal.ID == "" {
			t.Fatalf("no service principal of %s: %v", appID, err)
		}
		return principal.ID
	}
	grant := `{"clientId":"` + find(w.PublicClientID) + `","consentType":"AllPrincipals","resourceId":"` +
		find("00000003-0000-0000-c000-000000000000") + `","scope":"User.Read openid profile offline_access"}`
	if status := call(t, http.MethodPost, w.Graph+"/v1.0/oauth2PermissionGrants", token, grant); status != http.StatusCreated {
		t.Fatalf("the consent was answered with %d", status)
	}
}

// environmentToken logs the demo's application in as Terraform's providers do: by what
// /metadata/endpoints says.
func environmentToken(t *testing.T, w world) string {
	t.Helper()
	environment, err := environments.FromEndpoint(context.Background(), w.Graph)
	if err != nil {
		t.Fatal(err)
	}
	if endpoint, ok := environment.MicrosoftGraph.Endpoint(); !ok || *endpoint != w.Graph {
		t.Fatalf("Graph is at %v", environment.MicrosoftGraph)
	}
	authorizer, err := auth.NewAuthorizerFromCredentials(t.Context(), auth.Credentials{
		Environment: *environment, TenantID: w.TenantID, ClientID: w.ClientID,
		ClientSecret: w.ClientSecret, EnableAuthenticatingUsingClientSecret: true,
	}, environment.MicrosoftGraph)
	if err != nil {
		t.Fatal(err)
	}
	token, err := authorizer.Token(t.Context(), &http.Request{})
	if err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}

func TestTerraformFindsTheAuthorityAndGraph(t *testing.T) {
	w := open(t)
	token := environmentToken(t, w)
	for _, path := range []string{"/v1.0/users?$top=1", "/beta/groups?$top=1", "/v1.0/" + w.TenantID + "/users?$top=1", "/v1.0/myorganization/applications"} {
		if status := call(t, http.MethodGet, w.Graph+path, token, ""); status != http.StatusOK {
			t.Errorf("%s answered %d", path, status)
		}
	}
}
