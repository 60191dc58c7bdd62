package sdk

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/golang-jwt/jwt/v5"
	"github.com/microsoftgraph/msgraph-sdk-go/applications"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
)

// addSecret gives an application a secret. Only this answer has it in whole.
func addSecret(t *testing.T, g client, app models.Applicationable) models.PasswordCredentialable {
	t.Helper()
	wanted := models.NewPasswordCredential()
	wanted.SetDisplayName(ptr("made by the test"))
	body := applications.NewItemAddPasswordPostRequestBody()
	body.SetPasswordCredential(wanted)
	made, err := g.Applications().ByApplicationId(text(app.GetId())).AddPassword().Post(t.Context(), body, nil)
	must(t, err)
	return made
}

func TestASecretIsAddedUsedAndRemoved(t *testing.T) {
	admin := graph(t, secret(t, server.ClientSecret))
	app := application("go-secret")
	app, principal := registered(t, admin, app)
	permit(t, admin, principal, "User.Read.All")
	made := addSecret(t, admin, app)
	login := func() azcore.TokenCredential {
		credential, err := azidentity.NewClientSecretCredential(server.TenantID,
			text(app.GetAppId()), text(made.GetSecretText()),
			&azidentity.ClientSecretCredentialOptions{ClientOptions: authority(), DisableInstanceDiscovery: true})
		must(t, err)
		return credential
	}
	_, err := graph(t, login()).Users().Get(t.Context(), nil)
	must(t, err)

	read, err := admin.Applications().ByApplicationId(text(app.GetId())).Get(t.Context(), nil)
	must(t, err)
	if list := read.GetPasswordCredentials(); len(list) != 1 || list[0].GetSecretText() != nil ||
		!strings.HasPrefix(text(made.GetSecretText()), text(list[0].GetHint())) {
		t.Fatalf("%d secrets are shown, or one is shown in whole", len(list))
	}
	remove := applications.NewItemRemovePasswordPostRequestBody()
	remove.SetKeyId(made.GetKeyId())
	must(t, admin.Applications().ByApplicationId(text(app.GetId())).RemovePassword().Post(t.Context(), remove, nil))
	if err := token(t, login()); err == nil || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Fatalf("a secret that was removed: %v", err)
	}
}

// issuer is another authority, such as that of a cluster, whose workloads have tokens of their own.
type issuer struct {
	*httptest.Server
	pair keyPair
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{pair: newKeyPair(t, "issuer")}
	answer := func(value any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(value)
		}
	}
	mux := http.NewServeMux()
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	public, encode := i.pair.private.PublicKey, base64.RawURLEncoding.EncodeToString
	mux.Handle("/.well-known/openid-configuration", answer(map[string]any{
		"issuer": i.URL, "jwks_uri": i.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"},
		"response_types_supported": []string{"id_token"}, "subject_types_supported": []string{"public"}, "authorization_endpoint": i.URL + "/none",
	}))
	mux.Handle("/keys", answer(map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": encode(public.N.Bytes()), "e": encode(big.NewInt(int64(public.E)).Bytes()),
	}}}))
	return i
}

// token is that of a workload.
func (i *issuer) token(subject string) (string, error) {
	unsigned := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": i.URL, "sub": subject, "aud": "api://AzureADTokenExchange", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	})
	unsigned.Header["kid"] = "1"
	return unsigned.SignedString(i.pair.private)
}

func TestFederatedCredential(t *testing.T) {
	admin := graph(t, secret(t, server.ClientSecret))
	cluster := newIssuer(t)
	app := application("go-workload")
	app, principal := registered(t, admin, app)
	permit(t, admin, principal, "User.Read.All")
	federated := models.NewFederatedIdentityCredential()
	federated.SetName(ptr("cluster"))
	federated.SetIssuer(&cluster.URL)
	federated.SetSubject(ptr("system:serviceaccount:licenses:reader"))
	federated.SetAudiences([]string{"api://AzureADTokenExchange"})
	_, err := admin.Applications().ByApplicationId(text(app.GetId())).
		FederatedIdentityCredentials().Post(t.Context(), federated, nil)
	must(t, err)
	login := func(subject string) azcore.TokenCredential {
		credential, err := azidentity.NewClientAssertionCredential(server.TenantID, text(app.GetAppId()),
			func(context.Context) (string, error) { return cluster.token(subject) },
			&azidentity.ClientAssertionCredentialOptions{ClientOptions: authority(), DisableInstanceDiscovery: true})
		must(t, err)
		return credential
	}
	_, err = graph(t, login("system:serviceaccount:licenses:reader")).Users().Get(t.Context(), nil)
	must(t, err)
	if err := token(t, login("system:serviceaccount:licenses:other")); err == nil || !strings.Contains(err.Error(), "AADSTS700213") {
		t.Fatalf("another workload of the cluster: %v", err)
	}
}

// TestOnBehalfOf lets a service call Graph for the person who calls it, until the person is
// blocked.
func TestOnBehalfOf(t *testing.T) {
	admin := graph(t, secret(t, server.ClientSecret))
	app := application("go-service")
	app, principal := registered(t, admin, app)
	consent(t, admin, principal, "User.Read")
	made := addSecret(t, admin, app)

	user, calling := signedIn(t, admin, "api://"+text(app.GetAppId())+"/.default")
	credential, err := azidentity.NewOnBehalfOfCredentialWithSecret(server.TenantID,
		text(app.GetAppId()), calling, text(made.GetSecretText()),
		&azidentity.OnBehalfOfCredentialOptions{ClientOptions: authority(), DisableInstanceDiscovery: true})
	must(t, err)
	g := graph(t, credential, "https://graph.microsoft.com/User.Read")
	me, err := g.Me().Get(t.Context(), nil)
	must(t, err)
	if text(me.GetId()) != text(user.GetId()) {
		t.Fatalf("the service acts for %s, want %s", text(me.GetUserPrincipalName()), text(user.GetUserPrincipalName()))
	}

	blocked := models.NewUser()
	blocked.SetAccountEnabled(ptr(false))
	_, err = admin.Users().ByUserId(text(user.GetId())).Patch(t.Context(), blocked, nil)
	must(t, err)
	_, err = g.Me().Get(t.Context(), nil)
	refused(t, err, 401, "InvalidAuthenticationToken", "Access token validation failure. The user is unknown, deleted or disabled.")
}
