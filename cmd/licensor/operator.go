package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"
	"golang.org/x/oauth2"

	"licensor/internal/clock"
	"licensor/internal/graph"
	"licensor/internal/identity"
)

// operatorID is who acts when a command works on a database in its own process; the log of commits shows it. Who can open the database's
// file may do everything anyway, so no application needs to be made for that, and no server knows this one.
var operatorID = uuid.MustParse("6c696365-6e73-4f72-8000-636f6d6d616e")

// operator is the people of a database and the one at the command line.
type operator struct{ people }

func (o operator) Application(tenantID, appID uuid.UUID) (identity.App, bool) {
	if appID == operatorID {
		return identity.App{ID: operatorID, AppID: operatorID, DisplayName: "licensor on the command line", Enabled: true}, true
	}
	return o.people.Application(tenantID, appID)
}

// localRoot is the address of an API in this process.
const localRoot = "http://localhost"

// operate connects to the tenant with this id or domain, without a network: the API of its own knows the operator.
func (s *service) operate(ctx context.Context, tenant string) (*connection, error) {
	t, err := s.pick(tenant)
	if err != nil {
		return nil, err
	}
	authority, err := identity.New(ctx, identity.Config{Keys: s.keys, Tenants: operator{people{s.tenants}}, Now: time.Now, Random: rand.Reader})
	if err != nil {
		return nil, err
	}
	api := graph.New(graph.Config{
		Authority: authority, Tenant: s.tenants.Tenant, Now: time.Now, NewID: uuid.New, Log: slog.Default(),
		Development:  graph.NewDevelopment(clock.New(time.Now), s.tenants.List), // for tokens
		ImportPieces: 10,                                                        // nobody else waits for the database
	})
	return &connection{
		root:   localRoot,
		client: &http.Client{Transport: &oauth2.Transport{Source: ownTokens{authority, t.ID()}, Base: inProcess{api}}},
	}, nil
}

// ownTokens makes the operator's tokens, a new one for each request: that costs a millisecond, and none is ever out of date.
type ownTokens struct {
	authority *identity.Authority
	tenant    uuid.UUID
}

func (o ownTokens) Token() (*oauth2.Token, error) {
	token, err := o.authority.Issue(identity.Claims{
		Tenant: o.tenant, ObjectID: operatorID, AppID: operatorID, Permissions: allPermissions,
	})
	return &oauth2.Token{AccessToken: token}, err
}

// inProcess carries requests to a handler as a network would.
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

// answering keeps what a handler answers.
type answering struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answering) Header() http.Header         { return a.header }
func (a *answering) WriteHeader(status int)      { a.status = status }
func (a *answering) Write(b []byte) (int, error) { return a.body.Write(b) }
