package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// founding is a tenant that is to be made.
type founding struct {
	name, domain, country string
	admin                 string // user principal name, or what is before its @
	application           string // name of an application that may do everything; none when empty
	firstParty            bool   // the tenant knows Microsoft's own public clients
	keepPassword          bool   // the administrator's need not be changed at the first sign-in
}

// complete gives the administrator's name its domain.
func (f *founding) complete() error {
	f.domain = strings.ToLower(f.domain)
	name, domain, ok := strings.Cut(f.admin, "@")
	if !ok {
		domain = f.domain
	}
	if f.admin = name + "@" + domain; !strings.EqualFold(domain, f.domain) {
		return usage(fmt.Errorf("the administrator %s is not in the domain %s", f.admin, f.domain))
	}
	return nil
}

// credentials are what clients and people log in with, as `init --json` prints them and --info writes and reads them.
type credentials struct {
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

// author of what the command line changes, in the log of commits.
const author = "system"

// found makes the tenant with its administrator, and the application if there is to be one. One that was cut off halfway is finished.
func (s *service) found(ctx context.Context, f founding) (login credentials, err error) {
	if err := f.complete(); err != nil {
		return login, err
	}
	t, ok := s.tenants.ByDomain(f.domain)
	switch {
	case ok && unfinished(t):
		err = removeApplications(ctx, t)
	case ok:
		err = fmt.Errorf("the domain %s belongs to tenant %s already: give another --domain", f.domain, t.ID())
	default:
		t, err = s.tenants.Create(ctx, uuid.New(), f.organization(s.now()), catalog.BuiltIn())
	}
	if err != nil {
		return login, err
	}
	login = credentials{TenantID: t.ID().String(), Domain: f.domain, AdminName: f.admin}
	if f.application != "" {
		if login.ClientID, login.ClientSecret, err = s.addApplication(ctx, t, f.application, allPermissions); err != nil {
			return login, err
		}
	}
	if f.firstParty {
		if err = addFirstParty(ctx, t); err != nil {
			return login, err
		}
	}
	login.AdminPassword, err = addAdministrator(ctx, t, f)
	return login, err
}

// addFirstParty gives the tenant the service principals of Microsoft's own public clients, as far as it has none of them.
func addFirstParty(ctx context.Context, t *tenant.Tenant) error {
	for _, app := range identity.FirstParty {
		if _, there := t.Image().Client(app.AppID); there {
			continue
		}
		_, err := t.Do(ctx, author, tenant.SetClient{Client: directory.Client{
			Application: directory.Application{AppID: app.AppID, DisplayName: app.DisplayName}, Principal: directory.ServicePrincipal{ID: uuid.New()},
		}})
		if err != nil {
			return fmt.Errorf("add the client %s: %w", app.DisplayName, err)
		}
	}
	return nil
}

// unfinished says whether the making of a tenant was cut off: its last step gives the administrator the role, and nothing else was done.
func unfinished(t *tenant.Tenant) bool {
	img := t.Image()
	return len(img.Roles) == 0 && img.Directory.Users() <= 1 && img.Directory.Groups() == 0 && len(img.Subscriptions) == 0
}

// removeApplications removes what a founding made before it was cut off; nobody was told the secret.
func removeApplications(ctx context.Context, t *tenant.Tenant) error {
	for _, app := range t.Image().Clients() {
		if _, err := t.Do(ctx, author, tenant.DeleteApplication{AppID: app.AppID}); err != nil {
			return err
		}
	}
	return nil
}

// addAdministrator makes the administrator and returns the password.
func addAdministrator(ctx context.Context, t *tenant.Tenant, f founding) (password string, err error) {
	password, hash, err := newPassword(ctx)
	if err != nil {
		return "", err
	}
	var id uuid.UUID
	img := t.Image()
	if user, ok := img.Directory.UserByName(f.admin); ok {
		id = img.Directory.UserID(user)
		_, err = t.Do(ctx, author, tenant.SetPassword{User: user, Hash: hash, ForceChange: !f.keepPassword})
	} else {
		id, err = addUser(ctx, t, f, password, hash)
	}
	if err == nil {
		_, err = t.Do(ctx, author, tenant.SetRole{Role: identity.GlobalAdministrator.ID, Principal: id})
	}
	if err != nil {
		return "", fmt.Errorf("make the administrator %s: %w", f.admin, err)
	}
	return password, nil
}

func addUser(ctx context.Context, t *tenant.Tenant, f founding, password, hash string) (uuid.UUID, error) {
	nickname, _, _ := strings.Cut(f.admin, "@")
	body, err := json.Marshal(map[string]any{
		"accountEnabled": true, "displayName": "Administrator", "mailNickname": nickname, "userPrincipalName": f.admin,
		"usageLocation":   strings.ToUpper(f.country),
		"passwordProfile": map[string]any{"password": password, "forceChangePasswordNextSignIn": !f.keepPassword},
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
	done, err := t.Do(ctx, author, tenant.CreateUser{Patch: patch, PasswordHash: hash})
	return done.ID, err
}

// allPermissions are those of an application that may do everything: the widest that identity.Needs asks for.
var allPermissions = []string{
	"AdministrativeUnit.ReadWrite.All", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All", "Directory.Read.All",
	"Directory.ReadWrite.All", "Domain.ReadWrite.All", "Group.ReadWrite.All", "LicenseAssignment.ReadWrite.All", "Organization.ReadWrite.All", "Policy.ReadWrite.Authorization", "RoleManagement.ReadWrite.Directory",
	"User-PasswordProfile.ReadWrite.All", "User.Read.All", "User.ReadWrite.All", "User.RevokeSessions.All",
}

// addApplication gives a tenant an application with a secret that is told once and kept only as a hash.
func (s *service) addApplication(ctx context.Context, t *tenant.Tenant, name string, permissions []string) (id, secret string, err error) {
	secret, err = identity.NewSecret(rand.Reader)
	if err != nil {
		return "", "", err
	}
	hash := identity.HashSecret(secret)
	now := s.now().UTC().Truncate(time.Second)
	app := directory.Client{
		Application: directory.Application{
			ID: uuid.New(), AppID: uuid.New(), DisplayName: name, CreatedDateTime: now,
			Secrets: []directory.Secret{{KeyID: uuid.New(), Hash: hash[:], Hint: secret[:3], Starts: now}},
		},
		Principal: directory.ServicePrincipal{ID: uuid.New(), Permissions: permissions},
	}
	if _, err := t.Do(ctx, author, tenant.SetClient{Client: app}); err != nil {
		return "", "", fmt.Errorf("add application %s: %w", name, err)
	}
	return app.AppID.String(), secret, nil
}

// organization is the tenant's, as it is founded.
func (f founding) organization(now time.Time) directory.Organization {
	return directory.Organization{
		DisplayName: f.name, CountryLetterCode: strings.ToUpper(f.country), CreatedDateTime: now.UTC().Truncate(time.Second),
		VerifiedDomains: []directory.VerifiedDomain{{Name: f.domain, IsDefault: true, IsInitial: true, Type: "Managed", Capabilities: "Email, OfficeCommunicationsOnline"}},
	}
}
