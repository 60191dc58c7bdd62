package postgres_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/store/postgres"
	"licensor/internal/store/postgres/postgrestest"
)

// both returns the URL of a database on two servers.
func both(a, b *postgrestest.Server, database string) string {
	return fmt.Sprintf("postgres://postgres@%s,%s/%s", a.Address(), b.Address(), database)
}

func TestSeveralHosts(t *testing.T) {
	t.Parallel()
	primary := postgrestest.Start(t, "wal_level=replica")
	if err := postgres.Create(t.Context(), primary.URL("postgres"), postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	standby := primary.Standby(t)
	url := both(standby, primary, "postgres")

	err := tryOpen(t, url, postgres.Options{})
	wantError(t, err, "synchronous_standby_names is empty", "ALTER SYSTEM SET synchronous_standby_names", "--allow-data-loss")
	warned := ""
	warn := func(text string) { warned = text }
	s, err := postgres.Open(t.Context(), url, postgres.Options{AllowDataLoss: true, Warn: warn})
	if err != nil || !strings.Contains(warned, "loses changes that were acknowledged") {
		t.Fatalf("with data loss allowed: %v, and it warns %q", err, warned)
	}
	defer s.Close()
	tenant := uuid.New()
	if err := s.CreateTenant(t.Context(), tenant); err != nil {
		t.Fatalf("the standby was chosen: %v", err)
	}

	// The standby is promoted while the old primary still runs.
	awaitTenant(t, standby, tenant)
	say(t, standby.URL("postgres"), "SELECT pg_promote()")
	again, err := postgres.Open(t.Context(), url, postgres.Options{AllowDataLoss: true})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	commits := []store.Commit{nextCommit(store.Place{})}
	if err := again.Append(t.Context(), tenant, store.Place{}, commits, nil); err != nil {
		t.Fatal(err)
	}
	if place, err := open(t, standby.URL("postgres")).Place(t.Context(), tenant); err != nil || place.Seq != 1 {
		t.Errorf("the one with the higher timeline was not chosen: it has %+v, %v", place, err)
	}

	// The old primary stops. The store that was connected to it chooses another.
	primary.Kill()
	for deadline := time.Now().Add(30 * time.Second); ; {
		place, err := s.Place(t.Context(), tenant)
		if err == nil && place.Seq == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the other host was not found: %+v, %v", place, err)
		}
	}
	standby.Kill()
	_, err = s.Place(t.Context(), tenant)
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("without any host: %v, want ErrUnavailable", err)
	}
	wantError(t, err, primary.Address()+" cannot be reached", standby.Address()+" cannot be reached")
}

// awaitTenant waits until a standby has a tenant.
func awaitTenant(t *testing.T, standby *postgrestest.Server, tenant uuid.UUID) {
	t.Helper()
	count := "SELECT count(*) FROM licensor.tenant WHERE id = $1"
	for deadline := time.Now().Add(30 * time.Second); standby.Count(t, count, tenant) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the standby does not get what was written")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// clock is a clock that advances when it is waited for.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) After(d time.Duration) <-chan time.Time {
	c.now = c.now.Add(d)
	passed := make(chan time.Time, 1)
	passed <- c.now
	return passed
}

func TestWaitingForADatabase(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var said []string
	say := func(text string) { said = append(said, text) }
	err = postgres.Wait(t.Context(), "postgres://u@"+nobody+"/db", 30*time.Second, &clock{}, say)
	wantError(t, err, "no database answers within 30s", nobody, "connection refused")
	if len(said) != 5 || !strings.Contains(said[0], "5s so far: "+nobody) {
		t.Errorf("while waiting it says %q", said)
	}
	said = nil
	err = postgres.Wait(t.Context(), postgrestest.Database(t), 30*time.Second, &clock{}, say)
	if err != nil || said != nil {
		t.Errorf("waiting for a database that is there: %v, %q", err, said)
	}
}
