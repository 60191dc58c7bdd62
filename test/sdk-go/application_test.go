package sdk

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
)

// graphAppID is the application id of Microsoft Graph, the resource whose permissions are granted.
const graphAppID = "00000003-0000-0000-c000-000000000000"

// application is a new one, not registered yet.
func application(name string) models.Applicationable {
	app := models.NewApplication()
	app.SetDisplayName(&name)
	return app
}

// registered makes an application and its service principal, as an administrator's script does.
func registered(
	t *testing.T, g client, app models.Applicationable,
) (created models.Applicationable, principal models.ServicePrincipalable) {
	t.Helper()
	created, err := g.Applications().Post(t.Context(), app, nil)
	must(t, err)
	principal = models.NewServicePrincipal()
	principal.SetAppId(created.GetAppId())
	principal, err = g.ServicePrincipals().Post(t.Context(), principal, nil)
	must(t, err)
	return created, principal
}

// permit gives a service principal an application permission of Microsoft Graph, found by its name.
func permit(t *testing.T, g client, principal models.ServicePrincipalable, permission string) {
	t.Helper()
	resource, err := g.ServicePrincipalsWithAppId(ptr(graphAppID)).Get(t.Context(), nil)
	must(t, err)
	for _, role := range resource.GetAppRoles() {
		if text(role.GetValue()) != permission {
			continue
		}
		assignment := models.NewAppRoleAssignment()
		assignment.SetPrincipalId(ptr(uuid.MustParse(text(principal.GetId()))))
		assignment.SetResourceId(ptr(uuid.MustParse(text(resource.GetId()))))
		assignment.SetAppRoleId(role.GetId())
		_, err := g.ServicePrincipals().ByServicePrincipalId(text(principal.GetId())).
			AppRoleAssignments().Post(t.Context(), assignment, nil)
		must(t, err)
		return
	}
	t.Fatalf("Microsoft Graph has no application permission %s among %d", permission, len(resource.GetAppRoles()))
}

// consent lets a service principal use delegated permissions for all users, as an administrator
// does.
func consent(t *testing.T, g client, principal models.ServicePrincipalable, scopes string) {
	t.Helper()
	resource, err := g.ServicePrincipalsWithAppId(ptr(graphAppID)).Get(t.Context(), nil)
	must(t, err)
	grant := models.NewOAuth2PermissionGrant()
	grant.SetClientId(principal.GetId())
	grant.SetResourceId(resource.GetId())
	grant.SetConsentType(ptr("AllPrincipals"))
	grant.SetScope(&scopes)
	_, err = g.Oauth2PermissionGrants().Post(t.Context(), grant, nil)
	must(t, err)
}

// keyPair is a private key and the certificate of it that an application registers.
type keyPair struct {
	private     *rsa.PrivateKey
	certificate *x509.Certificate
}

func newKeyPair(t *testing.T, name string) keyPair {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	certificate, err := selfSigned(private, name)
	must(t, err)
	return keyPair{private, certificate}
}

// credential is the certificate as Graph takes it.
func (k keyPair) credential() models.KeyCredentialable {
	key := models.NewKeyCredential()
	key.SetTypeEscaped(ptr("AsymmetricX509Cert"))
	key.SetUsage(ptr("Verify"))
	key.SetDisplayName(ptr("CN=" + k.certificate.Subject.CommonName))
	key.SetKey(k.certificate.Raw)
	key.SetStartDateTime(ptr(k.certificate.NotBefore.Truncate(time.Second)))
	key.SetEndDateTime(ptr(k.certificate.NotAfter.Truncate(time.Second)))
	return key
}
