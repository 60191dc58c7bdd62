package oauth

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"licensor/internal/directory"
	"licensor/internal/identity"
	"licensor/internal/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The people of the tests: Contoso with applications and users, and Fabrikam, another tenant with
// some of the same.
var (
	contoso  = uuid.MustParse("84841066-274d-4ec0-a5c1-276be684bdd3")
	fabrikam = uuid.MustParse("11111111-2222-4333-8444-555555555555")
	nowhere  = uuid.MustParse("99999999-9999-4999-8999-999999999999")

	robot     = uuid.MustParse("aaaaaaaa-0000-4000-8000-000000000001") // has a secret
	brokenApp = uuid.MustParse("aaaaaaaa-0000-4000-8000-000000000002") // disabled
	portal    = uuid.MustParse("aaaaaaaa-0000-4000-8000-000000000003") // a server with a secret
	page      = uuid.MustParse("aaaaaaaa-0000-4000-8000-000000000004") // a page in a browser
	tool      = uuid.MustParse("aaaaaaaa-0000-4000-8000-000000000005") // a program on a device
	service   = uuid.MustParse("aaaaaaaa-0000-4000-8000-000000000006") // a service with an API of its own

	ann  = uuid.MustParse("cccccccc-0000-4000-8000-000000000001")
	ben  = uuid.MustParse("cccccccc-0000-4000-8000-000000000002") // disabled
	dora = uuid.MustParse("cccccccc-0000-4000-8000-000000000004") // must choose a new password
	gil  = uuid.MustParse("cccccccc-0000-4000-8000-000000000005") // Global Administrator
	hugo = uuid.MustParse("cccccccc-0000-4000-8000-000000000006") // has no password

	start = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
)

