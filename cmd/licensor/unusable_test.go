package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store/postgres/postgrestest"
)

// saying executes statements in a database.
func saying(t *testing.T, database string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(context.WithoutCancel(t.Context()), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for _, text := range statements {
		if _, err := conn.Exec(context.WithoutCancel(t.Context()), text, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// unusable are databases that no command uses, and what each must say: what was found, and the
// statement that helps.
var unusable = map[string]struct {
	prepare func(t *testing.T) (database string)
	say     []string
}{
	"with tables of another program": {func(t *testing.T) string {
		database := postgrestest.Empty(t)
		saying(t, database, "CREATE SCHEMA licensor", "CREATE TABLE licensor.things (name text)")
		return database
	}, []string{"another program", "left as it is"}},
	"of a role without rights": {func(t *testing.T) string {
		database := postgrestest.Empty(t)
		role := "role_" + uuid.NewString()
		saying(t, database, fmt.Sprintf("CREATE ROLE %q LOGIN PASSWORD 'secret'", role))
		t.Cleanup(func() { saying(t, database, fmt.Sprintf("DROP OWNED BY %[1]q; DROP ROLE %[1]q", role)) })
		return edited(t, database, func(u *url.URL) { u.User = url.UserPassword(role, "secret") })
	}, []string{"may not make tables", "GRANT CREATE ON DATABASE"}},
	"in another encoding": {func(t *testing.T) string {
		of := postgrestest.Empty(t)
		name := "ascii_" + uuid.NewString()
		saying(t, of, fmt.Sprintf("CREATE DATABASE %q ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0", name))
		t.Cleanup(func() { saying(t, of, fmt.Sprintf("DROP DATABASE %q", name)) })
		return edited(t, of, func(u *url.URL) { u.Path = name })
	}, []string{"its encoding is SQL_ASCII", "CREATE DATABASE licensor ENCODING 'UTF8'"}},
	"on a server without fsync": {func(t *testing.T) string {
		return postgrestest.Start(t, "fsync=off").URL("postgres")
	}, []string{"ALTER SYSTEM SET fsync = on"}},
	"on several hosts without a standby that is waited for": {func(t *testing.T) string {
		server := postgrestest.Start(t)
		return edited(t, server.URL("postgres"), func(u *url.URL) { u.Host += ",localhost:" + u.Port() })
	}, []string{"synchronous_standby_names is empty", "ALTER SYSTEM SET synchronous_standby_names", "--allow-data-loss"}},
}

func edited(t *testing.T, database string, edit func(u *url.URL)) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	edit(u)
	return u.String()
}

// TestDatabasesThatCannotBeUsed: `init` leaves them as they are, and says what helps.
func TestDatabasesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	for name, test := range unusable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := call(t, rootCommand(), "init", "--domain", "contoso.example", "--database", test.prepare(t))
			if code != exitFailed || strings.Contains(stderr, "secret") {
				t.Errorf("code %d: %s", code, stderr)
			}
			for _, text := range test.say {
				if !strings.Contains(stderr, text) {
					t.Errorf("%q is not in: %s", text, stderr)
				}
			}
		})
	}
}
