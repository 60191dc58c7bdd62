package identity

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The people of the tests: Contoso with an application and users, and Fabrikam, another tenant.
var (
	contoso  = uuid.MustParse("84841066-274d-4ec0-a5c1-276be684bdd3")
	fabrikam = uuid.MustParse("11111111-2222-4333-8444-555555555555")
	nowhere  = uuid.MustParse("99999999-9999-4999-8999-999999999999")

	appID     = uuid.MustParse("aaaaaaaa-0000-4000-8000-000000000001")
	principal = uuid.MustParse("aaaaaaaa-0000-4000-8000-0000000000ff")
	brokenApp = uuid.MustParse("bbbbbbbb-0000-4000-8000-000000000002")

	ann   = uuid.MustParse("cccccccc-0000-4000-8000-000000000001")
	ben   = uuid.MustParse("cccccccc-0000-4000-8000-000000000002") // disabled
	carol = uuid.MustParse("cccccccc-0000-4000-8000-000000000003") // cannot be read

	start = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
)

const (
	goodSecret    = "good-secret"
	otherSecret   = "other-secret"
	expiredText   = "expired-secret"
	localRoot     = "https://localhost:8443"
	contosoDomain = "contoso.example"
)

// clock is a time that tests move.
type clock struct{ nanoseconds atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.nanoseconds.Store(start.UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.nanoseconds.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.nanoseconds.Add(int64(d)) }

// town is the directory of the tests; deleting from it is what tests of A23 do.
type town struct {
	mu    sync.Mutex
	apps  map[uuid.UUID]App
	users map[uuid.UUID]User
}

func newTown() *town {
	return &town{
		apps: map[uuid.UUID]App{
			appID: {
				ID: principal, AppID: appID, DisplayName: "Robot", Enabled: true,
				Permissions: []string{"LicenseAssignment.ReadWrite.All", "User.Read.All"},
				Secrets: []Secret{
					{Hash: HashSecret(expiredText), Expires: start},
					{Hash: HashSecret(goodSecret)},
					{Hash: HashSecret(otherSecret), Expires: start.Add(time.Hour)},
				},
			},
			brokenApp: {
				ID: brokenApp, AppID: brokenApp, DisplayName: "Off",
				Secrets: []Secret{{Hash: HashSecret(goodSecret)}},
			},
		},
		users: map[uuid.UUID]User{ann: {Enabled: true, Roles: []uuid.UUID{UserAdministrator.ID}}, ben: {}},
	}
}

var _ Directory = (*town)(nil)

func (t *town) Tenant(_ context.Context, name string) (uuid.UUID, error) {
	switch name {
	case contoso.String(), contosoDomain:
		return contoso, nil
	case fabrikam.String():
		return fabrikam, nil
	}
	return uuid.Nil, nil
}

func (t *town) Application(_ context.Context, tenant, appID uuid.UUID) (App, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if tenant != contoso {
		return App{}, nil
	}
	return t.apps[appID], nil
}

var errUnreadable = errors.New("the disk is gone")

func (t *town) User(_ context.Context, tenant, id uuid.UUID) (User, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if id == carol {
		return User{}, errUnreadable
	}
	if tenant != contoso {
		return User{}, nil
	}
	return t.users[id], nil
}

func (t *town) change(apply func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	apply()
}

// safe keeps secrets in memory.
type safe map[string][]byte

func (s safe) Secret(_ context.Context, name string, create func() ([]byte, error)) ([]byte, error) {
	if s[name] == nil {
		made, err := create()
		if err != nil {
			return nil, err
		}
		s[name] = made
	}
	return s[name], nil
}

func (s safe) ReplaceSecret(_ context.Context, name string, change func(old []byte) ([]byte, error)) error {
	value, err := change(s[name])
	if err == nil {
		s[name] = value
	}
	return err
}

// ourKeys and otherKeys are made once, for making a key takes long.
var (
	ourKeys   = sync.OnceValue(mustMakeKeys)
	otherKeys = sync.OnceValue(mustMakeKeys)
)

func mustMakeKeys() []byte {
	keys, err := firstKeys(start)
	if err != nil {
		panic(err)
	}
	return keys
}

// world is an authority with the directory and clock it looks at.
type world struct {
	*Authority
	town  *town
	clock *clock
}

func newWorld(t testing.TB, apply ...func(*Config)) world {
	t.Helper()
	w := world{town: newTown(), clock: newClock()}
	config := Config{Keys: safe{signingKeys: ourKeys()}, Tenants: w.town, Now: w.clock.now, Random: rand.Reader}
	for _, f := range apply {
		f(&config)
	}
	var err error
	if w.Authority, err = New(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	return w
}

// keyID is the kid of the key that signs.
func (w world) keyID() string { return w.PublicKeys().Keys[0].KeyID }

func (w world) issue(t testing.TB, claims Claims) string {
	t.Helper()
	raw, err := w.Issue(claims)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// robot and user are claims of good tokens.
func robot() Claims {
	return Claims{Root: localRoot, Tenant: contoso, ObjectID: principal, AppID: appID, Permissions: []string{"User.Read.All"}}
}

func user(id uuid.UUID) Claims {
	return Claims{
		Root: localRoot, Tenant: contoso, ObjectID: id, AppID: appID,
		Delegated: true, User: User{DisplayName: "Ann", Name: "ann@contoso.example"},
		Permissions: []string{"User.Read", "User.ReadWrite.All"}, Roles: []uuid.UUID{GroupsAdministrator.ID},
	}
}
