package oauth

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/identity"
)

// town is the directory of the tests.
type town struct {
	mu        sync.Mutex
	apps      map[uuid.UUID]identity.App
	users     map[uuid.UUID]identity.User
	passwords map[uuid.UUID]string
	grants    map[[2]uuid.UUID][]string // by service principal and user; the zero user is all
	signIn    directory.SignIn
	broken    error // when set, users cannot be read
}

var cheap = identity.PasswordCost{Memory: 64, Passes: 1, Threads: 1}

var goodHash = sync.OnceValue(func() string {
	hash, err := identity.HashPassword(context.Background(), rand.Reader, cheap, goodPassword)
	if err != nil {
		panic(err)
	}
	return hash
})

// principalOf is the service principal of a client.
func principalOf(app uuid.UUID) uuid.UUID { return uuid.NewSHA1(contoso, app[:]) }

func idTokens() identity.Implicit { return identity.Implicit{IDTokens: true} }

func newTown() *town {
	t := &town{
		apps: map[uuid.UUID]identity.App{
			robot: {
				DisplayName: "Robot", Enabled: true, Permissions: []string{"LicenseAssignment.ReadWrite.All", "User.Read.All"},
				Secrets: []identity.Secret{
					{Hash: identity.HashSecret(expiredText), Expires: start},
					{Hash: identity.HashSecret(goodSecret)},
					{Hash: identity.HashSecret(otherSecret), Expires: start.Add(time.Hour)},
				},
			},
			brokenApp: {
				DisplayName: "Off", Secrets: []identity.Secret{{Hash: identity.HashSecret(goodSecret)}},
				Redirects: identity.Redirects{Web: []string{portalRedirect}},
			},
			portal: {
				DisplayName: "Portal", Enabled: true, Secrets: []identity.Secret{{Hash: identity.HashSecret(goodSecret)}},
				Redirects: identity.Redirects{Web: []string{portalRedirect, portalRedirect + "?x=1"}}, Implicit: idTokens,
			},
			page: {
				DisplayName: "Page", Enabled: true,
				Redirects: identity.Redirects{SPA: []string{pageRedirect}}, Implicit: idTokens,
			},
			tool: {
				DisplayName: "Tool", Enabled: true,
				Redirects: identity.Redirects{Public: []string{toolRedirect, "http://127.0.0.1/back", "http://[::1]:7000/back", "contoso-tool://back"}},
			},
			service: {
				DisplayName: "Service", Enabled: true, Secrets: []identity.Secret{{Hash: identity.HashSecret(goodSecret)}},
			},
		},
		users: map[uuid.UUID]identity.User{
			ann: {
				Enabled: true, Name: annName, DisplayName: "Ann Example", GivenName: "Ann", Surname: "Example",
				Mail: "ann.example@contoso.example", Roles: []uuid.UUID{identity.UserAdministrator.ID},
			},
			ben:  {Name: "ben@contoso.example", DisplayName: "Ben"},
			dora: {Enabled: true, Name: "dora@contoso.example", DisplayName: "Dora", MustChangePassword: true},
			gil:  {Enabled: true, Name: "gil@contoso.example", DisplayName: "Gil", Roles: []uuid.UUID{identity.GlobalAdministrator.ID}},
			hugo: {Enabled: true, Name: "hugo@contoso.example", DisplayName: "Hugo"},
		},
		passwords: map[uuid.UUID]string{ann: goodHash(), ben: goodHash(), dora: goodHash(), gil: goodHash()},
		grants: map[[2]uuid.UUID][]string{
			{principalOf(portal), uuid.Nil}: {"User.Read", "User.ReadWrite.All"},
			{principalOf(page), uuid.Nil}:   {"User.Read"},
			{principalOf(tool), uuid.Nil}:   {"User.Read"},
		},
	}
	for id, app := range t.apps {
		app.ID, app.AppID = principalOf(id), id
		t.apps[id] = app
	}
	for id, user := range t.users {
		user.ID = id
		t.users[id] = user
	}
	return t
}

var _ Directory = (*town)(nil)

func (t *town) Tenant(_ context.Context, name string) (uuid.UUID, error) {
	switch name {
	case contoso.String(), contosoDomain:
		return contoso, nil
	case fabrikam.String(), fabrikamDomain:
		return fabrikam, nil
	}
	return uuid.Nil, nil
}

func (t *town) Application(_ context.Context, tenant, appID uuid.UUID) (identity.App, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if tenant == contoso || tenant == fabrikam && appID == portal {
		return t.apps[appID], nil
	}
	return identity.App{}, nil
}

func (t *town) Known(_ context.Context, appID uuid.UUID) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.apps[appID]
	return ok, nil
}

func (t *town) User(_ context.Context, tenant, id uuid.UUID) (identity.User, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.broken != nil || tenant != contoso {
		return identity.User{}, t.broken
	}
	return t.users[id], nil
}

func (t *town) UserByName(_ context.Context, tenant uuid.UUID, name string) (identity.User, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, user := range t.users {
		if tenant == contoso && strings.EqualFold(user.Name, name) {
			return user, t.broken
		}
	}
	return identity.User{}, t.broken
}

func (t *town) Password(_ context.Context, _, user uuid.UUID) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.passwords[user], nil
}

func (t *town) SetPassword(_ context.Context, _, id uuid.UUID, hash string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.passwords[id] = hash
	user := t.users[id]
	user.MustChangePassword = false
	t.users[id] = user
	return nil
}

func (t *town) Scopes(_ context.Context, tenant, client, user uuid.UUID) ([]string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if tenant != contoso {
		return nil, nil
	}
	return slices.Concat(t.grants[[2]uuid.UUID{client, uuid.Nil}], t.grants[[2]uuid.UUID{client, user}]), nil
}

func (t *town) Consent(_ context.Context, _, client, user uuid.UUID, scopes []string, forAll bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if forAll {
		user = uuid.Nil
	}
	key := [2]uuid.UUID{client, user}
	t.grants[key] = slices.Concat(t.grants[key], scopes)
	return nil
}

func (t *town) SignIn(context.Context, uuid.UUID) (directory.SignIn, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.signIn, nil
}

func (t *town) change(apply func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	apply()
}

func (t *town) changeApp(id uuid.UUID, apply func(*identity.App)) {
	t.change(func() {
		app := t.apps[id]
		apply(&app)
		t.apps[id] = app
	})
}

func (t *town) changeUser(id uuid.UUID, apply func(*identity.User)) {
	t.change(func() {
		user := t.users[id]
		apply(&user)
		t.users[id] = user
	})
}
