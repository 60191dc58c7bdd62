package server

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/identity"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// Founding describes a tenant to create.
type Founding struct {
	ID                     string // generated if empty, as are ClientID, ClientSecret and AdminPassword
	Name, Domain, Country  string
	Admin                  string // user principal name, or the part before its @
	AdminPassword          string
	KeepPassword           bool   // the password need not be changed at the first sign-in
	Application            string // name of an application with all permissions; no application if empty
	ClientID, ClientSecret string
	FirstParty             bool // create service principals of Microsoft's own public clients
}

// Login has the credentials of clients and people, as `init --json` prints them and --info writes
// and reads them.
type Login struct {
	Graph          string `json:"graph,omitempty"`
	Authority      string `json:"authority,omitempty"`
	CA             string `json:"ca,omitempty"` // file with the certificate to trust
	TenantID       string `json:"tenantId"`
	Domain         string `json:"domain,omitempty"`
	ClientID       string `json:"clientId,omitempty"`
	ClientSecret   string `json:"clientSecret,omitempty"`
	PublicClientID string `json:"publicClientId,omitempty"`
	AdminName      string `json:"adminName,omitempty"`
	AdminPassword  string `json:"adminPassword,omitempty"`
	UserName       string `json:"userName,omitempty"`
	UserPassword   string `json:"userPassword,omitempty"`
}

// Author is the author of changes by the command line, in the log of commits.
const Author = "system"

// Found creates the tenant with its administrator, and the application if requested. It completes
// an interrupted creation.
func (s *Server) Found(ctx context.Context, f Founding) (login Login, err error) {
	if err := f.Complete(); err != nil {
		return login, err
	}
	t, err := s.begin(ctx, f)
	if err != nil {
		return login, err
	}
	defer t.Release()
	login = Login{TenantID: t.ID().String(), Domain: f.Domain, AdminName: f.Admin}
	if f.Application != "" {
		app := Registration{
			Name: f.Application, Permissions: AllPermissions, ClientID: f.ClientID, Secret: f.ClientSecret,
		}
		if login.ClientID, login.ClientSecret, err = s.AddApplication(ctx, t, app); err != nil {
			return login, err
		}
	}
	if f.FirstParty {
		if err = addFirstParty(ctx, t); err != nil {
			return login, err
		}
	}
	if login.AdminPassword, err = s.addAdministrator(ctx, t, f); err != nil {
		return login, err
	}
	return login, s.development.served().Keep(ctx)
}

// begin returns the tenant to be created: a new one, or one whose creation was interrupted.
func (s *Server) begin(ctx context.Context, f Founding) (*engine.Tenant, error) {
	id, err := givenID("ID", f.ID)
	if err != nil {
		return nil, err
	}
	t, err := s.tenants.ByDomain(ctx, f.Domain)
	switch {
	case errors.Is(err, store.ErrNotFound):
		t, err = s.tenants.Create(ctx, id, f.organization(s.now()), catalog.BuiltIn())
		return t, f.clash(err)
	case err != nil:
		return nil, err
	case !Unfinished(t) || f.ID != "" && t.ID() != id:
		t.Release()
		return nil, unusable("Tenant", "Domain", f.Domain, fmt.Errorf("it belongs to tenant %s already: give another one", t.ID()))
	}
	return t, removeApplications(ctx, t)
}

// addFirstParty adds the service principals of Microsoft's own public clients that the tenant
// lacks.
func addFirstParty(ctx context.Context, t *engine.Tenant) error {
	for _, app := range identity.FirstParty {
		if _, there := t.Image().Client(app.AppID); there {
			continue
		}
		_, err := t.Do(ctx, Author, tenant.SetClient{Client: directory.Client{
			Application: directory.Application{AppID: app.AppID, DisplayName: app.DisplayName},
			Principal:   directory.ServicePrincipal{ID: uuid.New()},
		}})
		if err != nil {
			return fmt.Errorf("add the client %s: %w", app.DisplayName, err)
		}
	}
	return nil
}

// Unfinished reports whether the creation of a tenant was interrupted: its last step assigns the
// role to the administrator, and nothing else was done.
func Unfinished(t *engine.Tenant) bool {
	img := t.Image()
	return len(img.Roles) == 0 && img.Directory.Users() <= 1 &&
		img.Directory.Groups() == 0 && len(img.Subscriptions) == 0
}

// removeApplications removes the applications of an interrupted creation, whose secrets were never
// shown.
func removeApplications(ctx context.Context, t *engine.Tenant) error {
	for _, app := range t.Image().Clients() {
		if _, err := t.Do(ctx, Author, tenant.DeleteApplication{AppID: app.AppID}); err != nil {
			return err
		}
	}
	return nil
}

