package oauth

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"licensor/internal/identity"
)

// Config configures a Server. All fields except Log and SignIns are required.
type Config struct {
	Authority *identity.Authority
	Tenants   Directory
	Tickets   Tickets
	Now       func() time.Time
	Random    io.Reader    // safe for concurrent use
	Log       *slog.Logger // nil: slog.Default()
	Client    *http.Client // reaches the issuers of federated credentials
	Cost      identity.PasswordCost
	SignIns   SignIns // nil: sign-ins are not recorded
	DeviceKey []byte  // 32 random bytes that never change: they sign the cookies of known devices
}

// Server serves the authority's URLs. It is safe for concurrent use.
type Server struct {
	config    Config
	templates map[string]*template.Template // of pages, by name

	foreign  *identity.ForeignKeys
	given    *givenTokens
	attempts *attempts
	polls    *polls
	devices  *deviceBounds
	codes    *rates     // by user
	used     *rates     // assertions, by application
	newest   sync.Mutex // guards the data of newestFamily

	all, forms *http.ServeMux // all endpoints, and those that read a form
}

// New returns a server.
func New(config Config) (*Server, error) {
	if len(config.DeviceKey) != sha256.Size {
		return nil, fmt.Errorf("the key for the cookies of devices has %d bytes instead of %d",
			len(config.DeviceKey), sha256.Size)
	}
	config.Log = cmp.Or(config.Log, slog.Default())
	templates, err := parsePages()
	if err != nil {
		return nil, fmt.Errorf("read the pages for people: %w", err)
	}
	foreign, err := identity.NewForeignKeys(config.Client, config.Now, config.Log)
	if err != nil {
		return nil, err
	}
	s := &Server{
		config: config, templates: templates, foreign: foreign,
		given: newGivenTokens(), attempts: newAttempts(), polls: newPolls(), devices: newDeviceBounds(),
		codes: newRates(codesAtOnce, codesEvery), used: newRates(assertionsAtOnce, assertionsEvery),
		all: http.NewServeMux(), forms: http.NewServeMux(),
	}
	s.documents(s.all)
	s.readers(s.all)
	s.readers(s.forms)
	return s, nil
}

// Handler returns the handler of the authority's URLs (A1). Nearly all paths begin with a tenant's
// name, so it must be mounted at the root, after the paths of Graph.
func (s *Server) Handler() http.Handler { return inLowerCase(s.all) }

// ReadsForm reports whether a request has a form that is read. All others are answered without
// their body: those for unknown paths and tenants, and with other methods and types.
func (s *Server) ReadsForm(r *http.Request) (reads bool) {
	inLowerCase(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, pattern := s.forms.Handler(r)
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		_, err := s.named(r.Context(), name)
		reads = r.Method == http.MethodPost && isForm(r) && strings.HasPrefix(pattern, "/{tenant}/") && err == nil
	})).ServeHTTP(nil, r)
	return reads
}

// readers routes the endpoints that read forms, and the pages.
func (s *Server) readers(mux *http.ServeMux) {
	mux.HandleFunc("/{tenant}/oauth2/v2.0/token", s.answer(s.token))
	mux.HandleFunc("/{tenant}/oauth2/token", s.answer(s.tokenV1))
	mux.HandleFunc("/{tenant}/oauth2/v2.0/devicecode", s.answer(s.deviceCode))
	mux.HandleFunc("/{tenant}/oauth2/devicecode", s.answer(s.deviceCodeV1))
	mux.HandleFunc("/oidc/userinfo", s.answer(s.userinfo))
	s.pages(mux)
}

// inLowerCase makes paths case-insensitive, as in the real service: clients use UserRealm and
// userrealm.
func inLowerCase(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if lower := strings.ToLower(r.URL.Path); lower != r.URL.Path {
			address := *r.URL
			address.Path, address.RawPath = lower, strings.ToLower(address.RawPath)
			r = r.WithContext(r.Context())
			r.URL = &address
		}
		next.ServeHTTP(w, r)
	})
}
