package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"licensor/internal/database"
	"licensor/internal/server"
)

// founded is a database as `licensor init` makes it, once: its keys take longer than most tests.
var founded = sync.OnceValues(func() (data []byte, err error) {
	dir, err := os.MkdirTemp("", "licensor-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "licensor.db")
	f := server.Founding{Name: "Contoso", Domain: "contoso.example", Country: "DE", Admin: "admin", Application: "First application"}
	at := place{name: database.File(path)}
	if _, err := initialize(context.Background(), at, secretsKey{}, f, false); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// newDatabase returns the path of a database of the test's own.
func newDatabase(t *testing.T) string {
	t.Helper()
	data, err := founded()
	if err != nil {
		t.Fatal(err)
	}
	return newFile(t, "licensor.db", string(data))
}

func newFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// newServer serves a database, after what before does with a request. The arguments are those to
// log in.
func newServer(
	t *testing.T, before func(http.ResponseWriter, *http.Request) (answered bool),
) (login server.Login, args []string) {
	t.Helper()
	return newServerWith(t, server.Options{}, before)
}

func newServerWith(
	t *testing.T, options server.Options, before func(http.ResponseWriter, *http.Request) (answered bool),
) (login server.Login, args []string) {
	t.Helper()
	return newServerFor(t, options, server.AllPermissions, before)
}

// newServerFor serves a database to an application with some permissions.
func newServerFor(
	t *testing.T, options server.Options, permissions []string,
	before func(http.ResponseWriter, *http.Request) (answered bool),
) (login server.Login, args []string) {
	t.Helper()
	if options.Data == "" {
		options.Data = newDatabase(t)
	}
	s, err := server.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	first, err := s.Pick(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	login.TenantID = first.ID().String()
	login.ClientID, login.ClientSecret, err = s.AddApplication(t.Context(),
		first, server.Registration{Name: "Test", Permissions: permissions})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before == nil || !before(w, r) {
			s.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(web.Close)
	login.Graph, login.Authority = web.URL, web.URL
	return login, []string{"--server", web.URL, "--tenant", "contoso.example", "--client-id", login.ClientID, "--client-secret", login.ClientSecret}
}

// with opens a database to look into it, or to prepare it.
func with(t *testing.T, data string, do func(c *connection)) {
	t.Helper()
	c, err := openLocal(t.Context(), place{name: database.File(data)}, "", secretsKey{})
	if err != nil {
		t.Fatal(err)
	}
	do(c)
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
}

// count returns how many objects are at a path.
func count(t *testing.T, c *connection, path string) int {
	t.Helper()
	var answer struct{ Value []json.RawMessage }
	if err := c.get(t.Context(), path, &answer); err != nil {
		t.Fatal(err)
	}
	return len(answer.Value)
}

func TestWhereTheTenantIs(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	login, args := newServer(t, nil)
	info, err := json.Marshal(login)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		args   []string
		code   int
		stderr string
	}{
		{"in a database", []string{"--data", data}, exitDone, ""},
		{"in a database, by domain", []string{"--data", data, "--tenant", "contoso.example"}, exitDone, ""},
		{"in a database that does not have it", []string{"--data", data, "--tenant", "fabrikam.example"}, exitFailed, `no tenant "fabrikam.example"`},
		{"in a database that is not there", []string{"--data", data + "x"}, exitFailed, "name it with --data"},
		{"on a server", args, exitDone, ""},
		{"on a server, by a file", []string{"--info", newFile(t, "info.json", string(info))}, exitDone, ""},
		{"by a file that is something else", []string{"--info", newFile(t, "info.json", "{}")}, exitFailed, `it has no "graph"`},
		{"on a server, with a wrong secret", append(args[:len(args)-1:len(args)-1], "wrong"), exitFailed, "AADSTS7000215"},
		{"on a server, without a secret", args[:len(args)-2], exitUsage, "--client-secret or LICENSOR_CLIENT_SECRET must be given"},
		{"on a server that is not an address", []string{"--server", "localhost:8080", "--tenant", "x", "--client-id", "x", "--client-secret", "x"}, exitUsage, "give scheme and host only"},
		{"in two places", []string{"--data", data, "--server", login.Graph}, exitUsage, "none of the others can be"},
		{"credentials without a server", []string{"--data", data, "--client-id", "x"}, exitUsage, "--client-id and --client-secret are for a server: add --server"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { // one after the other: they share a database
			code, stdout, stderr := call(t, rootCommand(), append([]string{"catalog", "list"}, test.args...)...)
			if code != test.code || !strings.Contains(stderr, test.stderr) {
				t.Fatalf("exit code %d, stderr %q; want %d, %q", code, stderr, test.code, test.stderr)
			}
			if code == exitDone && !strings.Contains(stdout, "ENTERPRISEPACK") {
				t.Errorf("no products: %s", stdout)
			}
		})
	}
}

func TestTheEnvironmentSaysWhereTheServerIs(t *testing.T) {
	login, _ := newServer(t, nil)
	t.Setenv("LICENSOR_SERVER", login.Graph)
	t.Setenv("LICENSOR_TENANT", login.TenantID)
	t.Setenv("LICENSOR_CLIENT_ID", login.ClientID)
	t.Setenv("LICENSOR_CLIENT_SECRET", login.ClientSecret)
	if code, _, stderr := call(t, rootCommand(), "catalog", "list"); code != exitDone {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	t.Setenv("LICENSOR_SERVER", "http://127.0.0.1:1")
	if code, _, stderr := call(t, rootCommand(), "catalog", "list", "--data", newDatabase(t)); code != exitDone {
		t.Errorf("--data does not go before the environment: exit code %d, %s", code, stderr)
	}
}

func TestADatabaseThatAServerRunsOnIsLeftAlone(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	with(t, data, func(*connection) {
		code, _, stderr := call(t, rootCommand(), "catalog", "list", "--data", data)
		if code != exitFailed || !strings.Contains(stderr, "in use") || !strings.Contains(stderr, "use --server") {
			t.Errorf("exit code %d, %s", code, stderr)
		}
	})
}

func TestABusyServerIsAskedAgain(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	_, args := newServer(t, func(w http.ResponseWriter, _ *http.Request) bool {
		n := asked.Add(1)
		if n%3 == 0 { // the token, and then the catalog, come at the third try
			return false
		}
		w.Header().Set("Retry-After", "0")
		w.WriteHeader([]int{http.StatusTooManyRequests, http.StatusServiceUnavailable}[n%2])
		return true
	})
	code, _, stderr := call(t, rootCommand(), append([]string{"catalog", "list"}, args...)...)
	if code != exitDone || asked.Load() != 6 {
		t.Errorf("exit code %d after %d requests, %s", code, asked.Load(), stderr)
	}
}

func TestAServerThatStaysBusyIsGivenUp(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	_, args := newServer(t, func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/token") {
			return false
		}
		asked.Add(1)
		w.Header().Set("Retry-After", "0")
		http.Error(w, `{"error":{"code":"TooManyRequests","message":"Later."}}`, http.StatusTooManyRequests)
		return true
	})
	code, _, stderr := call(t, rootCommand(), append([]string{"catalog", "list"}, args...)...)
	if code != exitFailed || asked.Load() != maxTries || !strings.Contains(stderr, "429 TooManyRequests: Later.") {
		t.Errorf("exit code %d after %d requests, %s", code, asked.Load(), stderr)
	}
}
