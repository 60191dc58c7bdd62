// Package licensortest provides a tenant for tests of programs that assign licenses through
// Microsoft Graph:
//
//	func TestSalesGetsLicenses(t *testing.T) {
//		t.Parallel()
//		srv := licensortest.New(t)
//		sku := srv.Subscribe("ENTERPRISEPACK", 25)
//		ann := srv.User("ann")
//		sales := srv.Group("Sales", ann)
//		err := giveLicense(t.Context(), srv.Client(), srv.URL+"/v1.0", sales, sku) // what is tested
//		…
//	}
//
// Each server has a loopback address and a database in memory of its own. It is ready in
// milliseconds and ends with the test, so every test can have one. It reproduces rare behavior of
// real tenants on demand: Clock moves its time, Faults let requests fail, AsyncGroups delays
// licenses of groups until after the response, and Token returns any token, valid or not.
//
// Methods that fail end the test with t.Fatal, so they must be called from the goroutine of the
// test. The server itself, and the results of Client and As, are safe for concurrent use.
package licensortest

import (
	"cmp"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/oauth2"

	"licensor"
)

const (
	// Domain is the domain of user principal names, as in ann@contoso.example.
	Domain = "contoso.example"
	// Password is the password of every user that User creates.
	Password = "Correct horse 9"
)

// Option changes the options of the server before it is opened, such as its initial time or a
// throttling limit:
//
//	licensortest.New(t, func(o *licensor.Options) { o.Clock = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) })
//
// Memory, Development and Quick are set already, and Log is the log of the test.
type Option = func(*licensor.Options)

// Server is a tenant on a server of its own.
type Server struct {
	// URL is the scheme and host of both Microsoft Graph and the authority, such as
	// http://127.0.0.1:41234.
	URL string
	// Certificate is what clients must trust, as HTTPClient does; nil without TLS.
	Certificate *x509.Certificate
	// Authority is the tenant's authority in the form for clients: URL/{TenantID}.
	Authority string
	// Login has the TenantID, the ClientID and ClientSecret of an application with all permissions,
	// and AdminName and AdminPassword of a Global Administrator. They stay the same after Reset.
	licensor.Login
	// Clock is the time of the server.
	Clock *Clock
	// Faults are the faults of the server.
	Faults *Faults

	t         testing.TB
	options   []Option
	transport http.RoundTripper // to URL

	mu       sync.RWMutex // read-locked by every request, locked while the tenant is replaced
	served   *licensor.Server
	operator *http.Client // accesses the tenant without a network and without faults
}

// New starts a server with a tenant that has an administrator, an application and nothing else. It
// ends with the test, after all requests have ended.
func New(t testing.TB, options ...Option) *Server {
	t.Helper()
	return start(t, httptest.NewServer, options)
}

// NewTLS is New with https, for libraries that require it for signing in, such as azidentity. The
// certificate is for tests only. HTTPClient trusts it; pass that client to libraries.
func NewTLS(t testing.TB, options ...Option) *Server {
	t.Helper()
	return start(t, httptest.NewTLSServer, options)
}

func start(t testing.TB, listen func(http.Handler) *httptest.Server, options []Option) *Server {
	t.Helper()
	s := &Server{t: t, options: options}
	s.Clock, s.Faults = &Clock{s}, &Faults{s}
	web := listen(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		web.Close()
		s.end()
	})
	s.URL, s.transport, s.Certificate = web.URL, web.Client().Transport, web.Certificate()
	s.begin()
	s.Authority = s.URL + "/" + s.TenantID
	return s
}

// Reset restores the initial tenant: without users, groups, seats and faults, at the initial time
// of the server. URL and Login stay the same. Earlier tokens become invalid. It waits for requests
// in progress.
func (s *Server) Reset() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
	s.begin()
}

// begin opens a server with a new database and creates the tenant, with the login that it had
// before.
func (s *Server) begin() {
	s.t.Helper()
	o := licensor.Options{
		Memory: true, Development: true, Quick: true, Log: slog.New(slog.NewTextHandler(s.t.Output(), nil)),
	}
	for _, set := range s.options {
		if set == nil {
			s.t.Fatalf("licensortest: an Option is nil: leave it out.")
		}
		set(&o)
	}
	ctx := s.t.Context()
	var err error
	if s.served, err = licensor.Open(ctx, o); err != nil {
		s.t.Fatalf("licensortest: the server cannot be opened: %v", err)
	}
	s.Login, err = s.served.Found(ctx, licensor.Tenant{
		ID: s.TenantID, Name: "Contoso", Domain: Domain, AdminPassword: s.AdminPassword, KeepPassword: true,
		Application: "Tests", ClientID: s.ClientID, ClientSecret: s.ClientSecret,
	})
	if err != nil {
		s.t.Fatalf("licensortest: the tenant cannot be created: %v", err)
	}
	if s.operator, err = s.served.Client(ctx, s.TenantID); err != nil {
		s.t.Fatalf("licensortest: the tenant cannot be filled: %v", err)
	}
}

