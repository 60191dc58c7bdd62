package sdk

import (
	"context"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
)

const (
	denied               = "Insufficient privileges to complete the operation."
	licenseAdministrator = "4d6ac14f-3453-41d0-bef9-a3e0c569773a" // the role's template
)

// token asks a credential for a token without using it.
func token(t *testing.T, credential azcore.TokenCredential) error {
	got, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{anything}})
	if err == nil && (strings.Count(got.Token, ".") != 2 || got.ExpiresOn.IsZero()) {
		t.Fatal("the token is no JWT or never expires")
	}
	return err
}

func TestClientSecret(t *testing.T) {
	must(t, token(t, secret(t, server.ClientSecret)))
	if err := token(t, secret(t, "wrong")); err == nil || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Fatalf("a wrong secret: %v", err)
	}
}

func TestClientCertificate(t *testing.T) {
	admin := graph(t, secret(t, server.ClientSecret))
	pair := newKeyPair(t, "go-certificate")
	app := application("go-certificate")
	app.SetKeyCredentials([]models.KeyCredentialable{pair.credential()})
	created, principal := registered(t, admin, app)
	permit(t, admin, principal, "User.Read.All")
	login := func(pair keyPair, chain bool) azcore.TokenCredential {
		options := &azidentity.ClientCertificateCredentialOptions{
			ClientOptions: authority(), DisableInstanceDiscovery: true, SendCertificateChain: chain,
		}
		credential, err := azidentity.NewClientCertificateCredential(server.TenantID, text(created.GetAppId()),
			[]*x509.Certificate{pair.certificate}, pair.private, options)
		must(t, err)
		return credential
	}

	g := graph(t, login(pair, false))
	people, err := g.Users().Get(t.Context(), nil)
	must(t, err)
	if len(people.GetValue()) == 0 {
		t.Fatal("no users are listed")
	}
	_, err = g.Users().Post(t.Context(), person("A-long-enough-1"), nil)
	refused(t, err, 403, "Authorization_RequestDenied", denied)
	must(t, token(t, login(pair, true)))
	if err := token(t, login(newKeyPair(t, "go-certificate"), false)); err == nil || !strings.Contains(err.Error(), "AADSTS700027") {
		t.Fatalf("a certificate that is not registered: %v", err)
	}
}

func TestDeviceCode(t *testing.T) {
	admin := graph(t, secret(t, server.ClientSecret))
	app := application("go-device")
	app.SetIsFallbackPublicClient(ptr(true))
	app, principal := registered(t, admin, app)
	consent(t, admin, principal, "LicenseAssignment.ReadWrite.All User.Read")
	user, credential, approved := device(t, admin, app)

	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second) // the client would wait a quarter of an hour
	defer stop()
	g := graph(t, credential, "https://graph.microsoft.com/LicenseAssignment.ReadWrite.All", "https://graph.microsoft.com/User.Read")
	me, err := g.Me().Get(ctx, nil)
	must(t, <-approved)
	must(t, err)
	if text(me.GetUserPrincipalName()) != text(user.GetUserPrincipalName()) {
		t.Fatalf("signed in as %s, but /me is %s", text(user.GetUserPrincipalName()), text(me.GetUserPrincipalName()))
	}
	_, err = assign(t, g, text(user.GetId()), ems)
	refused(t, err, 403, "Authorization_RequestDenied", denied) // the application may, its user may not

	makeLicenseAdministrator(t, admin, user)
	_, err = assign(t, g, text(user.GetId()), ems)
	must(t, err)
}

// device is the credential of a new user, who will approve when asked to sign in, and what resulted
// from that.
func device(
	t *testing.T, admin client, app models.Applicationable,
) (models.Userable, *azidentity.DeviceCodeCredential, <-chan error) {
	t.Helper()
	const password = "Correct-horse-7"
	user, err := admin.Users().Post(t.Context(), person(password), nil)
	must(t, err)
	approved := make(chan error, 1)
	credential, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		ClientOptions: authority(), DisableInstanceDiscovery: true,
		TenantID: server.TenantID, ClientID: text(app.GetAppId()),
		UserPrompt: func(_ context.Context, message azidentity.DeviceCodeMessage) error {
			if !strings.Contains(message.Message, message.UserCode) ||
				!strings.HasPrefix(message.VerificationURL, server.Authority) {
				t.Errorf("the message %q, the address %q", message.Message, message.VerificationURL)
			}
			go func() {
				time.Sleep(time.Second) // until the client has been told to wait, and that it asks too often
				approved <- approve(message.VerificationURL, map[string]string{
					"code": message.UserCode, "username": text(user.GetUserPrincipalName()), "password": password,
				})
			}()
			return nil
		},
	})
	must(t, err)
	return user, credential, approved
}

// signedIn is a new user, and a token that an application of its own has been given for them.
func signedIn(t *testing.T, admin client, scope string) (models.Userable, string) {
	t.Helper()
	app := application("go-caller")
	app.SetIsFallbackPublicClient(ptr(true))
	app, _ = registered(t, admin, app)
	user, credential, approved := device(t, admin, app)
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	got, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
	must(t, <-approved)
	must(t, err)
	return user, got.Token
}

// makeLicenseAdministrator gives a user the role License Administrator.
func makeLicenseAdministrator(t *testing.T, g client, user models.Userable) {
	t.Helper()
	assignment := models.NewUnifiedRoleAssignment()
	assignment.SetRoleDefinitionId(ptr(licenseAdministrator))
	assignment.SetPrincipalId(user.GetId())
	assignment.SetDirectoryScopeId(ptr("/"))
	_, err := g.RoleManagement().Directory().RoleAssignments().Post(t.Context(), assignment, nil)
	must(t, err)
}
