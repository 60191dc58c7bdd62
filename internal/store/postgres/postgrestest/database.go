package postgrestest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store/postgres"
)

// shared is the server of all tests of a binary.
var shared struct {
	once   sync.Once
	server *Server // nil if another server is used
	url    string  // of a database on it
	err    error
}

// Close stops the server of the binary, when all tests have ended. From another server it removes
// what is left.
func Close() {
	if shared.server != nil {
		shared.server.Stop()
	} else if shared.url != "" {
		_ = say(context.Background(), "DROP DATABASE IF EXISTS "+template+" WITH (FORCE)") // else it stays
	}
}

// template is the database that others are copied from. Its name has the process's id, since
// several test binaries may use one server.
var template = fmt.Sprintf("licensor_template_%d", os.Getpid())

func prepare() {
	if shared.url = os.Getenv("LICENSOR_TEST_DATABASE"); shared.url == "" {
		if shared.server, shared.err = New(); shared.err != nil {
			return
		}
		shared.url = shared.server.URL("postgres")
	}
	ctx := context.Background()
	if shared.err = say(ctx, "CREATE DATABASE "+template+" ENCODING 'UTF8' TEMPLATE template0"); shared.err == nil {
		shared.err = postgres.Create(ctx, on(template), postgres.Options{Program: "of the tests"})
	}
}

// Database returns the URL of a database with empty tables, for one test.
func Database(tb testing.TB) string { return create(tb, template) }

// Empty returns the URL of an empty database, for one test.
func Empty(tb testing.TB) string { return create(tb, "template0") }

// Copy returns the URL of a copy of a database that Database or Empty returned, for one test. No
// program may be connected to it.
func Copy(tb testing.TB, of string) string {
	tb.Helper()
	u, err := url.Parse(of)
	if err != nil {
		tb.Fatal(err)
	}
	return create(tb, strings.TrimPrefix(u.Path, "/"))
}

func create(tb testing.TB, template string) string {
	tb.Helper()
	shared.once.Do(prepare)
	if shared.err != nil {
		tb.Fatal(shared.err)
	}
	name := "licensor_test_" + uuid.NewString()[:13]
	if err := say(tb.Context(), fmt.Sprintf("CREATE DATABASE %q TEMPLATE %q", name, template)); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if shared.server != nil { // which stops soon, and would write all its data to the disk for this
			return
		}
		if err := say(context.Background(), fmt.Sprintf("DROP DATABASE IF EXISTS %q WITH (FORCE)", name)); err != nil {
			tb.Error(err)
		}
	})
	return on(name)
}

// on returns the URL of a database on the server.
func on(name string) string {
	u, err := url.Parse(shared.url)
	if err != nil {
		return shared.url // connecting reports the error
	}
	u.Path = "/" + name
	return u.String()
}

// say executes a statement on the server.
func say(ctx context.Context, text string) error {
	conn, err := pgx.Connect(ctx, shared.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, text, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	return nil
}
