package licensortest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"licensor/licensortest"
)

// A library that signs in by itself is given addresses with https alone, by the server and by its
// discovery document.
func TestALibrarySignsInOverHTTPS(t *testing.T) {
	t.Parallel()
	srv := licensortest.NewTLS(t)
	if !strings.HasPrefix(srv.URL, "https://") || srv.Certificate == nil {
		t.Fatalf("the server is at %s, its certificate is %v", srv.URL, srv.Certificate)
	}
	status, body := get(t, srv.HTTPClient(), srv.Authority+"/v2.0/.well-known/openid-configuration")
	var discovered map[string]any
	if err := json.Unmarshal([]byte(body), &discovered); status != http.StatusOK || err != nil {
		t.Fatal(status, body)
	}
	for name, value := range discovered {
		if text, ok := value.(string); ok && strings.HasPrefix(text, "http://") {
			t.Errorf("%s is %s", name, text)
		}
	}
	login := clientcredentials.Config{
		ClientID: srv.ClientID, ClientSecret: srv.ClientSecret, TokenURL: discovered["token_endpoint"].(string),
		Scopes: []string{"https://graph.microsoft.com/.default"},
	}
	client := login.Client(context.WithValue(t.Context(), oauth2.HTTPClient, srv.HTTPClient()))
	if status, body := get(t, client, srv.URL+"/v1.0/organization"); status != http.StatusOK {
		t.Error(status, body)
	}
	if status, _ := get(t, srv.Client("User.Read.All"), srv.URL+"/v1.0/users"); status != http.StatusOK {
		t.Error("the client that signs in by itself is answered", status)
	}
}

func TestWithoutTLSThereIsNoCertificate(t *testing.T) {
	t.Parallel()
	if srv := licensortest.New(t); srv.Certificate != nil || !strings.HasPrefix(srv.URL, "http://") {
		t.Error(srv.URL, srv.Certificate)
	}
}
