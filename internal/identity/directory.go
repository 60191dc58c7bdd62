package identity

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Directory is what must be known of tenants to give out and check tokens. It is asked at each
// request, so that a change takes effect at once (A23), and by several goroutines.
type Directory interface {
	// Tenant returns the id of the tenant with an id or a verified domain name, in lower case.
	Tenant(name string) (uuid.UUID, bool)
	// Application returns the application with a client id, as it is known in a tenant.
	Application(tenant, appID uuid.UUID) (App, bool)
	// User returns a user by object id; one that is unknown or deleted is the zero User. The error
	// says that the directory could not be read.
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
	// Requested returns the delegated permissions its registration asks for: what {resource}/.default
	// asks a user for. Nil: it says nothing. It is asked when somebody is to consent, and not at each
	// request, as the application is.
	Requested func() []string
	// Implicit returns which tokens may be sent to its redirect addresses without a code being
	// redeemed. Nil: none. It is asked as rarely.
	Implicit func() Implicit
	// Admits says whether a user may use it, where users must be assigned to it
	// (appRoleAssignmentRequired). Nil: everybody may.
	Admits       func(user uuid.UUID) bool
	Secrets      []Secret
	Certificates []Certificate
	Federated    []Federated
	Redirects    Redirects
	// It may use the flows that need no redirect address without proving who it is (device code,
	// ROPC).
	PublicClient bool
}

// Implicit says which tokens an application may be sent without redeeming a code.
type Implicit struct{ AccessTokens, IDTokens bool }

// Secret is a client secret: its hash (see HashSecret) and when it ends, never if zero. To rotate,
// an application has two for a while.
type Secret struct {
	Hash    [32]byte
	Expires time.Time
}

// Certificate is one whose key an application signs its assertions with, and when it ends, never if
// zero.
type Certificate struct {
	DER     []byte
	Expires time.Time
}

// Federated names the tokens of another issuer that prove who an application is (workload identity
// federation).
type Federated struct {
	Issuer, Subject string
	Audiences       []string
}

// Redirects are the addresses an application may have its users sent back to, by what runs there: a
// server that has a secret, a page in a browser, or a program on a device.
type Redirects struct {
	Web, SPA, Public []string
}

// User is what matters of a user for tokens. One that is unknown or deleted is the zero User.
type User struct {
	ID uuid.UUID
	// Serial tells the user from others that had the same id before and were permanently deleted: no
	// two have the same. What is given to a user states it, so it is not good for another. 0: not
	// known.
	Serial             uint32
	Enabled            bool
	Roles              []uuid.UUID // template ids of the directory roles the user has
	Name               string      // userPrincipalName
	DisplayName        string
	GivenName, Surname string
	Guest              bool // userType is Guest
	Mail               string
	SessionsFrom       time.Time // what was given to the user before this time is no longer good; zero: all is
	MustChangePassword bool      // nothing is given before the user has chosen a new one
}
