package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"licensor/identity"
	"licensor/tenant"
)

// minting is which token is wanted.
type minting struct {
	data, tenant, root  string
	user, client        string
	scopes, permissions []string
	roles               []string
	personal, expired   bool
	lifetime            time.Duration
}

func tokenCommand() *cobra.Command {
	var m minting
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Make an access token for tests, straight from a database",
		Long: "Token signs an access token with the database's own key and prints it. The server must not run on the same file\n" +
			"meanwhile; a running server gives tokens at /{tenant}/oauth2/v2.0/token.\n\n" +
			"Without --user the token is an application's: --client picks which (the first by default), --permission says what it\n" +
			"may do (what the application has by default). With --user it is a signed-in user's: --scope says what the client may do\n" +
			"for the user, --role which directory roles the user has.",
		Example: "  licensor token --data licensor.db\n" +
			"  licensor token --user ann@licensor.example --scope User.ReadWrite.All --role 'License Administrator'\n" +
			"  licensor token --expired",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := openService(cmd.Context(), m.data, serviceOptions{})
			if err != nil {
				return err
			}
			token, err := m.mint(cmd.Context(), s)
			if err = errors.Join(err, s.Close(context.WithoutCancel(cmd.Context()))); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), token)
			return nil
		},
	}
	m.register(cmd)
	return cmd
}

func (m *minting) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&m.data, "data", defaultData, "the database, a file")
	f.StringVar(&m.tenant, "tenant", "", "id or domain of the tenant, when there are several")
	f.StringVar(&m.root, "authority", "http://127.0.0.1:8080", "scheme and host that the token names as its issuer")
	f.StringVar(&m.client, "client", "", "client id of the application (the first one by default)")
	f.StringSliceVar(&m.permissions, "permission", nil, "application permissions, such as User.Read.All")
	f.StringVar(&m.user, "user", "", "id or userPrincipalName of a signed-in user")
	f.StringSliceVar(&m.scopes, "scope", nil, "delegated permissions, with --user")
	f.StringSliceVar(&m.roles, "role", nil, "directory roles by name or template id, with --user")
	f.BoolVar(&m.personal, "personal", false, "the token of a personal account, which licensing operations refuse")
	f.BoolVar(&m.expired, "expired", false, "a token that is not good any more")
	f.DurationVar(&m.lifetime, "lifetime", identity.Lifetime, "how long the token is good")
	cmd.MarkFlagsMutuallyExclusive("user", "client")
	cmd.MarkFlagsMutuallyExclusive("user", "permission")
}

func (m *minting) mint(ctx context.Context, s *service) (string, error) {
	t, err := s.pick(m.tenant)
	if err != nil {
		return "", err
	}
	now := time.Now()
	claims := identity.Claims{Root: m.root, Tenant: t.ID(), NotBefore: now, Expires: now.Add(m.lifetime), Personal: m.personal}
	if m.expired {
		claims.NotBefore, claims.Expires = now.Add(-2*time.Hour), now.Add(-time.Hour)
	}
	if m.user != "" {
		err = m.forUser(ctx, t, &claims)
	} else {
		err = m.forApplication(t, &claims)
	}
	if err != nil {
		return "", err
	}
	return s.authority.Issue(claims)
}

func (m *minting) forUser(ctx context.Context, t *tenant.Tenant, c *identity.Claims) error {
	img := t.Image()
	ordinal, err := img.LiveUser(m.user)
	if err != nil {
		return err
	}
	u, err := t.User(ctx, img, ordinal)
	if err != nil {
		return err
	}
	c.Delegated, c.ObjectID, c.UPN, c.Name, c.Permissions = true, u.ID, u.UserPrincipalName, u.DisplayName, m.scopes
	for _, name := range m.roles {
		role, ok := roleNamed(name)
		if !ok {
			return usage(fmt.Errorf("%q is no directory role that is known here", name))
		}
		c.Roles = append(c.Roles, role)
	}
	return nil
}

// roleNamed answers the template id of a role by its name or that id.
func roleNamed(name string) (uuid.UUID, bool) {
	for _, r := range identity.Roles {
		if strings.EqualFold(r.Name, name) || strings.EqualFold(r.ID.String(), name) {
			return r.ID, true
		}
	}
	return uuid.Nil, false
}

func (m *minting) forApplication(t *tenant.Tenant, c *identity.Claims) error {
	apps := t.Image().Applications
	if len(apps) == 0 {
		return fmt.Errorf("tenant %s has no application", t.ID())
	}
	app := apps[0]
	if m.client != "" {
		id, err := uuid.Parse(m.client)
		if err != nil {
			return usage(fmt.Errorf("--client is %q, which is no GUID", m.client))
		}
		var ok bool
		if app, ok = t.Image().Application(id); !ok {
			return fmt.Errorf("tenant %s has no application with client id %s", t.ID(), id)
		}
	}
	c.ObjectID, c.AppID, c.Permissions = app.ID, app.AppID, app.Permissions
	if len(m.permissions) > 0 {
		c.Permissions = m.permissions
	}
	return nil
}

// pick answers the tenant with an id or domain, or the only one.
func (s *service) pick(name string) (*tenant.Tenant, error) {
	all := s.tenants.List()
	switch {
	case name == "" && len(all) == 1:
		return all[0], nil
	case name == "" && len(all) == 0:
		return nil, errors.New("the database has no tenant yet; start the server once to make one")
	case name == "":
		return nil, usage(fmt.Errorf("the database has %d tenants; say which with --tenant", len(all)))
	}
	id, ok := people{s.tenants}.Tenant(name)
	if !ok {
		return nil, fmt.Errorf("the database has no tenant %q", name)
	}
	t, _ := s.tenants.Tenant(id)
	return t, nil
}
