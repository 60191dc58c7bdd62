package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"licensor/internal/store"
	"licensor/internal/store/postgres"
	"licensor/internal/store/postgres/postgrestest"
)

// say executes statements in a database.
func say(t testing.TB, database string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for _, text := range statements {
		if _, err := conn.Exec(t.Context(), text, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

func tryOpen(t testing.TB, database string, options postgres.Options) error {
	t.Helper()
	s, err := postgres.Open(t.Context(), database, options)
	if err == nil {
		err = s.Close()
	}
	return err
}

func TestDatabaseIsCreatedOnce(t *testing.T) {
	t.Parallel()
	database := postgrestest.Empty(t)
	var schema *postgres.SchemaError
	err := tryOpen(t, database, postgres.Options{})
	if !errors.As(err, &schema) || schema.Found != 0 || schema.IsOlder() {
		t.Errorf("an empty database answers %v", err)
	}
	wantError(t, tryOpen(t, database, postgres.Options{}), "no Licensor tables", "`licensor init`")
	from, err := postgres.Migrate(t.Context(), database, postgres.Options{})
	if from != 0 || err == nil {
		t.Errorf("an empty database was upgraded from %d, %v", from, err)
	}
	if err := postgres.Create(t.Context(), database, postgres.Options{Program: "1.2.3"}); err != nil {
		t.Fatal(err)
	}
	wantError(t, postgres.Create(t.Context(), database, postgres.Options{}), "already")
	from, err = postgres.Migrate(t.Context(), database, postgres.Options{})
	if from != postgres.Newest() || err != nil {
		t.Errorf("a database of this version was upgraded from %d, %v", from, err)
	}
	s := open(t, database)
	if err := s.CreateTenant(t.Context(), uuid.New()); err != nil {
		t.Error(err)
	}
}

// TestDatabaseIsCreatedByOneOfMany: several that find no tables create them at once.
func TestDatabaseIsCreatedByOneOfMany(t *testing.T) {
	t.Parallel()
	database := postgrestest.Empty(t)
	results := make(chan error, 4)
	for range cap(results) {
		go func() { results <- postgres.Create(t.Context(), database, postgres.Options{}) }()
	}
	for range cap(results) {
		if err := <-results; err != nil {
			t.Logf("one of them is told: %v", err)
		}
	}
	if err := tryOpen(t, database, postgres.Options{}); err != nil {
		t.Error(err)
	}
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	database := postgrestest.Database(t)
	say(t, database, "INSERT INTO licensor.migration (version, program) VALUES (99, '12.3.4')")
	known := fmt.Sprint("up to ", postgres.Newest())
	wantError(t, tryOpen(t, database, postgres.Options{}), "schema 99", known, "12.3.4", "run that version or a newer one")
	_, err := postgres.Migrate(t.Context(), database, postgres.Options{})
	wantError(t, err, "schema 99", known)
}

func TestTablesOfOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	for name, table := range map[string]string{
		"another table":          "CREATE TABLE licensor.things (name text)",
		"another with that name": "CREATE TABLE licensor.migration (name text)",
		"an empty one":           "CREATE TABLE licensor.migration (version integer, program text)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := postgrestest.Empty(t)
			say(t, database, "CREATE SCHEMA licensor", table)
			wantError(t, tryOpen(t, database, postgres.Options{}), "another program", "left as it is")
			wantError(t, postgres.Create(t.Context(), database, postgres.Options{}), "another program", "left as it is")
			_, err := postgres.Migrate(t.Context(), database, postgres.Options{})
			wantError(t, err, "another program", "left as it is")
		})
	}
}

// as returns the URL of a database for a new role.
func as(t *testing.T, of string) (asRole, role string) {
	t.Helper()
	role = "role_" + uuid.NewString()
	say(t, of, fmt.Sprintf("CREATE ROLE %q LOGIN PASSWORD 'secret'", role))
	t.Cleanup(func() { sayLater(t, of, fmt.Sprintf("DROP OWNED BY %[1]q; DROP ROLE %[1]q", role)) })
	u, err := url.Parse(of)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, "secret")
	return u.String(), role
}

