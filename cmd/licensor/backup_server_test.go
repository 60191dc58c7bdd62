package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/server"
)

// backedUp is a server over a file with two tenants.
type backedUp struct {
	data   string
	args   []string // to log in as an application of the first tenant
	first  string
	second string
	server *server.Server
	web    *httptest.Server
}

// newBackedUp starts a server whose application is an operator or not.
func newBackedUp(t *testing.T, operator bool) *backedUp {
	t.Helper()
	b := &backedUp{data: newDatabase(t)}
	open := func(o server.Options) *server.Server {
		o.Data = b.data
		s, err := server.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open(server.Options{})
	first, err := s.Pick(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	b.first = first.ID().String()
	id, secret, err := s.AddApplication(t.Context(), first,
		server.Registration{Name: "Backups", Permissions: server.AllPermissions})
	first.Release()
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.Found(t.Context(), server.Founding{Name: "F", Domain: "fabrikam.example", Country: "DE", Admin: "admin"})
	if err := errors.Join(err, s.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	b.second = other.TenantID
	var o server.Options
	if operator {
		o.Operators = []string{b.first + "/" + id}
	}
	b.server = open(o)
	b.web = httptest.NewServer(b.server)
	t.Cleanup(func() { b.stop(t) })
	b.args = []string{"--server", b.web.URL, "--tenant", "contoso.example", "--client-id", id, "--client-secret", secret}
	return b
}

func (b *backedUp) stop(t *testing.T) {
	t.Helper()
	if b.web == nil {
		return
	}
	b.web.Close()
	b.web = nil
	if err := b.server.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

func tenantsOf(f savedFile) (ids []string) {
	for _, tenant := range f.Tenants {
		ids = append(ids, tenant.Tenant.String())
	}
	return ids
}

// TestABackupFromAServer: an operator gets everything, which becomes the same database elsewhere.
func TestABackupFromAServer(t *testing.T) {
	t.Parallel()
	b, folder := newBackedUp(t, true), t.TempDir()
	file := filepath.Join(folder, "x.backup")
	var saved, there, local, restored, again, one savedFile
	callJSON(t, &saved, append([]string{"backup", "--to", file}, b.args...)...)
	if !slices.Equal(tenantsOf(saved), []string{b.first, b.second}) || saved.Secrets == 0 {
		t.Errorf("the backup is %+v", saved)
	}
	callJSON(t, &there, "restore", file, "--check")
	if !reflect.DeepEqual(there, saved) {
		t.Errorf("the file has %+v, want %+v", there, saved)
	}
	callJSON(t, &one, append([]string{"backup", "--to", file + "1", "--only", b.second, "--without-secrets"}, b.args...)...)
	if !slices.Equal(tenantsOf(one), []string{b.second}) || one.Secrets != 0 {
		t.Errorf("the backup of one tenant is %+v", one)
	}
	b.stop(t)
	callJSON(t, &local, "backup", "--to", file+"2", "--data", b.data)
	if !reflect.DeepEqual(local.Tenants, saved.Tenants) || local.Secrets != saved.Secrets {
		t.Errorf("the database has %+v, and the server said %+v", local, saved)
	}
	data := filepath.Join(folder, "restored.db")
	callJSON(t, &restored, "restore", file, "--data", data)
	callJSON(t, &again, "backup", "--to", file+"3", "--data", data)
	if !reflect.DeepEqual(again.Tenants, saved.Tenants) || again.Secrets != saved.Secrets {
		t.Errorf("restored is %+v, want %+v", again, saved)
	}
	if code, _, stderr := call(t, rootCommand(), "verify", "--data", data); code != exitDone {
		t.Errorf("what was restored: %s", stderr)
	}
}

// TestABackupOfOnesOwnTenant: an application that is not an operator gets nothing else.
func TestABackupOfOnesOwnTenant(t *testing.T) {
	t.Parallel()
	b, folder := newBackedUp(t, false), t.TempDir()
	file := filepath.Join(folder, "x.backup")
	var saved savedFile
	callJSON(t, &saved, append([]string{"backup", "--to", file}, b.args...)...)
	if !slices.Equal(tenantsOf(saved), []string{b.first}) || saved.Secrets != 0 {
		t.Errorf("the backup is %+v", saved)
	}
	data, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(data), "fabrikam") {
		t.Errorf("the backup has the other tenant, or %v", err)
	}
	unknown := uuid.NewString()
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"another tenant":      {[]string{"--only", b.second}, exitFailed, "403 Authorization_RequestDenied"},
		"an unknown tenant":   {[]string{"--only", unknown}, exitFailed, "403"},
		"not an id":           {[]string{"--only", "fabrikam.example"}, exitUsage, "--only is"},
		"a file that exists":  {[]string{"--to", file}, exitUsage, "--force"},
		"a wrong secret":      {[]string{"--client-secret", "x"}, exitFailed, "log in at"},
		"a database as well":  {[]string{"--data", b.data}, exitUsage, "data"},
		"a folder not there":  {[]string{"--to", filepath.Join(folder, "none", "x")}, exitFailed, "no such file"},
		"no server any more":  {[]string{"--server", "http://127.0.0.1:1"}, exitFailed, "refused"},
		"only, of a database": {nil, exitUsage, "--only is for a server"},
	} {
		args := slices.Concat([]string{"backup", "--to", filepath.Join(folder, "y")}, b.args, test.args)
		if test.args == nil {
			args = []string{"backup", "--to", filepath.Join(folder, "y"), "--data", b.data, "--only", b.first}
		}
		code, _, stderr := call(t, rootCommand(), args...)
		if code != test.code || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: code %d, want %d with %q: %s", name, code, test.code, test.want, stderr)
		}
	}
	wantOnly(t, folder, "x.backup")
}

func wantOnly(t *testing.T, folder string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	var found []string
	for _, e := range entries {
		found = append(found, e.Name())
	}
	if err != nil || !slices.Equal(found, names) {
		t.Errorf("in the folder are %q, %v; want %q", found, err, names)
	}
}

// TestTheServerIsKilledDuringABackup: nothing is left of what has arrived.
func TestTheServerIsKilledDuringABackup(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts the real program")
	}
	k, folder := newKilled(t), t.TempDir()
	const passed = 16 << 10 // the token is shorter, and the backup longer
	killed := make(chan struct{})
	address := relay(t, strings.TrimPrefix(k.root, "http://"), passed, func() {
		defer close(killed)
		if err := k.process.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = k.process.Wait() // it was killed
	})
	code, _, stderr := call(t, rootCommand(), "backup", "--to", filepath.Join(folder, "x"), "--server", "http://"+address,
		"--tenant", k.login.TenantID, "--client-id", k.login.ClientID, "--client-secret", k.login.ClientSecret)
	if code != exitFailed || !strings.Contains(stderr, "the backup at byte") {
		t.Errorf("code %d: %s", code, stderr)
	}
	wantOnly(t, folder)
	select {
	case <-killed:
	case <-time.After(time.Minute):
		t.Fatal("the server was not killed")
	}
	k.start()
	k.stop()
}

// relay passes connections on to an address, until so many bytes have come back in all. Then it
// calls then, once, and closes them.
func relay(t *testing.T, to string, most int64, then func()) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var left atomic.Int64
	left.Store(most)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", to)
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() { _, _ = io.Copy(upstream, client) }() // ends with the connections
			go func() {
				defer client.Close()
				defer upstream.Close()
				b := make([]byte, 1024)
				for {
					n, err := upstream.Read(b)
					if err != nil {
						return
					}
					before := left.Add(int64(-n)) + int64(n)
					if before <= 0 {
						return
					}
					if _, err := client.Write(b[:n]); err != nil {
						return
					}
					if before <= int64(n) {
						then()
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}
