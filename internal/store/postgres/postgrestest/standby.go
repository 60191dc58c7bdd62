package postgrestest

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Standby starts a standby of the server, which streams from it. Its application_name is standby.
func (s *Server) Standby(tb testing.TB) *Server {
	tb.Helper()
	folder, err := os.MkdirTemp("", "licensor-postgres-")
	if err != nil {
		tb.Fatal(err)
	}
	other := &Server{folder: folder, settings: []string{"hot_standby=on", "primary_conninfo=" + s.conninfo()}}
	tb.Cleanup(other.Stop)
	copied, err := other.command("pg_basebackup", "-D", other.data(), "-d", s.conninfo(), "-R", "-X", "stream", "-c", "fast")
	if err != nil {
		tb.Fatal(err)
	}
	if out, err := copied.CombinedOutput(); err != nil {
		tb.Fatalf("pg_basebackup: %v: %s", err, out)
	}
	if other.port, err = freePort(); err == nil {
		err = other.Run()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return other
}

func (s *Server) conninfo() string {
	return fmt.Sprintf("host=127.0.0.1 port=%d user=postgres application_name=standby", s.port)
}

// Count returns the number that a statement returns in the server's database postgres.
func (s *Server) Count(tb testing.TB, text string, args ...any) (n int) {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), s.URL("postgres"))
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(tb.Context(), text, args...).Scan(&n); err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	return n
}
