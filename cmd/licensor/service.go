package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/directory"
	"licensor/graph"
	"licensor/identity"
	"licensor/store/sqlite"
	"licensor/tenant"
)

// defaultData is the database when none is named.
const defaultData = "licensor.db"

// service is everything that answers requests, over one database.
type service struct {
	store     *sqlite.Store
	tenants   *tenant.Tenants
	authority *identity.Authority
	handler   http.Handler // Graph, our own operations, the authority, health and metrics
}

type serviceOptions struct {
	publicURL string
	origins   []string         // of pages whose browsers may call
	now       func() time.Time // time.Now when nil
}

// openService opens a database and brings its tenants to life.
func openService(ctx context.Context, path string, options serviceOptions) (s *service, err error) {
	if options.now == nil {
		options.now = time.Now
	}
	s = new(service)
	if s.store, err = sqlite.Open(ctx, path); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close(context.WithoutCancel(ctx)))
		}
	}()
	s.tenants, err = tenant.Open(ctx, s.store, tenant.Options{Now: options.now, NewID: uuid.New, Log: slog.Default()})
	if err != nil {
		return nil, err
	}
	s.authority, err = identity.New(ctx, identity.Config{
		Keys: s.store, Tenants: people{s.tenants}, Now: options.now, Random: rand.Reader, PublicURL: options.publicURL,
	})
	if err != nil {
		return nil, err
	}
	s.handler = s.routes(options)
	return s, nil
}

// routes parts what is Graph's, and our own operations under /licensor, from the rest by hand: a ServeMux would redirect the encoded and
// empty segments that Graph's paths may have.
func (s *service) routes(options serviceOptions) http.Handler {
	metrics := newMetrics(s.tenants)
	api := metrics.count(graph.New(graph.Config{
		Authority: s.authority, Tenant: s.tenants.Tenant, Now: options.now, NewID: uuid.New, Log: slog.Default(), Origins: options.origins,
	}))
	rest := http.NewServeMux()
	rest.Handle("/", metrics.count(s.authority.Handler()))
	rest.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	rest.HandleFunc("GET /readyz", s.ready)
	rest.Handle("GET /metrics", metrics.handler())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		switch strings.ToLower(first) {
		case "v1.0", "beta", "licensor":
			api.ServeHTTP(w, r)
		default:
			rest.ServeHTTP(w, r)
		}
	})
}

// ready answers whether requests can be served: the database can be read and written.
func (s *service) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if err := s.store.Ping(ctx); err != nil {
		slog.Error("not ready", "error", err)
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// Close ends all work and closes the database.
func (s *service) Close(ctx context.Context) error {
	var errs []error
	if s.tenants != nil {
		errs = append(errs, s.tenants.Close(ctx))
	}
	return errors.Join(append(errs, s.store.Close())...)
}

// people answers what the authority asks about tenants.
type people struct{ tenants *tenant.Tenants }

func (p people) Tenant(name string) (uuid.UUID, bool) {
	if id, err := uuid.Parse(name); err == nil {
		_, ok := p.tenants.Tenant(id)
		return id, ok
	}
	t, ok := p.tenants.ByDomain(name)
	if !ok {
		return uuid.Nil, false
	}
	return t.ID(), true
}

func (p people) Application(tenantID, appID uuid.UUID) (identity.App, bool) {
	t, ok := p.tenants.Tenant(tenantID)
	if !ok {
		return identity.App{}, false
	}
	a, ok := t.Image().Application(appID)
	if !ok {
		return identity.App{}, false
	}
	app := identity.App{ID: a.ID, AppID: a.AppID, DisplayName: a.DisplayName, Enabled: true, Permissions: a.Permissions}
	for _, s := range a.Secrets {
		secret := identity.Secret{Expires: s.Expires}
		copy(secret.Hash[:], s.Hash)
		app.Secrets = append(app.Secrets, secret)
	}
	return app, true
}

func (p people) User(ctx context.Context, tenantID, id uuid.UUID) (identity.User, error) {
	t, ok := p.tenants.Tenant(tenantID)
	if !ok {
		return identity.User{}, nil
	}
	img := t.Image()
	user, ok := img.Directory.UserByID(id)
	if !ok || img.Directory.UserHidden(user) {
		return identity.User{}, nil
	}
	u, err := t.User(ctx, img, user)
	if err != nil {
		return identity.User{}, err
	}
	return identity.User{Enabled: u.AccountEnabled}, nil
}

// credentials are what a client logs in with.
type credentials struct {
	Graph        string `json:"graph"`
	Authority    string `json:"authority"`
	TenantID     string `json:"tenantId"`
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
}

// allPermissions are those of an application that may do everything.
var allPermissions = []string{"Directory.ReadWrite.All", "Organization.ReadWrite.All", "User.ReadWrite.All", "Group.ReadWrite.All", "LicenseAssignment.ReadWrite.All"}

// addApplication gives a tenant an application with a secret that is told once and kept only as a hash.
func addApplication(ctx context.Context, t *tenant.Tenant, name string, permissions []string) (credentials, error) {
	secret, err := identity.NewSecret(rand.Reader)
	if err != nil {
		return credentials{}, err
	}
	hash := identity.HashSecret(secret)
	app := directory.Application{
		ID: uuid.New(), ObjectID: uuid.New(), AppID: uuid.New(), DisplayName: name, Permissions: permissions,
		Secrets: []directory.Secret{{KeyID: uuid.New(), Hash: hash[:], Hint: secret[:3]}},
	}
	if _, err := t.Do(ctx, "system", tenant.SetApplication{Application: app}); err != nil {
		return credentials{}, fmt.Errorf("add application %s: %w", name, err)
	}
	return credentials{TenantID: t.ID().String(), ClientID: app.AppID.String(), ClientSecret: secret}, nil
}

// organization is a tenant's, as it is founded.
func organization(name, domain, country string, now time.Time) directory.Organization {
	return directory.Organization{
		DisplayName: name, CountryLetterCode: strings.ToUpper(country), CreatedDateTime: now.UTC().Truncate(time.Second),
		VerifiedDomains: []directory.VerifiedDomain{{Name: strings.ToLower(domain), IsDefault: true, IsInitial: true, Type: "Managed"}},
	}
}
