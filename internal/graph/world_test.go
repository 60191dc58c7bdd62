package graph

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/backup"
	"licensor/internal/catalog"
	"licensor/internal/clock"
	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/export"
	"licensor/internal/graph/devkit"
	"licensor/internal/graph/own"
	"licensor/internal/identity"
	"licensor/internal/licensing"
	"licensor/internal/people"
	"licensor/internal/signins"
	"licensor/internal/store"
	"licensor/internal/store/sqlite"
	"licensor/internal/tenant"
)

// world is a server with everything real in it but the clock, and one tenant: Contoso, in Germany,
// with the built-in catalog.
type world struct {
	t         testing.TB
	server    *httptest.Server
	authority *identity.Authority
	store     store.Store
	tenants   *engine.Tenants
	tenant    *engine.Tenant
	app       directory.Client
	clock     atomic.Int64 // seconds since 1970
	moved     *clock.Clock // shows the same until a request sets it
	log       bytes.Buffer
	logMutex  sync.Mutex
	backups   *own.Backups
	exports   *own.Exports
	signIns   *signins.Recorder
	once      bool // what is read is not asked again in other letters
}

// allPermissions are those of an application that may do everything.
var allPermissions = []string{
	"User.Read.All", "User.ReadWrite.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All", "Organization.ReadWrite.All", "LicenseAssignment.ReadWrite.All",
	"Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All", "RoleManagement.ReadWrite.Directory",
	"AdministrativeUnit.ReadWrite.All", "AuditLog.Read.All",
}

// cheapPasswords are checked in no time.
var cheapPasswords = identity.PasswordCost{Memory: 8, Passes: 1, Threads: 1}

func newWorld(t testing.TB) *world {
	w := &world{t: t}
	_, w.once = t.(*testing.B)
	w.clock.Store(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC).Unix())
	w.moved = clock.New(func() time.Time { return time.Unix(w.clock.Load(), 0).UTC() })
	ctx := context.Background()
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "licensor.db"))
	w.must(err)
	w.store = db
	log := newLog(w)
	w.tenants, err = engine.Open(ctx, db, engine.Options{Now: w.now, NewID: numbered(), Log: log})
	w.must(err)
	t.Cleanup(func() {
		w.must(w.tenants.Close(ctx))
		w.must(db.Close())
	})
	w.tenant, err = w.tenants.Create(ctx, uuid.MustParse("c0000000-0000-4000-8000-000000000001"), contoso(), catalog.BuiltIn())
	w.must(err)
	w.app = newClient("Test")
	w.app.ID, w.app.AppID, w.app.Principal.ID = appID(1), appID(2), appID(3)
	_, err = w.tenant.Do(ctx, "system", tenant.SetClient{Client: w.app})
	w.must(err)
	w.authority, err = identity.New(ctx, identity.Config{
		Keys: sharedKeys{}, Now: w.now, Random: counting{}, Client: new(http.Client), Log: log,
		Tenants: people.Directory{Tenants: w.tenants}, Issuers: people.Directory{Tenants: w.tenants},
	})
	w.must(err)
	w.backups = &own.Backups{Write: w.backUp}
	w.exports = &own.Exports{Write: w.export}
	w.signIns = signins.NewRecorder(db, log)
	kit := devkit.New(w.moved, w.tenants.Loaded)
	w.must(kit.Keep(ctx))
	w.server = newServer(t, kit.Around(New(Config{
		Authority: w.authority, Tenant: w.tenants.Tenant, Now: w.now, NewID: numbered(), Log: log,
		Development: kit, Random: counting{}, PasswordCost: cheapPasswords,
		Backups: w.backups, Exports: w.exports, SignIns: w.signIns,
	})))
	return w
}

func (w *world) backUp(ctx context.Context, to io.Writer, tenants []uuid.UUID, withoutSecrets bool) error {
	o := backup.Options{Tenants: tenants, WithoutSecrets: withoutSecrets, Now: w.now}
	_, err := backup.Write(ctx, to, w.store, o)
	return err
}

func (w *world) export(
	ctx context.Context, to io.Writer, id uuid.UUID, img *tenant.Image, o own.ExportOptions,
) error {
	options := export.Options{Image: img, WithoutActivity: o.WithoutActivity}
	return export.View(ctx, w.store, id, options, func(t *export.Tenant) error {
		return t.Write(to, o.Format, o.Tables...)
	})
}

// config is that of a server of the world, with nothing that tests switch on.
func (w *world) config() Config {
	return Config{
		Authority: w.authority, Tenant: w.tenants.Tenant, Now: w.now, NewID: numbered(), Log: newLog(w),
		SignIns: w.signIns,
	}
}

