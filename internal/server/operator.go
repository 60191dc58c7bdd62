package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/google/uuid"
	"golang.org/x/oauth2"

	"licensor/internal/clock"
	"licensor/internal/engine"
	"licensor/internal/graph"
	"licensor/internal/graph/devkit"
	"licensor/internal/identity"
	"licensor/internal/people"
	"licensor/internal/tenant"
)

// operator is the directory of a database plus the caller at the command line.
type operator struct{ people.Directory }

var _ identity.Directory = operator{}

func (o operator) Application(ctx context.Context, tenantID, appID uuid.UUID) (identity.App, error) {
	if appID == tenant.OperatorID {
		return identity.App{
			ID: tenant.OperatorID, AppID: tenant.OperatorID, DisplayName: tenant.OperatorName, Enabled: true,
		}, nil
	}
	return o.Directory.Application(ctx, tenantID, appID)
}

// LocalRoot is the base URL of an API in this process.
const LocalRoot = "http://localhost"

// Operate returns a client of the tenant with this id or domain, without a network: an API of its
// own, below LocalRoot, accepts the operator. importPieces is the number of pieces that an import
// writes in one commit, as in graph.Config: more than 1 if no one else waits for the database.
func (s *Server) Operate(ctx context.Context, name string, importPieces int) (*http.Client, error) {
	t, err := s.Pick(ctx, name)
	if err != nil {
		return nil, err
	}
	defer t.Release()
	authority, err := identity.New(ctx, identity.Config{
		Keys: s.keys, Tenants: operator{people.Directory{Tenants: s.tenants}}, Now: s.now, Random: rand.Reader,
	})
	if err != nil {
		return nil, err
	}
	api := graph.New(graph.Config{
		Authority: authority, Tenant: s.tenants.Tenant, Now: s.now, NewID: uuid.New, Log: s.settings.Log,
		PasswordCost: s.settings.cost,
		Development:  devkit.New(clock.New(s.now), s.tenants.Loaded), // for tokens
		ImportPieces: importPieces, SignIns: s.signIns,
	})
	return &http.Client{Transport: &oauth2.Transport{Source: ownTokens{authority, t.ID()}, Base: inProcess{api}}}, nil
}

// ownTokens issues the operator's tokens, a new one for each request: that takes a millisecond, and
// no token expires.
type ownTokens struct {
	authority *identity.Authority
	tenant    uuid.UUID
}

func (o ownTokens) Token() (*oauth2.Token, error) {
	token, err := o.authority.Issue(identity.Claims{
		Tenant: o.tenant, ObjectID: tenant.OperatorID, AppID: tenant.OperatorID, Permissions: AllPermissions,
	})
	return &oauth2.Token{AccessToken: token}, err
}

// inProcess passes requests to a handler as a network would.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	arrived := r.Clone(r.Context())
	arrived.Host, arrived.RequestURI, arrived.RemoteAddr = r.URL.Host, r.URL.RequestURI(), "127.0.0.1:0"
	a := &answering{header: http.Header{}, status: http.StatusOK}
	p.handler.ServeHTTP(a, arrived)
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Request: r,
	}, nil
}

// answering records the response of a handler.
type answering struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answering) Header() http.Header         { return a.header }
func (a *answering) WriteHeader(status int)      { a.status = status }
func (a *answering) Write(b []byte) (int, error) { return a.body.Write(b) }

// Pick returns the tenant with an id or domain, or the only one, as engine.Tenants.Tenant does.
func (s *Server) Pick(ctx context.Context, name string) (*engine.Tenant, error) {
	all, err := s.tenants.IDs(ctx)
	switch {
	case err != nil:
		return nil, err
	case name == "" && len(all) == 1:
		return s.tenants.Tenant(ctx, all[0])
	case name == "" && len(all) == 0:
		return nil, errors.New("the database has no tenant yet: create one with `licensor init`, or Found in a program")
	case name == "":
		return nil, Misuse(fmt.Errorf("the database has %d tenants: name one by its id or domain, on the command "+
			"line with --tenant", len(all)))
	}
	id, err := people.Directory{Tenants: s.tenants}.Tenant(ctx, name)
	if err != nil {
		return nil, err
	}
	if id == uuid.Nil {
		return nil, fmt.Errorf("the database has no tenant %q", name)
	}
	return s.tenants.Tenant(ctx, id)
}
