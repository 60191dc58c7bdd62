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
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

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

// wait is that of attempts: anyone who waits sets the clock.
func (c *clock) wait(ctx context.Context, d time.Duration) error {
	c.advance(d)
	return ctx.Err()
}

// remoteHeader has the address that a request of the tests comes from.
const remoteHeader = "X-Test-Address"

// safe keeps the signing keys of all tests: making some takes long.
type safe struct {
	mu   sync.Mutex
	kept map[string][]byte
}

var sharedKeys = &safe{kept: map[string][]byte{}}

func (s *safe) Secret(_ context.Context, name string, create func() ([]byte, error)) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept[name] == nil {
		made, err := create()
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
		Tenants: w.town, Tickets: tickets, Now: w.clock.now,
		Random: rand.Reader, Log: slog.New(slog.NewTextHandler(w.log, nil)),
		Client: http.DefaultClient, Cost: cheap, DeviceKey: make([]byte, 32),
	}
	for _, f := range apply {
		f(&config)
	}
	config.Authority, err = identity.New(t.Context(), identity.Config{
		Keys: sharedKeys, Tenants: w.town, Now: w.clock.now, Random: config.Random,
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.Server, err = New(config); err != nil {
		t.Fatal(err)
	}
	w.attempts.wait = w.clock.wait
	handler := w.Handler()
	w.https = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		// Everyone is behind the same address, which is not this machine.
		r.RemoteAddr = cmp.Or(r.Header.Get(remoteHeader), "192.0.2.7:1000")
		handler.ServeHTTP(rw, r)
	}))
	// Of connections that a test has no more use for.
	w.https.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelWarn)
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
	_ = json.Unmarshal(text, &got.body) // nil when it is not a JSON
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