// sayLater is say for a cleanup, when the context of the test has ended.
func sayLater(t *testing.T, database, text string) {
	conn, err := pgx.Connect(context.Background(), database)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), text, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Errorf("%s: %v", text, err)
	}
}

var remedy = regexp.MustCompile(`GRANT .*`)

// TestRemediesForMissingRights executes what each error says, until the database opens.
func TestRemediesForMissingRights(t *testing.T) {
	t.Parallel()
	database := postgrestest.Database(t)
	asRole, role := as(t, database)
	var remedies []string
	for range 3 {
		err := tryOpen(t, asRole, postgres.Options{})
		if err == nil {
			break
		}
		text := remedy.FindString(err.Error())
		if text == "" || len(remedies) == 2 {
			t.Fatalf("after %q: %v", remedies, err)
		}
		say(t, database, text)
		remedies = append(remedies, text)
	}
	if len(remedies) != 2 {
		t.Errorf("it took %q", remedies)
	}
	s := open(t, asRole)
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	say(t, database, fmt.Sprintf("REVOKE UPDATE ON licensor.probe FROM %q", role))
	err := s.Ping(t.Context())
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("without the right any longer, a ping answers %v, want ErrUnavailable", err)
	}
	wantError(t, err, "GRANT SELECT")
}

func TestRoleMayNotCreate(t *testing.T) {
	t.Parallel()
	database := postgrestest.Empty(t)
	asRole, role := as(t, database)
	err := postgres.Create(t.Context(), asRole, postgres.Options{})
	u, parseErr := url.Parse(asRole)
	if parseErr != nil {
		t.Fatal(parseErr)
	}
	wantError(t, err, fmt.Sprintf("the role %q may not make tables in the database %q: GRANT CREATE ON DATABASE %[2]q TO %[1]q",
		role, u.Path[1:]))
	if strings.Count(err.Error(), "GRANT") != 1 {
		t.Errorf("it gives several statements: %v", err)
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error has the password: %v", err)
	}
	// An administrator has created an empty schema for it.
	say(t, database, fmt.Sprintf("CREATE SCHEMA licensor AUTHORIZATION %q", role))
	if err := postgres.Create(t.Context(), asRole, postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := tryOpen(t, asRole, postgres.Options{}); err != nil {
		t.Error(err)
	}
}

func TestDatabaseMustBeUTF8(t *testing.T) {
	t.Parallel()
	of := postgrestest.Empty(t)
	u, err := url.Parse(of)
	if err != nil {
		t.Fatal(err)
	}
	name := "ascii_" + uuid.NewString()
	say(t, of, fmt.Sprintf("CREATE DATABASE %q ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0", name))
	t.Cleanup(func() { sayLater(t, of, fmt.Sprintf("DROP DATABASE %q", name)) })
	u.Path = name
	err = postgres.Create(t.Context(), u.String(), postgres.Options{})
	wantError(t, err, "its encoding is SQL_ASCII", "CREATE DATABASE licensor ENCODING 'UTF8'")
}

func TestServerThatLosesIsRefused(t *testing.T) {
	t.Parallel()
	for setting, says := range map[string]string{
		"fsync=off":              "ALTER SYSTEM SET fsync = on",
		"full_page_writes=off":   "ALTER SYSTEM SET full_page_writes = on",
		"synchronous_commit=off": `ALTER ROLE "postgres" SET synchronous_commit = on`,
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			server := postgrestest.Start(t, setting)
			wantError(t, postgres.Create(t.Context(), server.URL("postgres"), postgres.Options{}), says)
		})
	}
}

// TestDatabaseBecomesReadOnly: changes that cannot be written are refused, and no restart is
// needed.
func TestDatabaseBecomesReadOnly(t *testing.T) {
	t.Parallel()
	of := postgrestest.Database(t)
	u, err := url.Parse(of)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, of)
	tenant := uuid.New()
	if err := s.CreateTenant(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	say(t, of, fmt.Sprintf("ALTER DATABASE %q SET default_transaction_read_only = on", name))
	say(t, of, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	commits := []store.Commit{nextCommit(store.Place{})}
	err = s.Append(t.Context(), tenant, store.Place{}, commits, nil)
	for errors.Is(err, store.ErrUnknown) { // of the connection that was closed
		err = s.Append(t.Context(), tenant, store.Place{}, commits, nil)
	}
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("an append to a database that can only be read answers %v, want ErrUnavailable", err)
	}
	wantError(t, tryOpen(t, of, postgres.Options{}), "it can only be read")
	say(t, of, "SET default_transaction_read_only = off", fmt.Sprintf("ALTER DATABASE %q RESET default_transaction_read_only", name))
	if err := s.Append(t.Context(), tenant, store.Place{}, commits, nil); err != nil {
		t.Errorf("when it can be written again: %v", err)
	}
}

func TestURLsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"mysql://u:hunter2@host/db", "host=db1 password=hunter2", "",
		"postgres://u:hunter2@ho st/db", "postgres://u:hun%zzter2@host/db", "postgres://u:hunter2@host:port/db",
		"postgres://u:hunter2@host/db?sslmode=maybe", "postgres://u:hunter2@host/db?connect_timeout=hunter2",
		"postgres://u:hun/hunter2@host/db", "postgres://u:hunter2@[::1/db", "postgres://u:hunter2@host/db?sslrootcert=/nowhere&sslmode=verify-full",
		"postgres://u:hunter2@127.0.0.1:1/db", "postgres://u:hunter2@127.0.0.1:1,127.0.0.1:2/db",
		"postgres://u:hun@hunter2@127.0.0.1:1/db", "postgres://u:1/hunter2@127.0.0.1:1/db", "postgres://u:1?hunter2@127.0.0.1:1/db",
		"postgres://u:1#hunter2@127.0.0.1:1/db", "postgres://u:1/?hunter2@127.0.0.1:1/db", "postgres://u@127.0.0.1:1/db?password=hun&hunter2",
		"postgres://u@127.0.0.1:1/db?pool_max_conns=hunter2", "postgres://u@127.0.0.1:1/db?password=%zzhunter2",
		"postgres://u@127.0.0.1:1/db?password=hunter2", "postgres://u:hunter2@@127.0.0.1:1/db",
	} {
		_, err := postgres.Open(t.Context(), bad, postgres.Options{})
		wantError(t, err)
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error has the password: %v", err)
		}
	}
}

// TestOptionsAreNamed: the error of a URL says which option is wrong, and what is allowed.
func TestOptionsAreNamed(t *testing.T) {
	t.Parallel()
	for option, want := range map[string]string{
		"pool_max_conns=abc": "pool_max_conns has a value that it cannot have: it must be a number, 1 or more",
		"pool_max_conns=0":   "pool_max_conns has", "sslmode=bogus": "sslmode has a value that it cannot have: it must be disable, ",
		"connect_timeout=-1": "connect_timeout has", "pool_max_conn_lifetime=1": "a duration, such as 1h",
		"target_session_attrs=x": "target_session_attrs has", "application_name=%": "application_name has a %",
	} {
		_, err := postgres.Parse("postgres://u@127.0.0.1/x?" + option)
		wantError(t, err, "the URL of the database cannot be read", want)
	}
	for _, option := range []string{
		"pool_max_conns=3", "sslmode=require", "pool_max_conn_lifetime=1h30m", "password=a%40b", "password=a@b", "options=-c%20x%3D1",
		"sslmode=&application_name=x", "channel_binding=require&connect_timeout=3", "pool_min_conns=0",
	} {
		if _, err := postgres.Parse("postgres://u:p%40%2F%3F%23@127.0.0.1/x?" + option); err != nil {
			t.Errorf("%s: %v", option, err)
		}
	}
}

