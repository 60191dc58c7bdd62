package postgrestest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// poolerSettings make each statement go to any of two connections to a database.
const poolerSettings = `[databases]
* = host=%s port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = transaction
default_pool_size = 2
max_client_conn = 1000
logfile = %s
`

// Pooler starts PgBouncer in transaction mode in front of the server of a URL. It returns a
// function that converts URLs to go through it.
func Pooler(tb testing.TB, of string) func(of string) string {
	tb.Helper()
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/pgbouncer"); err != nil {
			tb.Fatalf("%v: install it (make postgres)", err)
		}
	}
	folder, err := os.MkdirTemp("", "licensor-pgbouncer-")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(folder) })
	port, err := freePort()
	if err != nil {
		tb.Fatal(err)
	}
	server := host(tb, of)
	users := filepath.Join(folder, "users")
	settings := fmt.Sprintf(poolerSettings, server.Hostname(), server.Port(), port, users, filepath.Join(folder, "log"))
	password, _ := server.User.Password()
	for name, text := range map[string]string{
		"ini": settings, "users": fmt.Sprintf("%q %q\n", server.User.Username(), password),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	command := exec.Command(path, "-q", filepath.Join(folder, "ini"))
	if err := lower(command, folder); err != nil {
		tb.Fatal(err)
	}
	p, err := run(command)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { p.end(syscall.SIGTERM) })
	through := func(of string) string {
		u := host(tb, of)
		u.Host = net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
		return u.String()
	}
	awaitPooler(tb, p, through(of))
	return through
}

func host(tb testing.TB, of string) *url.URL {
	tb.Helper()
	u, err := url.Parse(of)
	if err != nil {
		tb.Fatal(err)
	}
	return u
}

func awaitPooler(tb testing.TB, p *process, of string) {
	tb.Helper()
	for begin := time.Now(); ; {
		conn, err := pgx.Connect(tb.Context(), of)
		if err == nil {
			_ = conn.Close(context.Background())
			return
		} else if time.Since(begin) > 20*time.Second {
			tb.Fatal(err)
		}
		select {
		case <-p.ended:
			tb.Fatal("PgBouncer has ended by itself")
		case <-time.After(10 * time.Millisecond):
		}
	}
}
