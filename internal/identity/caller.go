package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Caller is the caller of a request, according to its token and the directory.
type Caller struct {
	Tenant      uuid.UUID
	ObjectID    uuid.UUID // of the user, or of the application's service principal
	AppID       uuid.UUID // client id of the application; may be zero when Delegated
	Delegated   bool      // a user is signed in; otherwise the application acts as itself
	Personal    bool      // the user is a personal Microsoft account (A22)
	Permissions Permissions
	Roles       []uuid.UUID // template ids of the directory roles of the user, or of the application itself
	Name        string
}

// Permissions are names such as User.Read.All: the permissions granted to an application, or those
// that it has on behalf of a user. There are few, so searching is linear.
type Permissions []string

// Has reports whether a permission is among them.
func (p Permissions) Has(name string) bool { return slices.Contains(p, name) }

// amongst returns the permissions that are still granted, mostly all.
func (p Permissions) amongst(granted []string) Permissions {
	gone := func(name string) bool { return !slices.Contains(granted, name) }
	if !slices.ContainsFunc(p, gone) {
		return p
	}
	return slices.DeleteFunc(slices.Clone(p), gone)
}

func (p Permissions) hasAny(names []string) bool { return slices.ContainsFunc(names, p.hasAll) }

// hasAll is Has for "X+Y", which requires both.
func (p Permissions) hasAll(names string) bool {
	one, others, more := strings.Cut(names, "+")
	return p.Has(one) && (!more || p.hasAll(others))
}

// Actor returns the caller's name in the log of commits.
func (c *Caller) Actor() string {
	if c.Delegated {
		return "user " + c.ObjectID.String()
	}
	return "app " + c.AppID.String()
}

func (c *Caller) hasAny(roles []Role) bool {
	return slices.ContainsFunc(roles, func(role Role) bool { return slices.Contains(c.Roles, role.ID) })
}

// caller reads the caller from a token. Malformed identifiers are left zero, so no object is found.
func (set *claimSet) caller() Caller {
	c := Caller{Name: set.Name, Delegated: set.IdentityType == typeUser, Permissions: set.Roles}
	c.Tenant, _ = parseID(set.Tenant)
	c.ObjectID, _ = parseID(set.ObjectID)
	c.AppID, _ = parseID(set.AppID)
	c.Personal = set.Provider == personalProvider || c.Tenant == PersonalTenant
	if c.Delegated {
		c.Permissions = strings.Fields(set.Scopes)
	}
	for _, text := range set.RoleIDs {
		if role, ok := parseID(text); ok {
			c.Roles = append(c.Roles, role)
		}
	}
	return c
}

const (
	unknownCaller = "The identity of the calling application could not be established."
	disabledUser  = "Access token validation failure. The user is unknown, deleted or disabled."
	endedSession  = "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: " +
		"TokenIssuedBeforeRevocationTimestamp"
)

// lookUp finds a token's caller in the current directory (A23).
func (a *Authority) lookUp(ctx context.Context, t *token) (*Caller, error) {
	caller := t.subject
	if caller.Tenant == PersonalTenant {
		return &caller, nil
	}
	if caller.Delegated {
		return a.lookUpUser(ctx, t)
	}
	app, err := a.tenants.Application(ctx, caller.Tenant, caller.AppID)
	if err != nil {
		return nil, fmt.Errorf("look up the calling application %s: %w", caller.AppID, err)
	}
	if t.claims.IdentityType != typeApp || !app.Enabled ||
		app.ID != caller.ObjectID || IsAnother(t.claims.Serial, app.Serial) {
		return nil, &UnauthorizedError{unknownCaller}
	}
	caller.Name = app.DisplayName
	if !t.claims.Minted {
		caller.Permissions = caller.Permissions.amongst(app.Permissions)
	}
	caller.Roles = t.rolesNow(app.Roles)
	return &caller, nil
}

// lookUpUser finds the user of a delegated token, and the application that acts for it if the token
// names one.
func (a *Authority) lookUpUser(ctx context.Context, t *token) (*Caller, error) {
	caller := t.subject
	if t.claims.AppID != "" {
		app, err := a.tenants.Application(ctx, caller.Tenant, caller.AppID)
		if err != nil {
			return nil, fmt.Errorf("look up the application %s that acts for the caller: %w", caller.AppID, err)
		}
		if !app.Enabled || IsAnother(t.claims.AppSerial, app.Serial) {
			return nil, &UnauthorizedError{unknownCaller}
		}
	}
	user, err := a.tenants.User(ctx, caller.Tenant, caller.ObjectID)
	if err != nil {
		return nil, fmt.Errorf("look up the calling user %s: %w", caller.ObjectID, err)
	}
	if !user.Enabled || IsAnother(t.claims.Serial, user.Serial) {
		return nil, &UnauthorizedError{disabledUser}
	}
	// Iat is in whole seconds, so a token of the same second is accepted.
	if t.claims.IssuedAt < user.SessionsFrom.Unix() {
		return nil, &UnauthorizedError{endedSession}
	}
	caller.Roles = t.rolesNow(user.Roles)
	return &caller, nil
}

// IsAnother reports whether the object with a serial number was replaced by another with the same
// id. It returns false if either number is unknown: tokens of older versions have none.
func IsAnother(stated, now uint32) bool { return stated != 0 && now != 0 && stated != now }

// rolesNow returns the roles of a token's subject: those in the directory, and for a token that was
// made by hand also those that it states.
func (t *token) rolesNow(known []uuid.UUID) []uuid.UUID {
	if t.claims.Minted && len(t.subject.Roles) > 0 {
		return slices.Concat(t.subject.Roles, known)
	}
	return known
}
