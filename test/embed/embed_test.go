// Package embed is a third-party program that has a server of licensor in it.
package embed

import (
	"encoding/json"
	"io"
	"licensor"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestAProgramServesATenant(t *testing.T) {
	srv, err := licensor.Open(t.Context(), licensor.Options{Memory: true})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	login, err := srv.Found(t.Context(), licensor.Tenant{Domain: "contoso.example", Application: "Deployment"})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(srv)
	defer web.Close()
	token := signIn(t, web.URL, login)
	user := `{"accountEnabled":true,"displayName":"Ann","mailNickname":"ann","userPrincipalName":"ann@contoso.example","usageLocation":"DE","passwordProfile":{"password":"Correct horse 9"}}`
	call(t, http.MethodPost, web.URL+"/v1.0/users", token, user, http.StatusCreated)
	if text := call(t, http.MethodPost, web.URL+"/v1.0/users/ann@contoso.example/reprocessLicenseAssignment", token, "", http.StatusOK); !strings.Contains(text, `"displayName":"Ann"`) {
		t.Error(text)
	}
}

func signIn(t *testing.T, root string, login licensor.Login) string {
	t.Helper()
	response, err := http.PostForm(root+"/"+login.TenantID+"/oauth2/v2.0/token", url.Values{
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

func call(t *testing.T, method, address, token, body string, status int) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		t.Fatalf("%s %s: %s %s", method, address, response.Status, text)
	}
	return string(text)
}
