package sdk

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	khttp "github.com/microsoft/kiota-http-go"
	graphsdk "github.com/microsoftgraph/msgraph-sdk-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go-core/authentication"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
)

const (
	domain   = "contoso.example"
	anything = "https://graph.microsoft.com/.default"
)

// client is Graph's client and the adapter below it, which batches and page iterators ask for.
type client struct {
	*graphsdk.GraphServiceClient
	adapter *graphsdk.GraphRequestAdapter
}

// transport trusts the program's certificate.
func transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{RootCAs: server.trust, MinVersion: tls.VersionTLS12}
	return t
}

// compressed counts the requests whose bodies the client has compressed, which it does unless told
// not to.
var compressed atomic.Int32

// watched counts for compressed.
type watched struct{ http.RoundTripper }

func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Content-Encoding") == "gzip" {
		compressed.Add(1)
	}
	return w.RoundTripper.RoundTrip(r)
}

// authority is what a credential has to be told of an authority that is not Microsoft's.
func authority() azcore.ClientOptions {
	return azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: server.Authority},
		Transport: &http.Client{Transport: transport()},
	}
}

// secret is the credential of the demo's application, which may do everything.
func secret(t *testing.T, value string) azcore.TokenCredential {
	t.Helper()
	credential, err := azidentity.NewClientSecretCredential(server.TenantID, server.ClientID, value,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: authority(), DisableInstanceDiscovery: true})
	must(t, err)
	return credential
}

// graph is a client as its users make one: only its address, its certificate and the hosts that get
// a token are ours.
func graph(t *testing.T, credential azcore.TokenCredential, scopes ...string) client {
	t.Helper()
	if len(scopes) == 0 {
		scopes = []string{anything}
	}
	root, err := url.Parse(server.Graph)
	must(t, err)
	provider, err := authentication.NewAzureIdentityAuthenticationProviderWithScopesAndValidHosts(
		credential, scopes, []string{root.Hostname()})
	must(t, err)
	options := graphsdk.GetDefaultClientOptions()
	own := core.GetDefaultClient(&options)
	middlewares := core.GetDefaultMiddlewaresWithOptions(&options)
	own.Transport = khttp.NewCustomTransportWithParentTransport(watched{transport()}, middlewares...)
	adapter, err := graphsdk.NewGraphRequestAdapterWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		provider, nil, nil, own)
	must(t, err)
	adapter.SetBaseUrl(server.Graph + "/v1.0")
	return client{graphsdk.NewGraphServiceClient(adapter), adapter}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if problem := new(odataerrors.ODataError); errors.As(err, &problem) {
		t.Fatalf("%d %s: %s", problem.ResponseStatusCode, text(problem.GetErrorEscaped().GetCode()), problem.Error())
	}
	t.Fatal(err)
}

// refused checks that the client understands why it was refused.
func refused(t *testing.T, err error, status int, code, message string) {
	t.Helper()
	problem := new(odataerrors.ODataError)
	if !errors.As(err, &problem) {
		t.Fatalf("%T %v, want an error of Graph", err, err)
	}
	body := problem.GetErrorEscaped()
	if problem.ResponseStatusCode != status || text(body.GetCode()) != code || text(body.GetMessage()) != message {
		t.Fatalf("refused with %d %s: %s; want %d %s: %s", problem.ResponseStatusCode, text(body.GetCode()), text(body.GetMessage()), status, code, message)
	}
	if text(body.GetInnerError().GetRequestId()) == "" || body.GetInnerError().GetDate() == nil {
		t.Fatal("the error has no request id or no date")
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func ptr[T any](value T) *T { return &value }

var made atomic.Int32

// person is a new user, not created yet.
func person(password string) models.Userable {
	name := fmt.Sprintf("go.user%d", made.Add(1))
	user := models.NewUser()
	user.SetAccountEnabled(ptr(true))
	user.SetDisplayName(&name)
	user.SetMailNickname(&name)
	user.SetUserPrincipalName(ptr(name + "@" + domain))
	user.SetUsageLocation(ptr("DE"))
	profile := models.NewPasswordProfile()
	profile.SetPassword(&password)
	profile.SetForceChangePasswordNextSignIn(ptr(false))
	user.SetPasswordProfile(profile)
	return user
}

func newUser(t *testing.T, g client) models.Userable {
	t.Helper()
	user, err := g.Users().Post(t.Context(), person("A-long-enough-1"), nil)
	must(t, err)
	return user
}

func newGroup(t *testing.T, g client, name string) models.Groupable {
	t.Helper()
	group := models.NewGroup()
	group.SetDisplayName(&name)
	group.SetMailNickname(&name)
	group.SetMailEnabled(ptr(false))
	group.SetSecurityEnabled(ptr(true))
	created, err := g.Groups().Post(t.Context(), group, nil)
	must(t, err)
	return created
}
