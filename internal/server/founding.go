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
	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// Founding is a tenant that is to be made.
type Founding struct {
	ID                     string // made up when empty, as ClientID, ClientSecret and AdminPassword are
	Name, Domain, Country  string
	Admin                  string // user principal name, or what is before its @
	AdminPassword          string
	KeepPassword           bool   // it need not be changed at the first sign-in
	Application            string // name of an application that may do everything; none when empty
	ClientID, ClientSecret string
	FirstParty             bool // the tenant knows Microsoft's own public clients
}

// leastSecret is how many characters a secret that is given must have: it is kept as a plain hash,
// so it must not be one that can be guessed.
const leastSecret = 32

// Complete gives the administrator's name its domain, and checks what is given.
func (f *Founding) Complete() error {
	for field, id := range map[string]string{"ID": f.ID, "ClientID": f.ClientID} {
		if _, err := givenID(field, id); err != nil {
			return err
		}
	}
	if n := len(f.ClientSecret); n > 0 && n < leastSecret {
		return Misuse(fmt.Errorf("the tenant's ClientSecret has %d characters: it must have %d or more that cannot be guessed", n, leastSecret))
	}
	if n := len(f.AdminPassword); n > identity.MaxPassword {
		return Misuse(fmt.Errorf("the tenant's AdminPassword has %d bytes: it must have %d or fewer", n, identity.MaxPassword))
	}
	if f.Application == "" && f.ClientID+f.ClientSecret != "" {
		return Misuse(errors.New("the tenant has a ClientID or ClientSecret, but no Application: name one"))
	}
	f.Domain = strings.ToLower(f.Domain)
	name, domain, ok := strings.Cut(f.Admin, "@")
	if !ok {
		domain = f.Domain
	}
	if f.Admin = name + "@" + domain; !strings.EqualFold(domain, f.Domain) {
		return Misuse(fmt.Errorf("the administrator %s is not in the domain %s", f.Admin, f.Domain))
	}
	return nil
}

// givenID reads an id, or makes one when none is given.
func givenID(field, text string) (uuid.UUID, error) {
	if text == "" {
		return uuid.New(), nil
	}
	id, ok := guid.Parse(text)
	if !ok || id == uuid.Nil {
		return id, Misuse(fmt.Errorf("the tenant's %s is %q, which is not a GUID: leave it out or write one such as 11111111-2222-3333-4444-555555555555", field, text))
	}
	return id, nil
}

// Login is what clients and people log in with, as `init --json` prints them and --info writes and
// reads them.
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

// Author of what the command line changes, in the log of commits.
const Author = "system"

// Found makes the tenant with its administrator, and the application if there is to be one. One
// that was cut off halfway is finished.
func (s *Server) Found(ctx context.Context, f Founding) (login Login, err error) {
	if err := f.Complete(); err != nil {
		return login, err
	}
	t, err := s.begin(ctx, f)
	if err != nil {
		return login, err
	}
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
	login.AdminPassword, err = s.addAdministrator(ctx, t, f)
	return login, err
}

// begin returns the tenant to be founded: a new one, or one whose founding was cut off.
func (s *Server) begin(ctx context.Context, f Founding) (*tenant.Tenant, error) {
	id, err := givenID("ID", f.ID)
	if err != nil {
		return nil, err
	}
	t, ok := s.tenants.ByDomain(f.Domain)
	switch {
	case !ok:
		return s.tenants.Create(ctx, id, f.organization(s.now()), catalog.BuiltIn())
	case !Unfinished(t) || f.ID != "" && t.ID() != id:
		return nil, fmt.Errorf("the domain %s belongs to tenant %s already: give another one", f.Domain, t.ID())
	}
	return t, removeApplications(ctx, t)
}

// addFirstParty gives the tenant the service principals of Microsoft's own public clients, as far
// as it has none of them.
func addFirstParty(ctx context.Context, t *tenant.Tenant) error {
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

// Unfinished says whether the making of a tenant was cut off: its last step gives the administrator
// the role, and nothing else was done.
func Unfinished(t *tenant.Tenant) bool {
	img := t.Image()
	return len(img.Roles) == 0 && img.Directory.Users() <= 1 &&
		img.Directory.Groups() == 0 && len(img.Subscriptions) == 0
}

// removeApplications removes what a founding made before it was cut off; nobody was told the
// secret.
func removeApplications(ctx context.Context, t *tenant.Tenant) error {
	for _, app := range t.Image().Clients() {
		if _, err := t.Do(ctx, Author, tenant.DeleteApplication{AppID: app.AppID}); err != nil {
			return err
		}
	}
	return nil
}

// addAdministrator makes the administrator and returns the password.
func (s *Server) addAdministrator(ctx context.Context, t *tenant.Tenant, f Founding) (password string, err error) {
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

func addUser(ctx context.Context, t *tenant.Tenant, f Founding, password, hash string) (uuid.UUID, error) {
	nickname, _, _ := strings.Cut(f.Admin, "@")
	body, err := json.Marshal(map[string]any{
		"accountEnabled": true, "displayName": "Administrator", "mailNickname": nickname, "userPrincipalName": f.Admin,
		"usageLocation":   strings.ToUpper(f.Country),
		"passwordProfile": map[string]any{"password": password, "forceChangePasswordNextSignIn": !f.KeepPassword},
	})
	if err != nil {
		return uuid.Nil, err
	}
	members, err := directory.Members(body)
	if err != nil {
		return uuid.Nil, err
	}
	patch, err := directory.ParseUserPatch(members)
	if err != nil {
		return uuid.Nil, err
	}
	done, err := t.Do(ctx, Author, tenant.CreateUser{Patch: patch, PasswordHash: hash})
	return done.ID, err
}

// AllPermissions are those of an application that may do everything: the widest that identity.Needs
// asks for.
var AllPermissions = []string{
	"AdministrativeUnit.ReadWrite.All", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All", "Directory.Read.All",
	"Directory.ReadWrite.All", "Domain.ReadWrite.All", "Group.ReadWrite.All", "LicenseAssignment.ReadWrite.All", "Organization.ReadWrite.All", "Policy.ReadWrite.Authorization", "RoleManagement.ReadWrite.Directory",
	"User-PasswordProfile.ReadWrite.All", "User.Read.All", "User.ReadWrite.All", "User.RevokeSessions.All",
}

// Registration is an application that is to be made.
type Registration struct {
	Name             string
	Permissions      []string
	ClientID, Secret string // made up when empty
}

// AddApplication gives a tenant an application with a secret that is told once and kept only as a
// hash.
func (s *Server) AddApplication(
	ctx context.Context, t *tenant.Tenant, r Registration,
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

// organization is the tenant's, as it is founded.
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