const (
	goodSecret     = "good-secret"
	otherSecret    = "other-secret"
	expiredText    = "expired-secret"
	goodPassword   = "correct horse battery"
	contosoDomain  = "contoso.example"
	fabrikamDomain = "fabrikam.example"
	annName        = "ann@contoso.example"

	portalRedirect = "https://portal.contoso.example/back"
	pageRedirect   = "https://page.contoso.example/"
	pageOrigin     = "https://page.contoso.example"
	toolRedirect   = "http://localhost"
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

// wait is that of attempts: whoever waits sets the clock.
func (c *clock) wait(ctx context.Context, d time.Duration) error {
	c.advance(d)
	return ctx.Err()
}

// remoteHeader has the address that a request of the tests comes from.
const remoteHeader = "X-Test-Address"

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
			brokenApp: {DisplayName: "Off", Secrets: []identity.Secret{{Hash: identity.HashSecret(goodSecret)}}, Redirects: identity.Redirects{Web: []string{portalRedirect}}},
			portal: {
				DisplayName: "Portal", Enabled: true, Secrets: []identity.Secret{{Hash: identity.HashSecret(goodSecret)}},
				Redirects: identity.Redirects{Web: []string{portalRedirect, portalRedirect + "?x=1"}}, Implicit: idTokens,
			},
			page: {DisplayName: "Page", Enabled: true, Redirects: identity.Redirects{SPA: []string{pageRedirect}}, Implicit: idTokens},
			tool: {DisplayName: "Tool", Enabled: true, Redirects: identity.Redirects{Public: []string{toolRedirect, "http://127.0.0.1/back", "http://[::1]:7000/back", "contoso-tool://back"}}},
			service: {
				DisplayName: "Service", Enabled: true, Secrets: []identity.Secret{{Hash: identity.HashSecret(goodSecret)}},
			},
		},
		users: map[uuid.UUID]identity.User{
			ann:  {Enabled: true, Name: annName, DisplayName: "Ann Example", GivenName: "Ann", Surname: "Example", Mail: "ann.example@contoso.example", Roles: []uuid.UUID{identity.UserAdministrator.ID}},
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

func (t *town) Tenant(name string) (uuid.UUID, bool) {
	switch name {
	case contoso.String(), contosoDomain:
		return contoso, true
	case fabrikam.String(), fabrikamDomain:
		return fabrikam, true
	}
	return uuid.Nil, false
}

func (t *town) Application(tenant, appID uuid.UUID) (identity.App, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	app, ok := t.apps[appID]
	return app, ok && (tenant == contoso || (tenant == fabrikam && appID == portal))
}

func (t *town) Known(appID uuid.UUID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.apps[appID]
	return ok
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

func (t *town) Scopes(tenant, client, user uuid.UUID) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if tenant != contoso {
		return nil
	}
	return slices.Concat(t.grants[[2]uuid.UUID{client, uuid.Nil}], t.grants[[2]uuid.UUID{client, user}])
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

func (t *town) SignIn(uuid.UUID) directory.SignIn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.signIn
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

// safe keeps the signing keys of all tests: making some takes long.
type safe struct {
	mu   sync.Mutex
	kept map[string][]byte
}

var sharedKeys = &safe{kept: map[string][]byte{}}

func (s *safe) Secret(_ context.Context, name string, make func() ([]byte, error)) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept[name] == nil {
		made, err := make()
		if err != nil {
			return nil, err
		}
		s.kept[name] = made
	}
	return s.kept[name], nil
}

func (s *safe) ReplaceSecret(context.Context, string, func([]byte) ([]byte, error)) error {
	return errors.New("the keys of all tests are not replaced")
}

// world is a server over real SQLite, with the directory and clock it looks at.
type world struct {
	*Server
	town  *town
	clock *clock
	https *httptest.Server
	log   *logged
}

// logged is what the server has logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newWorld(t testing.TB, apply ...func(*Config)) world {
	t.Helper()
	tickets, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "tickets.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tickets.Close(); err != nil {
			t.Error(err)
		}
	})
	w := world{town: newTown(), clock: newClock(), log: &logged{}}
	config := Config{
		Tenants: w.town, Tickets: tickets, Now: w.clock.now, Random: rand.Reader, Log: slog.New(slog.NewTextHandler(w.log, nil)),
		Client: http.DefaultClient, Cost: cheap, DeviceKey: make([]byte, 32),
	}
	for _, f := range apply {
		f(&config)
	}
	config.Authority, err = identity.New(t.Context(), identity.Config{Keys: sharedKeys, Tenants: w.town, Now: w.clock.now, Random: config.Random})
	if err != nil {
		t.Fatal(err)
	}
	if w.Server, err = New(config); err != nil {
		t.Fatal(err)
	}
	w.attempts.wait = w.clock.wait
	handler := w.Handler()
	w.https = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = cmp.Or(r.Header.Get(remoteHeader), "192.0.2.7:1000") // everybody is behind the same address, which is not this machine
		handler.ServeHTTP(rw, r)
	}))
	w.https.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelWarn) // of connections that a test has no more use for
	w.https.StartTLS()
	t.Cleanup(w.https.Close)
	return w
}

// answer is what a request was answered with.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	text   string
	url    *url.URL // of the request, after redirects
}

func do(t testing.TB, client *http.Client, r *http.Request) answer {
	t.Helper()
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := answer{status: response.StatusCode, header: response.Header, text: string(text), url: response.Request.URL}
	_ = json.Unmarshal(text, &got.body) // nil when it is no JSON
	return got
}

func (w world) get(t testing.TB, path string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.https.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, w.https.Client(), r)
}

// post sends a form to a path below a tenant; headers are pairs of name and value.
func (w world) post(t testing.TB, path string, form url.Values, headers ...string) answer {
	t.Helper()
	r := w.request(t, path, form.Encode())
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return do(t, w.https.Client(), r)
}

func (w world) request(t testing.TB, path, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.https.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", formType)
	return r
}

const (
	tokenPath     = "/" + contosoDomain + "/oauth2/v2.0/token"
	authorizePath = "/" + contosoDomain + "/oauth2/v2.0/authorize"
)

// with is values, changed by pairs of name and value; an empty value removes.
func with(values url.Values, pairs ...string) url.Values {
	changed := url.Values{}
	for name, list := range values {
		changed[name] = list
	}
	for i := 0; i < len(pairs); i += 2 {
		if changed.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			changed.Del(pairs[i])
		}
	}
	return changed
}
