// Package people gives the authority access to tenants: their applications and users, what these
// may do, and what users decide on its pages. It reads the current image, so every token, code and
// session is checked against the current directory.
package people

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/identity/oauth"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// Directory provides the people and applications of all tenants of a server.
type Directory struct{ Tenants *engine.Tenants }

var (
	_ oauth.Directory  = Directory{}
	_ identity.Issuers = Directory{}
)

// Tenant implements [identity.Directory].
func (d Directory) Tenant(ctx context.Context, name string) (id uuid.UUID, err error) {
	var t *engine.Tenant
	if given, ok := guid.Parse(name); ok {
		t, err = d.use(ctx, given)
	} else if t, err = d.Tenants.ByDomain(ctx, name); errors.Is(err, store.ErrNotFound) {
		return uuid.Nil, nil
	}
	if t == nil || err != nil {
		return uuid.Nil, err
	}
	defer t.Release()
	return t.ID(), nil
}

// use returns a tenant, which the caller releases; nil if it does not exist.
func (d Directory) use(ctx context.Context, id uuid.UUID) (*engine.Tenant, error) {
	t, err := d.Tenants.Tenant(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return t, err
}

// Application implements [identity.Directory].
func (d Directory) Application(ctx context.Context, tenantID, appID uuid.UUID) (identity.App, error) {
	t, err := d.use(ctx, tenantID)
	if t == nil || err != nil {
		return identity.App{}, err
	}
	defer t.Release()
	img := t.Image()
	a, ok := img.Client(appID)
	if !ok || a.Principal.ID == uuid.Nil {
		return identity.App{}, nil
	}
	app := identity.App{
		ID:           a.Principal.ID,
		Serial:       img.PrincipalSerial(a.Principal.ID),
		AppID:        a.AppID,
		DisplayName:  a.DisplayName,
		Enabled:      !a.Principal.Disabled,
		Permissions:  a.Principal.Permissions,
		Roles:        img.RolesOfPrincipal(a.Principal.ID),
		PublicClient: a.PublicClient,
		Redirects:    identity.Redirects(a.Redirects),
	}
	if a.Principal.AssignmentRequired {
		app.Admits = func(user uuid.UUID) bool { return img.Assigned(user, a.Principal.ID) }
	}
	if a.Application.ID == uuid.Nil {
		known, _ := identity.FirstPartyByID(appID)
		app.DisplayName = known.DisplayName
		app.PublicClient, app.Redirects, app.Requested = known.PublicClient, known.Redirects, known.Requested
	}
	if raw, ok := a.Properties["requiredResourceAccess"]; ok {
		app.Requested = func() []string { return requested(raw) }
	}
	if raw, ok := a.Properties["web"]; ok {
		app.Implicit = func() identity.Implicit { return implicit(raw) }
	}
	for _, s := range slices.Concat(a.Secrets, a.Principal.Secrets) {
		secret := identity.Secret{Expires: s.Expires}
		copy(secret.Hash[:], s.Hash)
		app.Secrets = append(app.Secrets, secret)
	}
	for _, c := range slices.Concat(a.Certificates, a.Principal.Certificates) {
		app.Certificates = append(app.Certificates, identity.Certificate{DER: c.DER, Expires: c.Expires})
	}
	for _, f := range a.Federated {
		app.Federated = append(app.Federated, identity.Federated{
			Issuer: f.Issuer, Subject: f.Subject, Audiences: f.Audiences,
		})
	}
	return app, nil
}

// Known implements [oauth.Directory].
func (d Directory) Known(ctx context.Context, appID uuid.UUID) (bool, error) {
	return d.Tenants.KnowsApp(ctx, appID)
}

// implicit returns which tokens a registration allows in redirects.
func implicit(raw json.RawMessage) identity.Implicit {
	var web struct {
		ImplicitGrantSettings struct {
			EnableAccessTokenIssuance bool `json:"enableAccessTokenIssuance"`
			EnableIDTokenIssuance     bool `json:"enableIdTokenIssuance"`
		} `json:"implicitGrantSettings"`
	}
	_ = json.Unmarshal(raw, &web) // it was validated when it was set
	return identity.Implicit{
		AccessTokens: web.ImplicitGrantSettings.EnableAccessTokenIssuance,
		IDTokens:     web.ImplicitGrantSettings.EnableIDTokenIssuance,
	}
}

// requested are the delegated permissions of Graph that a registration asks for in its
// requiredResourceAccess. Unknown permissions are skipped, as they are on the page for
// administrators.
func requested(raw json.RawMessage) (scopes []string) {
	var resources []struct {
		ResourceAppID  string `json:"resourceAppId"`
		ResourceAccess []struct {
			ID   uuid.UUID `json:"id"`
			Type string    `json:"type"`
		} `json:"resourceAccess"`
	}
	if err := json.Unmarshal(raw, &resources); err != nil { // it was validated when it was set
		return nil
	}
	for _, resource := range resources {
		if !strings.EqualFold(resource.ResourceAppID, identity.GraphAppID) {
			continue
		}
		for _, access := range resource.ResourceAccess {
			if p, ok := identity.DelegatedPermissionByID(access.ID); ok && access.Type == "Scope" {
				scopes = append(scopes, p.Value)
			}
		}
	}
	return scopes
}

// User implements [identity.Directory].
func (d Directory) User(ctx context.Context, tenantID, id uuid.UUID) (identity.User, error) {
	t, err := d.use(ctx, tenantID)
	if t == nil || err != nil {
		return identity.User{}, err
	}
	defer t.Release()
	img := t.Image()
	user, ok := img.Directory.UserByID(id)
	if !ok {
		return identity.User{}, nil
	}
	return person(ctx, t, img, user)
}

// UserByName implements [oauth.Directory].
func (d Directory) UserByName(ctx context.Context, tenantID uuid.UUID, name string) (identity.User, error) {
	t, err := d.use(ctx, tenantID)
	if t == nil || err != nil {
		return identity.User{}, err
	}
	defer t.Release()
	img := t.Image()
	user, ok := img.Directory.UserByName(name)
	if !ok {
		return identity.User{}, nil
	}
	return person(ctx, t, img, user)
}

// TrustedIssuers implements [identity.Issuers].
func (d Directory) TrustedIssuers(
	ctx context.Context, issuer string, audiences []string,
) (trusts []identity.Trusted, known bool, err error) {
	tenants, err := d.Tenants.ByIssuer(ctx, issuer, audiences)
	if err != nil {
		return nil, false, err
	}
	for _, t := range tenants {
		for _, trusted := range t.Image().SignIn.TrustedIssuers {
			if trusted.Issuer == issuer {
				trusts = append(trusts, identity.Trusted{Tenant: t.ID(), TrustedIssuer: trusted})
			}
		}
		t.Release()
	}
	if len(trusts) > 0 {
		return trusts, true, nil
	}
	known, err = d.Tenants.KnowsIssuer(ctx, issuer)
	return nil, known, err
}

// person returns the data of a user for tokens, which is zero if the user is deleted.
func person(ctx context.Context, t *engine.Tenant, img *tenant.Image, user uint32) (identity.User, error) {
	if img.Directory.UserDeleted(user) {
		return identity.User{}, nil
	}
	u, err := t.User(ctx, img, user)
	if err != nil {
		return identity.User{}, err
	}
	p := u.PasswordProfile
	return identity.User{
		ID: u.ID, Serial: tenant.UserSerial(user), Enabled: u.AccountEnabled, Roles: img.RolesOf(user),
		Name: u.UserPrincipalName, DisplayName: u.DisplayName, Mail: u.Mail,
		GivenName: u.GivenName, Surname: u.Surname, Guest: u.UserType == "Guest",
		SessionsFrom:       u.SignInSessionsValidFromDateTime,
		MustChangePassword: p != nil && p.ForceChangePasswordNextSignIn != nil && *p.ForceChangePasswordNextSignIn,
	}, nil
}

// place returns the tenant, which the caller releases, and the ordinal of a user. The error is a
// NotFound if the user does not exist.
func (d Directory) place(ctx context.Context, tenantID, id uuid.UUID) (*engine.Tenant, uint32, error) {
	t, err := d.Tenants.Tenant(ctx, tenantID)
	if err != nil {
		return nil, 0, err
	}
	user, err := t.Image().LiveUser(id.String())
	if err != nil {
		t.Release()
	}
	return t, user, err
}

// Password implements [oauth.Directory].
func (d Directory) Password(ctx context.Context, tenantID, id uuid.UUID) (string, error) {
	t, user, err := d.place(ctx, tenantID, id)
	if err != nil {
		return "", err
	}
	defer t.Release()
	return t.Password(ctx, user)
}

// SetPassword implements [oauth.Directory].
func (d Directory) SetPassword(ctx context.Context, tenantID, id uuid.UUID, hash string) error {
	t, user, err := d.place(ctx, tenantID, id)
	if err != nil {
		return err
	}
	defer t.Release()
	_, err = t.Do(ctx, "user "+id.String(), tenant.SetPassword{User: user, Hash: hash})
	return err
}

// Scopes implements [oauth.Directory].
func (d Directory) Scopes(ctx context.Context, tenantID, client, user uuid.UUID) ([]string, error) {
	t, err := d.use(ctx, tenantID)
	if t == nil || err != nil {
		return nil, err
	}
	defer t.Release()
	img := t.Image()
	all, _ := img.Grants.Get(client, uuid.Nil)
	own, _ := img.Grants.Get(client, user)
	return union(all.Scopes, own.Scopes), nil
}

// Consent implements [oauth.Directory].
func (d Directory) Consent(ctx context.Context, tenantID, client, user uuid.UUID, scopes []string, forAll bool) error {
	t, _, err := d.place(ctx, tenantID, user)
	if err != nil {
		return err
	}
	defer t.Release()
	of := user
	if forAll {
		of = uuid.Nil
	}
	for { // retry until no other request has changed the grant in between
		before, _ := t.Image().Grants.Get(client, of)
		_, err := t.Do(ctx, "user "+user.String(), tenant.If{
			Holds: func(img *tenant.Image) bool {
				now, _ := img.Grants.Get(client, of)
				return slices.Equal(now.Scopes, before.Scopes)
			},
			Then: tenant.SetGrant{
				Grant: directory.Grant{Client: client, User: of, Scopes: union(before.Scopes, scopes)}, Consent: true,
			},
		})
		if problem, ok := errors.AsType[*tenant.CommandError](err); !ok || problem.Kind != tenant.ProblemChanged {
			return err
		}
	}
}

// SignIn implements [oauth.Directory].
func (d Directory) SignIn(ctx context.Context, tenantID uuid.UUID) (directory.SignIn, error) {
	t, err := d.use(ctx, tenantID)
	if t == nil || err != nil {
		return directory.SignIn{}, err
	}
	defer t.Release()
	return t.Image().SignIn, nil
}

// union returns a followed by the other elements of b.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}
