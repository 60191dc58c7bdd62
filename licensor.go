// Package licensor embeds the server for group-based licensing that speaks Microsoft Graph in a Go
// program:
//
//	srv, err := licensor.Open(ctx, licensor.Options{Data: "licensor.db"})
//	if err != nil {
//		return err
//	}
//	defer srv.Close()
//	return http.ListenAndServe("127.0.0.1:8080", srv)
//
// It serves Microsoft Graph under /v1.0 and /beta, its own operations under /licensor/v1, tokens
// under /{tenant}/oauth2/v2.0, and /healthz, /readyz and /metrics. A new database has no tenant:
// Server.Found creates one. The command licensor also limits connections and the time of requests;
// here that is up to the program's http.Server.
//
// Package licensortest provides a server for each test.
package licensor

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"licensor/internal/server"
)

// Options configure a server. Data, Database or Memory is required; all other fields may be zero.
type Options struct {
	// Data is the file of the database, which is created if it does not exist. Only one process can
	// use it at a time.
	Data string
	// Database names the database in place of Data: sqlite:FILE, or the URL of a PostgreSQL database,
	// postgres://user@host/database, which gets its tables if it has none. Only one process serves it
	// at a time.
	Database string
	// DatabaseWait is how long Open waits for a PostgreSQL database that does not answer, or that
	// another process serves: 0 means 30 seconds, a negative value not at all.
	DatabaseWait time.Duration
	// Memory keeps the database in memory. It is lost after Close.
	Memory bool
	// AllowDataLoss accepts a database that lacks acknowledged changes. Without it Open refuses
	// such a database.
	AllowDataLoss bool
	// SecretsKey encrypts the signing keys in the database: 32 random bytes. Once set, it is
	// required whenever the database is opened.
	SecretsKey []byte

	// PublicURL is the scheme and host that clients use, if it differs from that of their requests,
	// as behind a proxy.
	PublicURL string
	// Origins are the origins of web pages that may call the server, such as
	// https://admin.contoso.com or http://localhost:*.
	Origins []string
	// TrustedProxies are addresses and address ranges, such as 10.0.0.0/8, whose X-Forwarded-For
	// header is trusted.
	TrustedProxies []string
	// Operators are applications, as TENANT/CLIENT-ID, to which GET /licensor/v1/backup gives all
	// tenants and the secrets of the database, if they have the permissions for it. Others get their
	// own tenant only. All who manage an operator's application can act as it.
	Operators []string

	// RotateKeys is the age at which the key that signs tokens is replaced: 0 means 90 days (never
	// if Quick), a negative value never; an hour at least.
	RotateKeys time.Duration
	// KeepLog is how long the log of commits is kept, as far as a snapshot replaces it; delta links
	// from before then are answered 410. 0 means 400 days, a negative value forever; 7 days at least.
	KeepLog time.Duration
	// KeepDays is the number of days for which a snapshot of each day is kept, so that the tenant can
	// be read as it was then. 0 means 30, or as long as KeepLog if that is less; it is never more.
	KeepDays int
	// ArchiveLog is a folder that gets the commits which are removed from logs, in a file for each
	// tenant and day. They are not kept if it is empty.
	ArchiveLog string
	// BackupDir is a folder that gets a backup of all tenants every BackupEvery, 24 hours if that
	// is 0. The newest BackupKeep are kept, 7 if that is 0. No backups are made if BackupDir is empty.
	BackupDir   string
	BackupEvery time.Duration
	BackupKeep  int
	// ApplicationLimit is how many resource units an application may use in 10 seconds, counted as
	// Graph does: 0 means 200,000, a negative value no limit (docs/spec/protocol.md P43). An
	// address that sends requests without a token has a tenth of it.
	ApplicationLimit int
	// TenantLimit is how many resource units all applications of a tenant may use in 10 seconds: 0
	// means 400,000, a negative value no limit.
	TenantLimit int
	// MemoryLimit is the memory limit of the Go runtime in bytes, which the program must set
	// itself, with debug.SetMemoryLimit or GOMEMLIMIT. Requests for which no memory is left are
	// refused with 503 and can be retried. 0 means no limit.
	MemoryLimit int64
	// TenantMemory is how many bytes the loaded tenants may use together. Tenants are loaded when
	// they are used first; when others need the memory, those that were not used for longest are
	// removed from it. 0 means five eighths of MemoryLimit.
	TenantMemory int64
	// Pin names tenants, by id or domain, that are loaded at the start and stay loaded.
	Pin []string
	// Loading is how many tenants are loaded at the same time: 0 means 2; 64 at most. More of them
	// take more processors, and more memory than that of tenants.
	Loading int

	// Development enables /licensor/v1/development, which can move the clock, let requests fail,
	// and let callers with Directory.ReadWrite.All act as any user. It is only for testing
	// programs. The fields below require it.
	Development bool
	// Clock is the initial time; zero means now, or the time of the last change if that is later.
	Clock time.Time
	// Faults are requests that fail, such as "POST
	// /groups/*/assignLicense=429;retryAfter=2;times=3", optionally with ;latency=2s and
	// ;probability=0.1.
	Faults []string
	// Latency is added to the time of every request; at most 55 seconds.
	Latency time.Duration
	// GroupProcessing is the delay until the members of a group get its licenses; 0 means before
	// the response.
	GroupProcessing time.Duration
	// Record is a file that gets the least permissions that the requests since the start would have
	// needed, as JSON: at the end, and at most once a second.
	Record string
	// Quick hashes passwords at the lowest cost and shares one signing key among all servers of the
	// process, so that a server is ready in milliseconds.
	Quick bool

	// Now returns the time; time.Now if nil.
	Now func() time.Time
	// Log receives the server's log records; slog.Default() if nil.
	Log *slog.Logger
}

