package identity

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Directory is what must be known of tenants to give out and check tokens. It is asked at each request, so that a change
// takes effect at once (A23), and by several goroutines.
type Directory interface {
	// Tenant answers the id of the tenant with an id or a verified domain name, in lower case.
	Tenant(name string) (uuid.UUID, bool)
	// Application answers the application with a client id, as it is known in a tenant.
	Application(tenant, appID uuid.UUID) (App, bool)
	// User answers a user by object id; one that is unknown or deleted is the zero User. The error says that the directory
	// could not be read.
	User(ctx context.Context, tenant, id uuid.UUID) (User, error)
}

// App is an application in a tenant: a registration and its service principal in one.
type App struct {
	ID          uuid.UUID // object id of the service principal
	AppID       uuid.UUID // client id
	DisplayName string
	Enabled     bool
	Permissions []string // application permissions granted in the tenant, such as User.Read.All
	Secrets     []Secret
}

// Secret is a client secret: its hash (see HashSecret) and when it ends, never if zero. To rotate, an application has two
// for a while.
type Secret struct {
	Hash    [32]byte
	Expires time.Time
}

// User is what matters of a user for tokens.
type User struct {
	Enabled bool
	Roles   []uuid.UUID // template ids of the directory roles the user has
}
