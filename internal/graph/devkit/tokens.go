package devkit

import (
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/duration"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

// minting describes the requested token.
type minting struct {
	user, client        string
	scopes, permissions []string
	roles               []string
	personal, expired   bool
	lifetime            string
	audience, authority string
}

// mintToken answers POST /licensor/v1/development/tokens: it issues any token of the caller's
// tenant, valid or not. Without a user it is an application's.
func (d *Kit) mintToken(r *wire.Request) error {
	members, err := r.Members()
	if err != nil {
		return err
	}
	m := minting{authority: r.Origin}
	err = wire.Read("token", members, map[string]any{
		"user": &m.user, "client": &m.client, "scopes": &m.scopes, "permissions": &m.permissions, "roles": &m.roles, "personal": &m.personal,
		"expired": &m.expired, "lifetime": &m.lifetime, "audience": &m.audience, "authority": &m.authority,
	})
	if err != nil {
		return err
	}
	claims, err := m.claims(r)
	if err != nil {
		return err
	}
	token, err := r.Authority.Issue(claims)
	if err != nil {
		return err
	}
	b := r.AppendHead(r.Begin(), "development/tokens/$entity")
	b = jsontext.AppendText(jsontext.AppendName(b, "accessToken"), token)
	return r.Send(http.StatusOK, append(jsontext.AppendTime(jsontext.AppendName(b, "expiresDateTime"), claims.Expires), '}'))
}

func (m *minting) claims(r *wire.Request) (c identity.Claims, err error) {
	lifetime := identity.Lifetime
	if m.lifetime != "" {
		if lifetime, err = duration.Parse(m.lifetime); err != nil {
			return c, problem.Refuse("The lifetime is invalid: %s.", err)
		}
	}
	c = identity.Claims{
		Root: m.authority, Audience: m.audience, Tenant: r.Tenant.ID(), Personal: m.personal,
		NotBefore: r.Now, Expires: r.Now.Add(lifetime),
	}
	if m.expired {
		c.NotBefore, c.Expires = r.Now.Add(-2*time.Hour), r.Now.Add(-time.Hour)
	}
	if m.user != "" {
		return c, m.forUser(r, &c)
	}
	return c, m.forApplication(r, &c)
}

func (m *minting) forUser(r *wire.Request, c *identity.Claims) error {
	if len(m.permissions) > 0 {
		return problem.Refuse("A user's token has scopes, not permissions: those are an application's.")
	}
	ordinal, err := r.Image.LiveUser(m.user)
	if err != nil {
		return problem.Refuse("There is no user '%s'. A user is named by its id or "+
			"userPrincipalName.", problem.Clip(m.user))
	}
	u, err := r.Tenant.User(r.Context(), r.Image, ordinal)
	if err != nil {
		return err
	}
	if m.client != "" {
		app, err := m.application(r)
		if err != nil {
			return err
		}
		c.AppID, c.AppName, c.AppSerial = app.AppID, wire.AppName(&app), r.Image.PrincipalSerial(app.Principal.ID)
	}
	c.Delegated, c.ObjectID, c.Serial, c.Permissions = true, u.ID, tenant.UserSerial(ordinal), m.scopes
	c.User = identity.User{
		Name: u.UserPrincipalName, DisplayName: u.DisplayName, GivenName: u.GivenName, Surname: u.Surname,
		Guest: u.UserType == "Guest",
	}
	return m.giveRoles(c)
}

func (m *minting) giveRoles(c *identity.Claims) error {
	for _, name := range m.roles {
		role, ok := roleNamed(name)
		if !ok {
			return problem.Refuse("'%s' is not a built-in directory role: give the name or the template id of one.",
				problem.Clip(name))
		}
		c.Roles = append(c.Roles, role)
	}
	return nil
}

// roleNamed returns the template id of a role by its name or template id.
func roleNamed(name string) (uuid.UUID, bool) {
	for _, r := range identity.BuiltInRoles {
		if strings.EqualFold(r.Name, name) || strings.EqualFold(r.ID.String(), name) {
			return r.ID, true
		}
	}
	return uuid.Nil, false
}

func (m *minting) forApplication(r *wire.Request, c *identity.Claims) error {
	if len(m.scopes) > 0 || m.personal {
		return problem.Refuse("'scopes' and 'personal' require 'user'.")
	}
	app, err := m.application(r)
	if err != nil {
		return err
	}
	if app.Principal.ID == uuid.Nil {
		return problem.Refuse("Application %s has no service principal in the tenant, so it cannot log in.", app.AppID)
	}
	c.Serial = r.Image.PrincipalSerial(app.Principal.ID)
	c.AppID, c.AppName = app.AppID, wire.AppName(&app)
	c.ObjectID, c.Permissions = app.Principal.ID, app.Principal.Permissions
	if len(m.permissions) > 0 {
		c.Permissions = m.permissions
	}
	return m.giveRoles(c)
}

// application returns the application that the client names, or the tenant's first one that can
// sign in.
func (m *minting) application(r *wire.Request) (directory.Client, error) {
	if m.client == "" {
		for ordinal := range r.Image.Applications.All() {
			if app := r.Image.ClientAt(ordinal); app.Principal.ID != uuid.Nil {
				return app, nil
			}
		}
		return directory.Client{}, problem.Refuse("The tenant has no application that can log in. Name a user.")
	}
	if appID, ok := guid.Parse(m.client); ok {
		if app, ok := r.Image.Client(appID); ok {
			return app, nil
		}
	}
	return directory.Client{},
		problem.Refuse("The tenant has no application with the client id '%s'.", problem.Clip(m.client))
}