func (s *Server) end() {
	if s.served == nil { // it could not be opened
		return
	}
	if err := s.served.Close(); err != nil {
		s.t.Errorf("licensortest: the server did not shut down cleanly: %v", err)
	}
	s.served = nil
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.served == nil {
		http.Error(w, "The server could not be opened; the test's log says why.", http.StatusServiceUnavailable)
		return
	}
	s.served.ServeHTTP(w, r)
}

// HTTPClient returns a client that sends no token, for requests that do not need one, and for
// libraries that sign in by themselves.
func (s *Server) HTTPClient() *http.Client { return &http.Client{Transport: s.transport} }

// Client returns a client that signs in as an application with these permissions, such as
// Group.ReadWrite.All, or with all permissions if none are given. It requests a new token for each
// request, so moving the clock does not expire its token.
func (s *Server) Client(permissions ...string) *http.Client {
	s.t.Helper()
	return s.As(Token{Permissions: permissions})
}

// As returns a client that sends such a token, a new one for each request.
func (s *Server) As(which Token) *http.Client {
	s.t.Helper()
	s.mustBeValid(which)
	return &http.Client{Transport: &oauth2.Transport{Source: source{s, which}, Base: s.transport}}
}

type source struct {
	server *Server
	which  Token
}

// Token implements [oauth2.TokenSource].
func (s source) Token() (*oauth2.Token, error) {
	text, err := s.server.mint(s.which)
	return &oauth2.Token{AccessToken: text}, err
}

// Properties are the properties of an object, as Graph writes them.
type Properties map[string]any

// User creates a user with the user principal name name@contoso.example and returns its id. Its
// location is US, since licenses require one, and its password is Password. Properties are added to
// these or replace them: Properties{"department": "Sales", "usageLocation": nil}.
func (s *Server) User(name string, properties ...Properties) (id string) {
	s.t.Helper()
	user := Properties{
		"accountEnabled": true, "displayName": name, "mailNickname": name, "userPrincipalName": name + "@" + Domain, "usageLocation": "US",
		"passwordProfile": Properties{"password": Password, "forceChangePasswordNextSignIn": false},
	}
	for _, more := range properties {
		for property, value := range more {
			user[property] = value
		}
	}
	return s.make("the user "+name, "/v1.0/users", user)
}

// Group creates a security group with these members, users or other groups by id, and returns its
// id.
func (s *Server) Group(name string, members ...string) (id string) {
	s.t.Helper()
	nickname := cmp.Or(strings.Map(plain, name), "group")
	group := Properties{"displayName": name, "mailNickname": nickname, "mailEnabled": false, "securityEnabled": true}
	id = s.make("the group "+name, "/v1.0/groups", group)
	for some := range slices.Chunk(members, 20) { // the maximum number in one request of Graph
		var bind []string
		for _, member := range some {
			bind = append(bind, licensor.OperatorURL+"/v1.0/directoryObjects/"+member)
		}
		if err := s.operate(http.MethodPatch, "/v1.0/groups/"+id, Properties{"members@odata.bind": bind}, nil); err != nil {
			s.t.Fatalf("licensortest: the group %s cannot have these members: %v. Members are ids that User and "+
				"Group returned.", name, err)
		}
	}
	return id
}

// plain keeps the letters and digits of ASCII.
func plain(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return -1
}

// Subscribe adds seats of a product to any existing ones, and returns its skuId. The product is
// named by its skuPartNumber in the tenant's catalog, such as ENTERPRISEPACK, which is Office 365
// E3.
func (s *Server) Subscribe(partNumber string, seats int) (skuID string) {
	s.t.Helper()
	var catalog struct{ Products []product }
	if err := s.operate(http.MethodGet, "/licensor/v1/catalog", nil, &catalog); err != nil {
		s.t.Fatalf("licensortest: the catalog cannot be read: %v", err)
	}
	skuID, ok := find(catalog.Products, partNumber)
	if !ok {
		s.t.Fatalf("licensortest: the catalog has no product %q: use a skuPartNumber such as %s.",
			partNumber, near(catalog.Products, partNumber))
	}
	s.make("the subscription of "+partNumber, "/licensor/v1/subscriptions", Properties{"skuId": skuID, "totalLicenses": seats})
	return skuID
}

// make creates an object and returns its id.
func (s *Server) make(what, path string, object Properties) string {
	s.t.Helper()
	var made struct{ ID string }
	if err := s.operate(http.MethodPost, path, object, &made); err != nil {
		s.t.Fatalf("licensortest: %s cannot be created: %v", what, err)
	}
	return made.ID
}
