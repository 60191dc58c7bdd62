package identity

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Directory is what must be known of tenants to give out and check tokens. It is asked at each
// request, so that a change takes effect at once (A23), and by several goroutines. An error says
// that the directory could not be read.
type Directory interface {
	// Tenant returns the id of the tenant with an id or a verified domain name, in lower case;
	// uuid.Nil when there is none.
	Tenant(ctx context.Context, name string) (uuid.UUID, error)
	// Application returns the application with a client id, as it is known in a tenant; one that is
	// unknown is the zero App.
	Application(ctx context.Context, tenant, appID uuid.UUID) (App, error)
	// User returns a user by object id; one that is unknown or deleted is the zero User.
	User(ctx context.Context, tenant, id uuid.UUID) (User, error)
}

// App is an application in a tenant: a registration and its service principal in one.
type App struct {
	ID          uuid.UUID // object id of the service principal
	AppID       uuid.UUID // client id
	Serial      uint32    // see User
	DisplayName string
	Enabled     bool
	Permissions []string    // application permissions granted in the tenant, such as User.Read.All
	Roles       []uuid.UUID // template ids of the directory roles that the service principal has
	// Requested returns the delegated permissions that its registration requests: those that
	// {resource}/.default requests from a user. Nil if it requests none. It is called for consent
	// only, not for each request like Application.
	Requested func() []string
	// Implicit returns which tokens may be sent to its redirect addresses without redeeming a code.
	// Nil if none. It is called as rarely.
	Implicit func() Implicit
	// Admits reports whether a user may use it, if users must be assigned to it
	// (appRoleAssignmentRequired). Nil if all users may.
	Admits       func(user uuid.UUID) bool
	Secrets      []Secret
	Certificates []Certificate
	Federated    []Federated
	Redirects    Redirects
	// It may use the flows without a redirect address without authenticating (device code, ROPC).
	PublicClient bool
}

// Implicit has the tokens that an application may receive without redeeming a code.
type Implicit struct{ AccessTokens, IDTokens bool }

// Secret is a client secret: its hash (see HashSecret) and when it expires, never if zero. For
// rotation, an application can have two.
type Secret struct {
	Hash    [32]byte
	Expires time.Time
}

// Certificate is a certificate whose key signs an application's assertions, and when it expires,
// never if zero.
type Certificate struct {
	DER     []byte
	Expires time.Time
}

// Federated identifies the tokens of another issuer that authenticate an application (workload
// identity federation).
type Federated struct {
	Issuer, Subject string
	Audiences       []string
}

// Redirects are the addresses that users may be sent back to, by kind of client: a server with a
// secret, a page in a browser, or a program on a device.
type Redirects struct {
	Web, SPA, Public []string
}

// User is the data of a user for tokens. It is zero for an unknown or deleted user.
type User struct {
	ID uuid.UUID
	// Serial distinguishes the user from earlier, permanently deleted users with the same id: it is
	// unique. Tokens contain it, so they are not valid for another user. 0 if unknown.
	Serial             uint32
	Enabled            bool
	Roles              []uuid.UUID // template ids of the user's directory roles
	Name               string      // userPrincipalName
	DisplayName        string
	GivenName, Surname string
	Guest              bool // userType is Guest
	Mail               string
	SessionsFrom       time.Time // tokens issued before this time are no longer valid; zero: all are valid
	MustChangePassword bool      // no tokens are issued until the user has chosen a new one
}
