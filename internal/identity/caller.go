package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Caller is who makes a request, as a token and the directory say.
type Caller struct {
	Tenant      uuid.UUID
	ObjectID    uuid.UUID // of the user, or of the application's service principal
	AppID       uuid.UUID // client id of the application; may be zero when Delegated
	Delegated   bool      // a user is signed in; otherwise the application acts for itself
	Personal    bool      // the user is a personal Microsoft account (A22)
	Permissions Permissions
	Roles       []uuid.UUID // template ids of the directory roles that the user, or the application itself, has
	Name        string
}

// Permissions are names such as User.Read.All: of an application what it is granted, of a user what
// it lets the application do in its name. There are few, so they are searched one by one.
type Permissions []string

// Has says whether a permission is among them.
func (p Permissions) Has(name string) bool { return slices.Contains(p, name) }

// amongst are those that are still granted, mostly all.
func (p Permissions) amongst(granted []string) Permissions {
	gone := func(name string) bool { return !slices.Contains(granted, name) }
	if !slices.ContainsFunc(p, gone) {
		return p
	}
	return slices.DeleteFunc(slices.Clone(p), gone)
}

func (p Permissions) hasAny(names []string) bool { return slices.ContainsFunc(names, p.hasAll) }

// hasAll is Has for "X+Y", which is both.
func (p Permissions) hasAll(names string) bool {
	one, others, more := strings.Cut(names, "+")
	return p.Has(one) && (!more || p.hasAll(others))
}

// Actor names the caller in the log of commits.
func (c *Caller) Actor() string {
	if c.Delegated {
		return "user " + c.ObjectID.String()
	}
	return "app " + c.AppID.String()
}

func (c *Caller) hasAny(roles []Role) bool {
	return slices.ContainsFunc(roles, func(role Role) bool { return slices.Contains(c.Roles, role.ID) })
}

// caller reads who a token speaks for. Malformed identifiers are left zero, and then nobody is
// found.
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
	endedSession  = "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp"
)

// lookUp finds a token's caller in the directory as it is now (A23).
func (a *Authority) lookUp(ctx context.Context, t *token) (*Caller, error) {
	caller := t.subject
	if caller.Tenant == PersonalTenant {
		return &caller, nil
	}
	if caller.Delegated {
		return a.lookUpUser(ctx, t)
	}
	app, ok := a.tenants.Application(caller.Tenant, caller.AppID)
	if t.claims.IdentityType != typeApp || !ok || !app.Enabled ||
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

// lookUpUser finds the user of a delegated token, and the application that acts for it when the
// token names one.
func (a *Authority) lookUpUser(ctx context.Context, t *token) (*Caller, error) {
	caller := t.subject
	if t.claims.AppID != "" {
		app, ok := a.tenants.Application(caller.Tenant, caller.AppID)
		if !ok || !app.Enabled || IsAnother(t.claims.AppSerial, app.Serial) {
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
	if t.claims.IssuedAt < user.SessionsFrom.Unix() { // iat is in whole seconds, so one of the same second is let pass
		return nil, &UnauthorizedError{endedSession}
	}
	caller.Roles = t.rolesNow(user.Roles)
	return &caller, nil
}

// IsAnother reports whether an object that was named with a serial number is not the one that has
// its id now. It is not when either is not known: what was given out by versions without such
// numbers states none.
func IsAnother(stated, now uint32) bool { return stated != 0 && now != 0 && stated != now }

// rolesNow are the roles of a token's subject: those that the directory knows, and with a token
// made by hand those that it states, too.
func (t *token) rolesNow(known []uuid.UUID) []uuid.UUID {
	if t.claims.Minted && len(t.subject.Roles) > 0 {
		return slices.Concat(t.subject.Roles, known)
	}
	return known
}
