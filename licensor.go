// Package licensor is the server of group-based licensing that speaks Microsoft Graph, for a
// program of your own:
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
// Server.Found makes one. What the command licensor bounds besides, connections and the time of
// requests, is up to the program's http.Server.
//
// Package licensortest has a server for each test.
package licensor

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"

	"licensor/internal/server"
)

// Options say what a server is over and how it behaves. Either Data or Memory is needed; all else
// may be zero.
type Options struct {
	// Data is the file of the database, which is made when there is none. One process has it at a
	// time.
	Data string
	// Memory has the database be in memory, and gone after Close.
	Memory bool
	// AllowDataLoss goes on with a database that lacks changes which were acknowledged. Without it
	// Open refuses such a database.
	AllowDataLoss bool
	// SecretsKey encrypts the signing keys in the database: 32 random bytes. Once given, it is needed
	// whenever the database is opened.
	SecretsKey []byte

	// PublicURL is the scheme and host that clients use, when it is not that of their requests, as
	// behind a proxy.
	PublicURL string
	// Origins are those of pages whose browsers may call, such as https://admin.contoso.com or
	// http://localhost:*.
	Origins []string
	// TrustedProxies are addresses, and ranges of them such as 10.0.0.0/8, whose X-Forwarded-For is
	// believed.
	TrustedProxies []string

	// RotateKeys is the age at which the key that signs tokens is replaced: 0 is 90 days (never when
	// Quick), less than 0 never.
	RotateKeys time.Duration
	// ApplicationLimit is how many resource units an application may use in 10 seconds, counted as
	// Graph does: 0 is 200,000, less than 0 without a bound (docs/spec/protocol.md P43). An address
	// without a token has a tenth of it.
	ApplicationLimit int
	// TenantLimit is how many all applications of a tenant may use in 10 seconds: 0 is 400,000, less
	// than 0 without a bound.
	TenantLimit int
	// MemoryLimit is how much memory Go may have for everything, in bytes, as debug.SetMemoryLimit has
	// it: requests for which there is none left are refused with 503 and come again. 0 is without a
	// bound.
	MemoryLimit int64

	// Development makes a server for tests of programs, unfit for anything else: by
	// /licensor/v1/development the clock is moved, requests fail, and callers with
	// Directory.ReadWrite.All can act as any user. The fields below need it.
	Development bool
	// Clock is the time to begin at; zero is now, or the time of the last change when that is ahead.
	Clock time.Time
	// Faults are requests that fail, such as "POST /groups/*/assignLicense=429;retryAfter=2;times=3",
	// with ;latency=2s and ;probability=0.1 besides.
	Faults []string
	// Latency is the time that every request takes more, at most 55 seconds.
	Latency time.Duration
	// GroupProcessing is the time after which the members of a group get its licenses; 0 is with the
	// answer.
	GroupProcessing time.Duration
	// Quick has passwords hashed at the lowest cost, and all servers of the process share one signing
	// key, so that a server is ready in milliseconds.
	Quick bool

	// Now is the time; time.Now when nil.
	Now func() time.Time
	// Log is where the server says what it meets; slog.Default() when nil.
	Log *slog.Logger
}

// OptionError is the error of Open when a field of the Options cannot be what it is. Option is the
// field's name.
type OptionError = server.OptionError

// Server is a server over one database. It is an http.Handler.
type Server struct {
	server *server.Server
	end    func() // of what goes on in the background
}

// Open opens the database and brings its tenants to life. A mistake in the options is an
// *OptionError. The context is that of opening only.
func Open(ctx context.Context, options Options) (*Server, error) {
	s, err := server.Open(ctx, server.Options(options))
	if err != nil {
		return nil, err
	}
	return &Server{s, s.Run(context.WithoutCancel(ctx))}, nil
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.server.ServeHTTP(w, r) }

// Close ends all work and closes the database. Requests must have ended: http.Server.Shutdown waits
// for them.
func (s *Server) Close() error {
	s.end()
	return s.server.Close(context.Background())
}

// Tenant is a tenant that is to be made.
type Tenant struct {
	// ID is its id, a GUID; it is made up when empty.
	ID string
	// Domain is that of its user principal names, such as contoso.com.
	Domain string
	// Name is that of the organization; the domain when empty.
	Name string
	// Country is where it is, in two letters; "US" when empty.
	Country string
	// Admin is the user principal name of the administrator, or what is before its @; "admin" when
	// empty.
	Admin string
	// AdminPassword is the administrator's password, of at most 256 bytes; it is made up when empty.
	AdminPassword string
	// KeepPassword lets the administrator keep the password. Otherwise it is changed at the first
	// sign-in.
	KeepPassword bool
	// Application is the name of an application with all permissions and a secret; none is made when
	// empty.
	Application string
	// ClientID is the application's client id, a GUID; it is made up when empty.
	ClientID string
	// ClientSecret is the application's secret, 32 characters or more that nobody can guess; it is
	// made up when empty.
	ClientSecret string
	// FirstParty lets people sign in with Microsoft's own public clients: Azure CLI, Azure PowerShell,
	// Microsoft Graph PowerShell, Graph Explorer.
	FirstParty bool
}

// Login is what a tenant is used with at first. The password and the secret are kept only as
// hashes, and not told again.
type Login struct {
	TenantID                 string
	AdminName, AdminPassword string
	ClientID, ClientSecret   string // of the application
}

// Found makes a tenant with an administrator, who has the role Global Administrator. A domain that
// another tenant has is an error, and so is a field that cannot be what it is.
func (s *Server) Found(ctx context.Context, t Tenant) (Login, error) {
	made, err := s.server.Found(ctx, server.Founding{
		ID: t.ID, Name: cmp.Or(t.Name, t.Domain), Domain: t.Domain, Country: cmp.Or(t.Country, "US"),
		Admin: cmp.Or(t.Admin, "admin"), AdminPassword: t.AdminPassword, KeepPassword: t.KeepPassword,
		Application: t.Application, ClientID: t.ClientID, ClientSecret: t.ClientSecret, FirstParty: t.FirstParty,
	})
	return Login{made.TenantID, made.AdminName, made.AdminPassword, made.ClientID, made.ClientSecret}, err
}

// Tenants returns the ids of the tenants, the oldest first.
func (s *Server) Tenants() (ids []string) {
	for _, t := range s.server.Tenants().List() {
		ids = append(ids, t.ID().String())
	}
	return ids
}

// Client returns a client that may do everything in a tenant, by its id or domain, without a
// network: whatever is below OperatorURL is answered by the server itself. The log of commits has
// its changes as those of the operator.
func (s *Server) Client(ctx context.Context, tenant string) (*http.Client, error) {
	return s.server.Operate(ctx, tenant, 1)
}

// OperatorURL is the scheme and host of the requests of Server.Client.
const OperatorURL = server.LocalRoot