func newServer(t testing.TB, handler http.Handler) *httptest.Server {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// newLog takes what should not happen. That a caller is refused should.
func newLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func contoso() directory.Organization {
	return directory.Organization{
		DisplayName: "Contoso", CountryLetterCode: "DE",
		VerifiedDomains: []directory.VerifiedDomain{{Name: "contoso.example", IsDefault: true, IsInitial: true, Type: "Managed"}},
	}
}

// Write takes the log.
func (w *world) Write(line []byte) (int, error) {
	w.logMutex.Lock()
	defer w.logMutex.Unlock()
	return w.log.Write(line)
}

func (w *world) logged() string {
	w.logMutex.Lock()
	defer w.logMutex.Unlock()
	return w.log.String()
}

func (w *world) now() time.Time { return w.moved.Now() }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// appToken is a token of the application, with permissions.
func (w *world) appToken(permissions ...string) string { return w.appTokenWith(permissions, nil) }

// appTokenWith is a token of the application, with permissions and roles.
func (w *world) appTokenWith(permissions []string, roles []uuid.UUID) string {
	token, err := w.authority.Issue(identity.Claims{
		Tenant: w.tenant.ID(), ObjectID: w.app.Principal.ID, AppID: w.app.AppID, Permissions: permissions, Roles: roles,
	})
	w.must(err)
	return token
}

// userToken is a token of a user, with permissions and roles.
func (w *world) userToken(user uuid.UUID, permissions []string, roles []uuid.UUID, personal bool) string {
	claims := identity.Claims{
		Tenant: w.tenant.ID(), ObjectID: user, AppID: w.app.AppID,
		Permissions: permissions, Delegated: true, Roles: roles, Personal: personal,
	}
	token, err := w.authority.Issue(claims)
	w.must(err)
	return token
}

// answer is what the server said.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request. Headers are lines "Name: value"; a body of JSON gets its type.
func (w *world) do(method, path, token, body string, headers ...string) answer {
	w.t.Helper()
	seq := w.commits()
	got := w.send(method, path, token, body, headers...)
	accept := strings.ToLower(strings.Join(headers, "\n"))
	w.checkContract(question{
		method: method, host: w.server.URL, path: path,
		full: strings.Contains(accept, "odata.metadata=full"), none: strings.Contains(accept, "odata.metadata=none"),
		restricted: !mayAll(token),
	}, got, body)
	if method == http.MethodGet && got.status == http.StatusOK && !w.once {
		w.askAgain(path, token, got, seq, headers)
	}
	return got
}

// send sends a request.
func (w *world) send(method, path, token, body string, headers ...string) answer {
	w.t.Helper()
	request, err := http.NewRequest(method, w.server.URL+path, strings.NewReader(body))
	w.must(err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ":")
		request.Header.Set(name, strings.TrimSpace(value))
	}
	response, err := w.server.Client().Do(request)
	w.must(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	w.must(err)
	return answer{response.StatusCode, response.Header, string(text)}
}

// commits is how many there were in all tenants.
func (w *world) commits() (n uint64) {
	for _, t := range w.tenants.Loaded() {
		n += t.Image().Seq
	}
	return n
}

// imports makes what lines of an import say.
func (w *world) imports(lines ...string) {
	w.t.Helper()
	got := w.do("POST", "/licensor/v1/import", w.appToken(allPermissions...), strings.Join(lines, "\n"), "Content-Type: "+own.LinesType)
	if got.status != http.StatusOK || !strings.Contains(got.body, `"refused":0`) {
		w.t.Fatalf("import: %d %s", got.status, got.body)
	}
}

// mayAll reports whether a token lets its bearer see everything.
func mayAll(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	claims, _ := base64.RawURLEncoding.DecodeString(parts[1])
	return strings.Contains(string(claims), "Directory.ReadWrite.All")
}

// numbered makes ids one after another, so that failures can be read.
func numbered() func() uuid.UUID {
	var n atomic.Uint64
	return func() uuid.UUID {
		id := uuid.UUID{6: 0x40, 8: 0x80}
		binary.BigEndian.PutUint32(id[12:], uint32(n.Add(1)))
		return id
	}
}

// sharedKeys makes the keys once for all tests: that takes longer than all the rest of a test.
type sharedKeys struct{}

var madeKeys struct {
	sync.Mutex
	value []byte
}

func (sharedKeys) Secret(_ context.Context, _ string, create func() ([]byte, error)) (value []byte, err error) {
	madeKeys.Lock()
	defer madeKeys.Unlock()
	if madeKeys.value == nil {
		madeKeys.value, err = create()
	}
	return madeKeys.value, err
}

func (sharedKeys) ReplaceSecret(_ context.Context, _ string, change func(old []byte) ([]byte, error)) (err error) {
	madeKeys.Lock()
	defer madeKeys.Unlock()
	madeKeys.value, err = change(madeKeys.value)
	return err
}

// counting is not a good source of randomness, which is good in a test.
type counting struct{}

func (counting) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(i)
	}
	return len(b), nil
}

// appID makes the ids of a world's application, which are the same in every world.
func appID(n byte) uuid.UUID { return uuid.UUID{0: 0xab, 6: 0x40, 8: 0x80, 15: n} }

// emptyImage is that of a tenant with nothing in it.
func emptyImage() *tenant.Image {
	return &tenant.Image{
		Licensing: licensing.New(catalog.BuiltIn()), Directory: directory.NewIndex(),
		Applications: directory.NewApplications(), Principals: directory.NewPrincipals(),
	}
}

// newClient is an application with a service principal.
func newClient(name string) directory.Client {
	return directory.Client{
		Application: directory.Application{ID: uuid.New(), AppID: uuid.New(), DisplayName: name},
		Principal:   directory.ServicePrincipal{ID: uuid.New()},
	}
}