// addAdministrator creates the administrator and returns the password.
func (s *Server) addAdministrator(ctx context.Context, t *engine.Tenant, f Founding) (password string, err error) {
	password, hash, err := s.password(ctx, f.AdminPassword)
	if err != nil {
		return "", err
	}
	var id uuid.UUID
	img := t.Image()
	if user, ok := img.Directory.UserByName(f.Admin); ok {
		id = img.Directory.UserID(user)
		_, err = t.Do(ctx, Author, tenant.SetPassword{User: user, Hash: hash, ForceChange: !f.KeepPassword})
	} else {
		id, err = addUser(ctx, t, f, password, hash)
	}
	if err == nil {
		_, err = t.Do(ctx, Author, tenant.SetRole{Role: identity.GlobalAdministrator.ID, Principal: id})
	}
	if err != nil {
		return "", fmt.Errorf("make the administrator %s: %w", f.Admin, err)
	}
	return password, nil
}

func addUser(ctx context.Context, t *engine.Tenant, f Founding, password, hash string) (uuid.UUID, error) {
	patch, err := f.administrator(password)
	if err != nil {
		return uuid.Nil, err
	}
	done, err := t.Do(ctx, Author, tenant.CreateUser{Patch: patch, PasswordHash: hash})
	return done.ID, err
}

// administrator returns the properties of the administrator to create.
func (f *Founding) administrator(password string) (patch directory.UserPatch, err error) {
	nickname, _, _ := strings.Cut(f.Admin, "@")
	body, err := json.Marshal(map[string]any{
		"accountEnabled": true, "displayName": "Administrator", "mailNickname": nickname, "userPrincipalName": f.Admin,
		"usageLocation":   strings.ToUpper(f.Country),
		"passwordProfile": map[string]any{"password": password, "forceChangePasswordNextSignIn": !f.KeepPassword},
	})
	if err != nil {
		return patch, err
	}
	members, err := directory.Members(body)
	if err != nil {
		return patch, err
	}
	return directory.ParseUserPatch(members)
}

// AllPermissions returns all application permissions: the widest that identity.Needs asks for.
var AllPermissions = []string{
	"AdministrativeUnit.ReadWrite.All", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "AuditLog.Read.All", "DelegatedPermissionGrant.ReadWrite.All", "Directory.Read.All",
	"Directory.ReadWrite.All", "Domain.ReadWrite.All", "Group.ReadWrite.All", "LicenseAssignment.ReadWrite.All", "Organization.ReadWrite.All", "Policy.ReadWrite.Authorization", "RoleManagement.ReadWrite.Directory",
	"User-PasswordProfile.ReadWrite.All", "User.Read.All", "User.ReadWrite.All", "User.RevokeSessions.All",
}

// Registration describes an application to create.
type Registration struct {
	Name             string
	Permissions      []string
	ClientID, Secret string // generated if empty
}

// AddApplication gives a tenant an application with a secret that is returned once and stored only
// as a hash.
func (s *Server) AddApplication(
	ctx context.Context, t *engine.Tenant, r Registration,
) (clientID, secret string, err error) {
	id, err := givenID("ClientID", r.ClientID)
	if err != nil {
		return "", "", err
	}
	if secret = r.Secret; secret == "" {
		if secret, err = identity.NewSecret(rand.Reader); err != nil {
			return "", "", err
		}
	}
	hash := identity.HashSecret(secret)
	now := s.now().UTC().Truncate(time.Second)
	app := directory.Client{
		Application: directory.Application{
			ID: uuid.New(), AppID: id, DisplayName: r.Name, CreatedDateTime: now,
			Secrets: []directory.Secret{{KeyID: uuid.New(), Hash: hash[:], Hint: secret[:3], Starts: now}},
		},
		Principal: directory.ServicePrincipal{ID: uuid.New(), Permissions: r.Permissions},
	}
	if _, err := t.Do(ctx, Author, tenant.SetClient{Client: app}); err != nil {
		return "", "", fmt.Errorf("add application %s: %w", r.Name, err)
	}
	return app.AppID.String(), secret, nil
}

// organization returns the organization of the new tenant.
func (f Founding) organization(now time.Time) directory.Organization {
	return directory.Organization{
		DisplayName: f.Name, CountryLetterCode: strings.ToUpper(f.Country),
		CreatedDateTime: now.UTC().Truncate(time.Second),
		VerifiedDomains: []directory.VerifiedDomain{{
			Name:         f.Domain,
			IsDefault:    true,
			IsInitial:    true,
			Type:         "Managed",
			Capabilities: "Email, OfficeCommunicationsOnline",
		}},
	}
}