// OptionError is the error of Open and Server.Found for an invalid field of Options or Tenant.
type OptionError struct {
	Type    string // "Options" or "Tenant"
	Option  string // name of the field
	Problem string // what is wrong with it and how to fix it, beginning with its value
	// Err is the reason if a file or database cannot be used, or does not fit the options; nil
	// otherwise.
	Err error
}

func (e *OptionError) Error() string { return (*server.OptionError)(e).Error() }

// Unwrap returns Err.
func (e *OptionError) Unwrap() error { return e.Err }

// public converts an error of package server.
func public(err error) error {
	wrong, ok := errors.AsType[*server.OptionError](err)
	switch {
	case !ok:
		return err
	case error(wrong) != err: // there is more
		return &OptionError{wrong.Type, wrong.Option, wrong.Problem, err}
	}
	return (*OptionError)(wrong)
}

// Server is a server with one database, as returned by Open. It is an http.Handler.
type Server struct {
	server *server.Server
	end    func() // of the background work
	closed atomic.Bool
}

// errNotOpen is the error of a Server that has no database.
var errNotOpen = errors.New("the server is not open: use one that licensor.Open returned, before its Close")

// Open opens the database and loads its tenants. An invalid option is an *OptionError. The context
// applies to opening only.
func Open(ctx context.Context, options Options) (*Server, error) {
	if ctx == nil {
		return nil, errNoContext
	}
	s, err := server.Open(ctx, server.Options(options))
	if err != nil {
		return nil, public(err)
	}
	return &Server{server: s, end: s.Run(context.WithoutCancel(ctx))}, nil
}

var errNoContext = errors.New("the context is nil: use context.Background() when there is no other")

func (s *Server) isOpen() bool { return s != nil && s.server != nil && !s.closed.Load() }

// ready returns an error when methods of the server cannot be called with such a context.
func (s *Server) ready(ctx context.Context) error {
	switch {
	case !s.isOpen():
		return errNotOpen
	case ctx == nil:
		return errNoContext
	}
	return nil
}

// ServeHTTP answers a request; with 503 when the server is not open.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.isOpen() {
		http.Error(w, "The server is not open.", http.StatusServiceUnavailable)
		return
	}
	s.server.ServeHTTP(w, r)
}

// Close ends all work and closes the database. Requests must have ended: http.Server.Shutdown waits
// for them. All other methods return an error from then on, and so does a second Close.
func (s *Server) Close() error {
	if !s.isOpen() || !s.closed.CompareAndSwap(false, true) {
		return errNotOpen
	}
	s.end()
	return s.server.Close(context.Background())
}

// Tenant describes a tenant to create.
type Tenant struct {
	// ID is its id, a GUID; generated if empty.
	ID string
	// Domain is the domain of its user principal names, such as contoso.com.
	Domain string
	// Name is the name of the organization, at most 256 characters; the domain if empty.
	Name string
	// Country is its country, in two letters; "US" if empty.
	Country string
	// Admin is the user principal name of the administrator, or the part before its @; "admin" if
	// empty.
	Admin string
	// AdminPassword is the administrator's password: at least 8 characters, at most 256 bytes, not
	// containing the administrator's name; generated if empty.
	AdminPassword string
	// KeepPassword lets the administrator keep the password. Otherwise it must be changed at the
	// first sign-in.
	KeepPassword bool
	// Application is the name of an application with all permissions and a secret; no application
	// is created if empty.
	Application string
	// ClientID is the application's client id, a GUID; generated if empty.
	ClientID string
	// ClientSecret is the application's secret, at least 32 characters that cannot be guessed;
	// generated if empty.
	ClientSecret string
	// FirstParty lets users sign in with Microsoft's own public clients: Azure CLI, Azure
	// PowerShell, Microsoft Graph PowerShell, Graph Explorer.
	FirstParty bool
}

// Login has the initial credentials of a tenant. The password and the secret are stored only as
// hashes, and cannot be retrieved again.
type Login struct {
	TenantID                 string
	AdminName, AdminPassword string
	ClientID, ClientSecret   string // of the application
}

// Found creates a tenant with an administrator, who has the role Global Administrator. An invalid
// field is an *OptionError, and so is an ID or a Domain that another tenant has.
func (s *Server) Found(ctx context.Context, t Tenant) (Login, error) {
	if err := s.ready(ctx); err != nil {
		return Login{}, err
	}
	made, err := s.server.Found(ctx, server.Founding{
		ID: t.ID, Name: cmp.Or(t.Name, t.Domain), Domain: t.Domain, Country: cmp.Or(t.Country, "US"),
		Admin: cmp.Or(t.Admin, "admin"), AdminPassword: t.AdminPassword, KeepPassword: t.KeepPassword,
		Application: t.Application, ClientID: t.ClientID, ClientSecret: t.ClientSecret, FirstParty: t.FirstParty,
	})
	return Login{made.TenantID, made.AdminName, made.AdminPassword, made.ClientID, made.ClientSecret}, public(err)
}

// Tenants returns the ids of the tenants, the oldest first.
func (s *Server) Tenants(ctx context.Context) ([]string, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	ids, err := s.server.Tenants().IDs(ctx)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	return texts, nil
}

// Client returns a client with all permissions in a tenant, which is given by its id or domain. It
// needs no network: the server itself answers all requests below OperatorURL. The log of commits
// attributes its changes to the operator.
func (s *Server) Client(ctx context.Context, tenant string) (*http.Client, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	return s.server.Operate(ctx, tenant, 1)
}

// OperatorURL is the scheme and host of the requests of Server.Client, http://localhost.
const OperatorURL = server.LocalRoot
