package server

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"licensor/internal/store/sqlite"
)

// What is damaged in the file while the server runs is 503 by every door, not 500 or 404, and shows
// at /readyz and in the log, once.
func TestDamageIsTold(t *testing.T) {
	t.Parallel()
	// Other documents have the letters "old" by chance, such as in the hash of a secret.
	const ofTheGroup = ` WHERE document LIKE '%"displayName":"Old"%'`
	for name, harm := range map[string]string{
		"a row that has changed": "UPDATE object SET document = replace(document, 'Old', 'Odd')" + ofTheGroup,
		"a row that is missing":  "DELETE FROM object" + ofTheGroup,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newHarmed(t)
			group := w.group
			w.harm(harm)
			for _, asked := range [][3]string{
				{http.MethodGet, "/beta/groups", ""},
				{http.MethodGet, "/beta/groups/" + group, ""},
				{http.MethodGet, "/v1.0/groups/delta", ""},
				{http.MethodPatch, "/v1.0/groups/" + group, `{"description":"x"}`},
				{http.MethodDelete, "/v1.0/groups/" + group, ""},
			} {
				status, text := w.ask(asked[0], asked[1], asked[2])
				if status != http.StatusServiceUnavailable || !strings.Contains(text, "damaged") {
					t.Errorf("%s %s: answered %d %s", asked[0], asked[1], status, text)
				}
			}
			w.told()
		})
	}
}

// The end of a tenant's log that is missing, or is not what it was, shows when it is met: by the
// next change, by a delta, or when the tenant is loaded. Closing the server then leaves SQLite's
// log as it is.
func TestDamageToALogIsTold(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]struct {
		sql     string
		byDelta bool // it is met there, and otherwise by a change
	}{
		"the tenant's place is before it": {"UPDATE tenant SET seq = seq - 1", false},
		"the tenant's place is behind it": {"UPDATE tenant SET seq = seq + 1", false},
		"the tenant's chain has changed":  {"UPDATE tenant SET chain = zeroblob(length(chain))", false},
		"the tenant is missing":           {"DELETE FROM tenant", false},
		"the last commit is missing":      {"DELETE FROM commits WHERE seq = (SELECT max(seq) FROM commits)", true},
	} {
		t.Run(name+", while it runs", func(t *testing.T) {
			t.Parallel()
			w := newHarmed(t)
			latest := w.latest()
			rename := [3]string{http.MethodPatch, "/v1.0/groups/" + w.group, `{"displayName":"New"}`}
			if harm.byDelta {
				if status, text := w.ask(rename[0], rename[1], rename[2]); status != http.StatusNoContent {
					t.Fatalf("a change answers %d %s", status, text)
				}
				rename = [3]string{http.MethodGet, latest, ""}
			}
			w.harm(harm.sql)
			if status, text := w.ask(rename[0], rename[1], rename[2]); status != http.StatusServiceUnavailable {
				t.Errorf("%s answers %d %s", rename[0], status, text)
			}
			w.told()
			w.close()
			if info, err := os.Stat(w.data + "-wal"); err != nil || info.Size() == 0 {
				t.Errorf("closing it has not kept the log: %v", err)
			}
		})
		if name == "the tenant is missing" {
			continue // then there is none
		}
		t.Run(name+", when it is loaded", func(t *testing.T) {
			t.Parallel()
			w := newHarmed(t)
			w.harm(harm.sql)
			w.close()
			w.open(false)
			if status, text := w.ask(http.MethodGet, "/v1.0/groups/"+w.group, ""); status != http.StatusServiceUnavailable {
				t.Errorf("a read answers %d %s", status, text)
			}
			w.told()
		})
	}
}

// harmed is a server whose database is damaged by another program.
type harmed struct {
	t            *testing.T
	log          lockedBuffer
	data         string
	group, token string
	server       *Server
	http         *httptest.Server
}

// newHarmed returns one with a group whose name is Old.
func newHarmed(t *testing.T) *harmed {
	t.Helper()
	w := &harmed{t: t, data: filepath.Join(t.TempDir(), "licensor.db")}
	t.Cleanup(w.close)
	w.open(true)
	first := found(t, w.server)
	w.token = tokenOf(t, w.server, first)
	w.group = addGroup(t, first).String()
	return w
}

func (w *harmed) open(development bool) {
	w.t.Helper()
	s, err := Open(w.t.Context(), Options{
		Data: w.data, Development: development, Quick: development, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.server, w.http = s, httptest.NewServer(s)
}

func (w *harmed) close() {
	w.t.Helper()
	if w.server == nil {
		return
	}
	w.http.Close()
	if err := w.server.Close(context.Background()); err != nil {
		w.t.Error(err)
	}
	w.server = nil
}

// harm changes exactly one row.
func (w *harmed) harm(how string) {
	w.t.Helper()
	db, err := sql.Open("sqlite", w.data)
	if err != nil {
		w.t.Fatal(err)
	}
	result, err := db.Exec(how)
	if err == nil {
		var rows int64
		if rows, err = result.RowsAffected(); rows != 1 {
			w.t.Errorf("%d rows were harmed", rows)
		}
	}
	if err := errors.Join(err, db.Close()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *harmed) ask(method, path, body string) (int, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.http.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.token)
	r.Header.Set("Content-Type", "application/json")
	response, err := w.http.Client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// latest returns the path by which to ask what has changed since now.
func (w *harmed) latest() string {
	w.t.Helper()
	status, text := w.ask(http.MethodGet, "/v1.0/groups/delta?$deltatoken=latest", "")
	_, link, ok := strings.Cut(text, `"@odata.deltaLink":"`)
	link, _, _ = strings.Cut(link, `"`)
	u, err := url.Parse(link)
	if status != http.StatusOK || !ok || err != nil {
		w.t.Fatalf("a delta answers %d %s", status, text)
	}
	return u.RequestURI()
}

// told checks that /readyz and the log say that the database is damaged.
func (w *harmed) told() {
	w.t.Helper()
	status, text := w.ask(http.MethodGet, "/readyz", "")
	if status != http.StatusServiceUnavailable || !strings.Contains(text, "the database is damaged") {
		w.t.Errorf("/readyz answers %d %s", status, text)
	}
	if lines := strings.Count(w.log.String(), `msg="the database is damaged"`); lines != 1 {
		w.t.Errorf("the log has %d lines about damage:\n%s", lines, w.log.String())
	}
}

// An administrator who accepts the loss of data is told how much it is.
func TestWhatIsLostIsLogged(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	options := Options{
		Data:        filepath.Join(t.TempDir(), "licensor.db"),
		Development: true, Quick: true, Log: slog.New(slog.NewTextHandler(&log, nil)),
	}
	change := func(do func(*Server)) {
		s, err := Open(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		do(s)
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	change(func(s *Server) { found(t, s) })
	older, err := os.ReadFile(options.Data)
	if err != nil {
		t.Fatal(err)
	}
	change(func(s *Server) { addGroup(t, firstTenant(t, s)) })
	if err := os.WriteFile(options.Data, older, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), options); !errors.Is(err, sqlite.ErrLost) {
		t.Fatalf("it answers %v, want ErrLost", err)
	}
	options.AllowDataLoss = true
	change(func(*Server) {})
	text := log.String()
	if !strings.Contains(text, "acknowledged changes are missing") || !strings.Contains(text, " acknowledged=") || !strings.Contains(text, " present=") {
		t.Errorf("the log has %q", text)
	}
}