// TestAConnectionThatIsRefused: the error says the one thing that is wrong, in one line.
func TestAConnectionThatIsRefused(t *testing.T) {
	t.Parallel()
	database := postgrestest.Empty(t)
	asRole, _ := as(t, database)
	change := func(what func(u *url.URL)) string {
		u, err := url.Parse(asRole)
		if err != nil {
			t.Fatal(err)
		}
		what(u)
		return u.String()
	}
	for where, want := range map[string][]string{
		change(func(u *url.URL) { u.Path = "/none" }):                             {`CREATE DATABASE "none"`, "3D000"},
		change(func(u *url.URL) { u.User = url.UserPassword("nobody", "wrong") }): {`CREATE ROLE "nobody"`, "28000"},
	} {
		for _, mode := range []string{"", "prefer"} {
			if mode != "" && strings.Contains(where, "sslmode=") {
				where = regexp.MustCompile("sslmode=[a-z]*").ReplaceAllString(where, "sslmode="+mode)
			} else if mode != "" {
				where += "?sslmode=" + mode
			}
			_, err := postgres.Open(t.Context(), where, postgres.Options{})
			wantError(t, err, want...)
			for _, no := range []string{"\n", "refused TLS", "wrong"} {
				if strings.Contains(err.Error(), no) {
					t.Errorf("%s: %v", where, err)
				}
			}
			if !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("%s: %v is not ErrUnavailable", where, err)
			}
		}
	}
}

func TestAServerThatDoesNotEncrypt(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(postgrestest.Empty(t))
	if err != nil {
		t.Fatal(err)
	}
	u.RawQuery = "sslmode=require"
	_, err = postgres.Open(t.Context(), u.String(), postgres.Options{})
	wantError(t, err, u.Host+" does not encrypt connections", "ssl = on")
	if strings.Contains(err.Error(), "failed to connect") {
		t.Errorf("it says more than the one thing: %v", err)
	}
}

func TestOldServerIsRefused(t *testing.T) {
	t.Parallel()
	wantError(t, postgres.CheckVersion(120022), "it is PostgreSQL 12", "13 or newer", "upgrade the server")
	if err := postgres.CheckVersion(130000); err != nil {
		t.Error(err)
	}
}

// TestCertificatesAreVerified unless the URL says otherwise, or the host is this machine.
func TestCertificatesAreVerified(t *testing.T) {
	t.Parallel()
	if mode, ok := os.LookupEnv("PGSSLMODE"); ok {
		t.Skipf("PGSSLMODE=%s says otherwise", mode)
	}
	for text, verified := range map[string]bool{
		"postgres://u@db.example.com/x":                   true,
		"postgres://u@db.example.com/x?pool_max_conns=3":  true,
		"postgres://u@127.0.0.1,db.example.com/x":         true,
		"postgres://u@db.example.com/x?sslmode=require":   false,
		"postgres://u@db.example.com/x?sslmode=disable":   false,
		"postgres://u@127.0.0.1:5432,[::1]:5433/x":        false,
		"postgres://u@localhost/x":                        false,
		"postgres:///x?host=/var/run/postgresql&user=u":   false,
		"postgres://u@db.example.com/x?sslmode=verify-ca": false,
	} {
		config, err := postgres.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		first := &pgconn.FallbackConfig{TLSConfig: config.ConnConfig.TLSConfig}
		got := true
		for _, way := range append(config.ConnConfig.Fallbacks, first) {
			got = got && way.TLSConfig != nil && !way.TLSConfig.InsecureSkipVerify && way.TLSConfig.ServerName != ""
		}
		if got != verified {
			t.Errorf("%s: whether the certificate is verified: %t", text, got)
		}
	}
}

// TestNoPartOfAPasswordIsTold, whatever character it has, and wherever in the URL it is.
func TestNoPartOfAPasswordIsTold(t *testing.T) {
	t.Parallel()
	for c := rune(1); c < 0x180; c++ {
		for _, form := range []string{
			"postgres://u:%s@127.0.0.1:1/x", "postgres://u:%s@127.0.0.1:1,127.0.0.1:2/x?sslmode=require", "postgres://u:%s@/x?host=127.0.0.1",
			"postgres://127.0.0.1:1/x?user=u&password=%s", "postgres://127.0.0.1:1/x?password=%s&sslmode=disable",
			"postgres://u@127.0.0.1:1/x?sslpassword=%s", "postgresql://u:%s@[::1]:1/x", "postgres://u:%s@127.0.0.1",
		} {
			for _, begin := range []string{"SEK", "", "SEKRET", "1"} {
				password := begin + string(c) + "RET"
				name, err := postgres.Name(fmt.Sprintf(form, password))
				if told := fmt.Sprint(name, " ", err); strings.Contains(told, "SEK") || strings.Contains(told, "RET") {
					t.Errorf("of "+form+" is told: %s", password, told)
				}
			}
		}
	}
}
