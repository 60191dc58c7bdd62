package postgres_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"licensor/internal/store/postgres"
	"licensor/internal/store/postgres/postgrestest"
)

// warnings collects what a store warns of.
type warnings struct {
	mu   sync.Mutex
	said []string
}

func (w *warnings) add(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, text)
}

func (w *warnings) has(part string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Contains(strings.Join(w.said, "\n"), part)
}

func serve(t testing.TB, s *postgres.Store, name string, atMost time.Duration) error {
	t.Helper()
	return s.Serve(t.Context(), postgres.Server{Name: name, Program: "1.2.3", Reads: 8}, atMost, realTime{}, func(string) {})
}

type realTime struct{}

func (realTime) Now() time.Time { return time.Now() }
func (realTime) After(d time.Duration) <-chan time.Time {
	return time.After(min(d, 10*time.Millisecond))
}

func openServing(t testing.TB, database string, w *warnings) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), database, postgres.Options{Warn: w.add})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestOneProcessServes(t *testing.T) {
	t.Parallel()
	database := postgrestest.Database(t)
	first, second := openServing(t, database, &warnings{}), openServing(t, database, &warnings{})
	if by, err := second.Serving(t.Context()); err != nil || by != (postgres.Server{}) {
		t.Errorf("before any, %v serves, %v", by, err)
	}
	if err := serve(t, first, "the first", 0); err != nil {
		t.Fatal(err)
	}
	var served *postgres.ServedError
	if err := serve(t, second, "the second", 30*time.Millisecond); !errors.As(err, &served) || served.By.Name != "the first" {
		t.Fatalf("while another serves: %v", err)
	}
	wantError(t, served, "the first (Licensor 1.2.3) serves it since", "stop that one first")
	waiting := make(chan error)
	go func() { waiting <- serve(t, second, "the second", time.Minute) }()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-waiting; err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	if by, err := second.Serving(t.Context()); err != nil || by.Name != "the second" || by.Program != "1.2.3" || by.Reads != 8 {
		t.Errorf("%v serves, %v", by, err)
	}
}

// TestAProcessThatDiesIsFollowed: its row ends by itself, by the clock of the database. One that
// was only slow sees that it is followed, and says so.
func TestAProcessThatDiesIsFollowed(t *testing.T) {
	t.Parallel()
	database := postgrestest.Database(t)
	var said warnings
	first, second := openServing(t, database, &said), openServing(t, database, &warnings{})
	if err := serve(t, first, "the first", 0); err != nil {
		t.Fatal(err)
	}
	say(t, database, "UPDATE licensor.serving SET ends = now()") // as if it had not renewed it for ten seconds
	if err := serve(t, second, "the second", time.Minute); err != nil {
		t.Fatal(err)
	}
	postgres.Renew(first)
	if !said.has("at the same time: ") || !said.has("the second") {
		t.Errorf("the first says %q", said.said)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if by, err := first.Serving(t.Context()); err == nil {
		t.Errorf("a closed store says that %v serves", by)
	}
	if by, err := second.Serving(t.Context()); err != nil || by.Name != "the second" {
		t.Errorf("after the first was closed, %v serves, %v", by, err)
	}
}

// TestAnOlderSchemaIsBroughtUpToDate: from the first one, as its release has left it.
func TestAnOlderSchemaIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	database := postgrestest.Empty(t)
	say(t, database, "CREATE SCHEMA licensor", postgres.Migration(1),
		"INSERT INTO licensor.migration (version, program) VALUES (1, '0.1.0')")
	err := tryOpen(t, database, postgres.Options{})
	var schema *postgres.SchemaError
	if !errors.As(err, &schema) || !schema.IsOlder() {
		t.Fatalf("an older schema: %v", err)
	}
	wantError(t, err, "it has schema 1", "`licensor migrate up`")
	wantError(t, postgres.Create(t.Context(), database, postgres.Options{}), "already (schema 1)")
	from, err := postgres.Migrate(t.Context(), database, postgres.Options{Program: "2.0.0"})
	if from != 1 || err != nil {
		t.Fatalf("brought up to date from %d, %v", from, err)
	}
	s := open(t, database)
	if err := serve(t, s, "a process", 0); err != nil {
		t.Error(err)
	}
}
