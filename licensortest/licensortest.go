// Package licensortest has a tenant for a test of a program that assigns licenses through Microsoft
// Graph:
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
// milliseconds and ends with the test, so every test can have one. What real tenants do now and
// then, it does on demand: Clock moves its time, Faults let requests fail, AsyncGroups lets
// licenses of groups come later than the answer, and Token makes any token, good or not.
//
// Methods that cannot do what they are asked end the test with t.Fatal, so they are for the
// goroutine of the test. The server itself, and what Client and As return, may be used by many
// goroutines.
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
	// Domain is that of user principal names, as in ann@contoso.example.
	Domain = "contoso.example"
	// Password is that of every user that User makes.
	Password = "Correct horse 9"
)

// Option changes the options of the server before it is opened, such as the time at which it begins
// or a bound for throttling:
//
//	licensortest.New(t, func(o *licensor.Options) { o.Clock = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) })
//
// Memory, Development and Quick are set already, and Log is the log of the test.
type Option = func(*licensor.Options)

// Server is a tenant on a server of its own.
type Server struct {
	// URL is the scheme and host of Microsoft Graph and the authority, such as http://127.0.0.1:41234.
	URL string
	// Certificate is what clients must trust, as HTTPClient does; nil without TLS.
	Certificate *x509.Certificate
	// Authority is the tenant's authority, as clients are given it: URL/{TenantID}.
	Authority string
	// Login has the TenantID, the ClientID and ClientSecret of an application that may do everything,
	// and AdminName and AdminPassword of a Global Administrator. They stay the same after Reset.
	licensor.Login
	// Clock is the time of the server.
	Clock *Clock
	// Faults are the requests that fail.
	Faults *Faults

	t         testing.TB
	options   []Option
	transport http.RoundTripper // to URL

	mu       sync.RWMutex // held to read by every request, to write while the tenant is replaced
	served   *licensor.Server
	operator *http.Client // works on the tenant without a network, and meets no faults
}

// New starts a server with a tenant that has an administrator, an application and nothing else. It
// ends with the test, when requests have ended.
func New(t testing.TB, options ...Option) *Server {
	t.Helper()
	return start(t, httptest.NewServer, options)
}

// NewTLS is New over https, for libraries that sign in over nothing else, such as azidentity. The
// certificate is one for tests: HTTPClient trusts it, and what a library is given for its requests.
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

// Reset goes back to the fresh tenant: without users, groups, seats and faults, at the time at
// which the server began. URL and Login stay the same. Tokens of before are worthless. It waits for
// requests under way.
func (s *Server) Reset() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
	s.begin()
}

// begin opens a server over a new database and makes the tenant, with the login that it had before.
func (s *Server) begin() {
	s.t.Helper()
	o := licensor.Options{
		Memory: true, Development: true, Quick: true, Log: slog.New(slog.NewTextHandler(s.t.Output(), nil)),
	}
	for _, set := range s.options {
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
		s.t.Fatalf("licensortest: the tenant cannot be made: %v", err)
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
		s.t.Errorf("licensortest: the server does not end in order: %v", err)
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

// HTTPClient returns a client that sends no token: for requests that need none, and for libraries
// that sign in by themselves.
func (s *Server) HTTPClient() *http.Client { return &http.Client{Transport: s.transport} }

// Client returns a client that signs in as an application with these permissions, such as
// Group.ReadWrite.All; as one that may do everything when there are none. It asks for a new token
// with each request, so none expires when the clock is moved.
func (s *Server) Client(permissions ...string) *http.Client {
	return s.As(Token{Permissions: permissions})
}

// As returns a client that sends such a token, a new one with each request.
func (s *Server) As(which Token) *http.Client {
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

// Properties are those of an object, as Graph writes them.
type Properties map[string]any

// User makes a user with the user principal name name@contoso.example and returns its id. It is in
// the US, since licenses need a location, and has the password Password. Properties add to that
// or take its place: Properties{"department": "Sales", "usageLocation": nil}.
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

// Group makes a security group with these members, users or other groups by id, and returns its id.
func (s *Server) Group(name string, members ...string) (id string) {
	s.t.Helper()
	nickname := cmp.Or(strings.Map(plain, name), "group")
	group := Properties{"displayName": name, "mailNickname": nickname, "mailEnabled": false, "securityEnabled": true}
	id = s.make("the group "+name, "/v1.0/groups", group)
	for some := range slices.Chunk(members, 20) { // as many as Graph takes at once
		var bind []string
		for _, member := range some {
			bind = append(bind, licensor.OperatorURL+"/v1.0/directoryObjects/"+member)
		}
		if err := s.operate(http.MethodPatch, "/v1.0/groups/"+id, Properties{"members@odata.bind": bind}, nil); err != nil {
			s.t.Fatalf("licensortest: the group %s cannot have these members: %v. Members are ids that User and Group returned.", name, err)
		}
	}
	return id
}

// plain leaves the letters and digits of ASCII.
func plain(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return -1
}

// Subscribe buys seats of a product, beside those there may be, and returns its skuId. The product
// is named by its skuPartNumber in the tenant's catalog, such as ENTERPRISEPACK, which is Office
// 365 E3.
func (s *Server) Subscribe(partNumber string, seats int) (skuID string) {
	s.t.Helper()
	var catalog struct{ Products []product }
	if err := s.operate(http.MethodGet, "/licensor/v1/catalog", nil, &catalog); err != nil {
		s.t.Fatalf("licensortest: the catalog cannot be read: %v", err)
	}
	skuID, ok := find(catalog.Products, partNumber)
	if !ok {
		s.t.Fatalf("licensortest: the catalog has no product %q: use a skuPartNumber such as %s.", partNumber, near(catalog.Products, partNumber))
	}
	s.make("the subscription of "+partNumber, "/licensor/v1/subscriptions", Properties{"skuId": skuID, "totalLicenses": seats})
	return skuID
}

// make makes an object and returns its id.
func (s *Server) make(what, path string, object Properties) string {
	s.t.Helper()
	var made struct{ ID string }
	if err := s.operate(http.MethodPost, path, object, &made); err != nil {
		s.t.Fatalf("licensortest: %s cannot be made: %v", what, err)
	}
	return made.ID
}
