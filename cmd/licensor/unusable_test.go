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

// unusable are databases that commands do not use, and what each must say: what was found, and the
// statement that helps.
var unusable = map[string]struct {
	commands string
	prepare  func(t *testing.T) (database string)
	say      []string
}{
	"with tables of another program": {"init serve", func(t *testing.T) string {
		database := postgrestest.Empty(t)
		saying(t, database, "CREATE SCHEMA licensor", "CREATE TABLE licensor.things (name text)")
		return database
	}, []string{"another program", "left as it is"}},
	"of a role that may not make tables": {"init", func(t *testing.T) string {
		return asNewRole(t, postgrestest.Empty(t))
	}, []string{"may not make tables", "GRANT CREATE ON DATABASE"}},
	"of a role that may not use the schema": {"init serve", func(t *testing.T) string {
		return asNewRole(t, postgrestest.Database(t))
	}, []string{"may not use the schema licensor", "GRANT USAGE ON SCHEMA licensor TO "}},
	"of a role that may not write": {"init serve", func(t *testing.T) string {
		database := postgrestest.Database(t)
		saying(t, database, "GRANT USAGE ON SCHEMA licensor TO PUBLIC", "GRANT SELECT ON ALL TABLES IN SCHEMA licensor TO PUBLIC")
		return asNewRole(t, database)
	}, []string{"may not read and write activity, claim, commits, ", "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA licensor TO "}},
	"in another encoding": {"init serve", func(t *testing.T) string {
		of := postgrestest.Empty(t)
		name := "ascii_" + uuid.NewString()
		saying(t, of, fmt.Sprintf("CREATE DATABASE %q ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0", name))
		t.Cleanup(func() { saying(t, of, fmt.Sprintf("DROP DATABASE %q", name)) })
		return edited(t, of, func(u *url.URL) { u.Path = name })
	}, []string{"its encoding is SQL_ASCII", "CREATE DATABASE licensor ENCODING 'UTF8'"}},
	"of an old version": {"init serve", func(t *testing.T) string {
		return olderThan13(t)
	}, []string{"it is PostgreSQL 12, and Licensor needs 13 or newer", "upgrade the server"}},
	"on a server without fsync": {"init serve", func(t *testing.T) string {
		return postgrestest.Start(t, "fsync=off").URL("postgres")
	}, []string{"fsync is off", "ALTER SYSTEM SET fsync = on"}},
	"on a server without full pages": {"init serve", func(t *testing.T) string {
		return postgrestest.Start(t, "full_page_writes=off").URL("postgres")
	}, []string{"full_page_writes is off", "ALTER SYSTEM SET full_page_writes = on"}},
	"on several hosts without a standby that is waited for": {"init serve", func(t *testing.T) string {
		database := postgrestest.Start(t).URL("postgres")
		if code, _, stderr := call(t, rootCommand(), "init", "--database", database); code != exitDone {
			t.Fatal(stderr)
		}
		return edited(t, database, func(u *url.URL) { u.Host += ",localhost:" + u.Port() })
	}, []string{"synchronous_standby_names is empty", "ALTER SYSTEM SET synchronous_standby_names", "--allow-data-loss"}},
}

// olderThan13 returns a database that says that its server is older than 13: its search path has
// another current_setting before that of PostgreSQL.
func olderThan13(t *testing.T) string {
	t.Helper()
	database := postgrestest.Empty(t)
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	saying(t, database, `CREATE FUNCTION public.current_setting(name text) RETURNS text LANGUAGE sql AS
		$$ SELECT CASE name WHEN 'server_version_num' THEN '120022' ELSE pg_catalog.current_setting(name) END $$`,
		fmt.Sprintf("ALTER DATABASE %q SET search_path = public, pg_catalog", strings.TrimPrefix(u.Path, "/")))
	return database
}

// asNewRole returns the URL of a database for a role without rights.
func asNewRole(t *testing.T, database string) string {
	t.Helper()
	role := "role_" + uuid.NewString()
	saying(t, database, fmt.Sprintf("CREATE ROLE %q LOGIN PASSWORD 'hunter2'", role))
	t.Cleanup(func() { saying(t, database, fmt.Sprintf("DROP OWNED BY %[1]q; DROP ROLE %[1]q", role)) })
	return edited(t, database, func(u *url.URL) { u.User = url.UserPassword(role, "hunter2") })
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

// TestDatabasesThatCannotBeUsed: `init` and `serve` leave them as they are, and say what helps.
func TestDatabasesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	for name, test := range unusable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := test.prepare(t)
			for _, command := range strings.Fields(test.commands) {
				code, _, stderr := call(t, rootCommand(), command, "--database", database)
				if code != exitFailed || strings.Contains(stderr, "hunter2") {
					t.Errorf("%s: code %d: %s", command, code, stderr)
				}
				for _, text := range test.say {
					if strings.Count(stderr, text) != 1 {
						t.Errorf("%s: %q is not there once: %s", command, text, stderr)
					}
				}
			}
		})
	}
}
