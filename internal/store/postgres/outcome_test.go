package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
	"licensor/internal/store/postgres"
	"licensor/internal/store/postgres/postgrestest"
)

// withTenant adds a tenant to a store.
func withTenant(t testing.TB, s store.Store) uuid.UUID {
	t.Helper()
	tenant := uuid.New()
	if err := s.CreateTenant(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	return tenant
}

func allCommits(t testing.TB, s store.Store, tenant uuid.UUID) (all []store.Commit) {
	t.Helper()
	err := s.Commits(t.Context(), tenant, 0, func(c store.Commit) error {
		all = append(all, c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestConnectionBreaksWhileAppending breaks it before, during and after the commit. In each case
// the outcome is unknown, until a fence guarantees that nothing arrives later.
func TestConnectionBreaksWhileAppending(t *testing.T) {
	t.Parallel()
	proxy, url := postgrestest.NewProxy(t, postgrestest.Database(t))
	s := open(t, oneConnection(url))
	tenant := withTenant(t, s)
	at, happened := store.Place{}, map[bool]int{}
	for round := range 40 {
		fault := postgrestest.FaultBefore + postgrestest.Fault(round%4)
		commits, rows := batch(at, 1+round%3, func(i int) uint32 { return uint32(i) })
		// This opens a connection on which the statement was prepared, and which was used just now,
		// so it is not tested before it is used again.
		wrong := store.Place{Seq: at.Seq, Chain: at.Chain, Epoch: at.Epoch + 1}
		if err := s.Append(t.Context(), tenant, wrong, commits, rows); !errors.Is(err, store.ErrConflict) {
			t.Fatalf("an append of a later epoch answers %v, want ErrConflict", err)
		}
		proxy.Set(fault)
		if err := s.Append(t.Context(), tenant, at, commits, rows); !errors.Is(err, store.ErrUnknown) {
			t.Fatalf("fault %d: the append answers %v, want ErrUnknown", fault, err)
		}
		fenced, err := s.Fence(t.Context(), tenant)
		if err != nil {
			t.Fatal(err)
		}
		done := fenced.Seq > at.Seq
		happened[done]++
		never := fault == postgrestest.FaultBefore || fault == postgrestest.FaultHalf
		if fault == postgrestest.FaultAfter && !done || never && done {
			t.Errorf("fault %d: whether the append was done: %t", fault, done)
		}
		if err := s.Append(t.Context(), tenant, at, commits, rows); !errors.Is(err, store.ErrConflict) {
			t.Errorf("an append from before the fence answers %v, want ErrConflict", err)
		}
		if at = fenced; !done {
			if err := s.Append(t.Context(), tenant, at, commits, rows); err != nil {
				t.Fatal(err)
			}
			at = at.After(commits)
		}
	}
	if happened[true] == 0 || happened[false] == 0 {
		t.Errorf("of the appends whose answer was lost, so many were done: %v", happened)
	}
	var chain store.Chain
	for i, c := range allCommits(t, s, tenant) {
		if chain = c.Link(chain); c.Seq != uint64(i+1) || c.Chain != chain {
			t.Errorf("number %d of the commits is %+v", i, c)
		}
	}
}

// oneConnection returns the URL of a database for a store that has one connection at a time.
func oneConnection(url string) string { return url + "?pool_max_conns=1" }

// TestAViewWhoseCallerIsBusy: the database ends idle transactions, but not those of programs that
// are there.
func TestAViewWhoseCallerIsBusy(t *testing.T) {
	t.Parallel()
	s := open(t, postgrestest.Database(t))
	tenant := withTenant(t, s)
	err := s.View(t.Context(), tenant, func(v store.View) error {
		time.Sleep(3 * time.Second) // longer than a transaction may be idle
		_, err := v.Place()
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestAViewOfAProgramThatDisappears: the database ends its transaction, although it was not told
// that the connection is broken.
func TestAViewOfAProgramThatDisappears(t *testing.T) {
	t.Parallel()
	direct := postgrestest.Database(t)
	proxy, url := postgrestest.NewProxy(t, direct)
	s := open(t, url)
	tenant := withTenant(t, s)
	transactions := func() (n int) {
		conn, err := pgx.Connect(t.Context(), direct)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
		err = conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND state = 'idle in transaction'`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	_ = s.View(t.Context(), tenant, func(store.View) error { // its end cannot be told
		if n := transactions(); n != 1 {
			t.Errorf("there are %d transactions, want that of the view", n)
		}
		proxy.Set(postgrestest.FaultSwallow)
		for until := time.Now().Add(30 * time.Second); transactions() > 0; time.Sleep(100 * time.Millisecond) {
			if time.Now().After(until) {
				t.Error("the transaction stays open")
				break
			}
		}
		return nil
	})
	proxy.Set(postgrestest.FaultNone)
}

// TestConnectionBreaksWhileReading: reads are repeated.
func TestConnectionBreaksWhileReading(t *testing.T) {
	t.Parallel()
	proxy, url := postgrestest.NewProxy(t, postgrestest.Database(t))
	s := open(t, url)
	tenant := withTenant(t, s)
	for fault := postgrestest.FaultBefore; fault <= postgrestest.FaultAfter; fault++ {
		proxy.Set(fault)
		if _, err := s.Place(t.Context(), tenant); err != nil {
			t.Errorf("fault %d: %v", fault, err)
		}
	}
}

// TestOtherChangesOfWhichTheAnswerIsLost have an unknown outcome, too.
func TestOtherChangesOfWhichTheAnswerIsLost(t *testing.T) {
	t.Parallel()
	proxy, url := postgrestest.NewProxy(t, postgrestest.Database(t))
	s := open(t, oneConnection(url))
	tenant := withTenant(t, s)
	for name, change := range map[string]func() error{
		"a fence":       func() error { _, err := s.Fence(t.Context(), tenant); return err },
		"a tenant":      func() error { return s.CreateTenant(t.Context(), uuid.New()) },
		"a ticket":      func() error { return s.AddTicket(t.Context(), store.Ticket{ID: [32]byte{1}, Data: []byte("x")}) },
		"a claim":       func() error { _, err := s.Claim(t.Context(), tenant, []string{"n"}, time.Now()); return err },
		"a ping":        func() error { return s.Ping(t.Context()) },
		"a trimmed log": func() error { _, err := s.TrimLog(t.Context(), tenant, 1); return err },
	} {
		if _, err := s.Tenants(t.Context()); err != nil { // so that a connection was used just now
			t.Fatal(err)
		}
		proxy.Set(postgrestest.FaultAfter)
		if err := change(); !errors.Is(err, store.ErrUnknown) {
			t.Errorf("%s whose answer is lost answers %v, want ErrUnknown", name, err)
		}
	}
}

// waiting has an append wait for a standby that does not exist. The last result returns how it
// ends.
func waiting(t *testing.T) (server *postgrestest.Server, s *postgres.Store, tenant uuid.UUID, answer chan error) {
	t.Helper()
	server = postgrestest.Start(t)
	url := server.URL("postgres")
	if err := postgres.Create(t.Context(), url, postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	s = open(t, url)
	tenant = withTenant(t, s)
	say(t, url, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
	for server.Count(t, "SELECT count(*) FROM pg_settings WHERE name = 'synchronous_standby_names' AND setting = 'nobody'") == 0 {
		time.Sleep(time.Millisecond)
	}
	commits, rows := batch(store.Place{}, 1, func(int) uint32 { return 1 })
	answer = make(chan error, 1)
	go func() { answer <- s.Append(context.WithoutCancel(t.Context()), tenant, store.Place{}, commits, rows) }()
	for deadline := time.Now().Add(8 * time.Second); server.Count(t, backendsThatWait) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the append does not wait for the standby")
		}
		time.Sleep(time.Millisecond)
	}
	return server, s, tenant, answer
}

const backendsThatWait = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"

// TestWaitForTheStandbyIsCanceled: the database reports success with a warning (01000), or closes
// the connection.
func TestWaitForTheStandbyIsCanceled(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"pg_cancel_backend", "pg_terminate_backend"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			server, s, tenant, answer := waiting(t)
			say(t, server.URL("postgres"), fmt.Sprintf("SELECT %s(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'", end))
			if err := <-answer; !errors.Is(err, store.ErrUnknown) {
				t.Errorf("the append answers %v, want ErrUnknown", err)
			}
			if place, err := s.Place(t.Context(), tenant); err != nil || place.Seq != 1 {
				t.Errorf("the log ends at %+v, %v", place, err)
			}
		})
	}
}

// TestWaitForTheStandbyIsNotCanceled: the caller gets an error after a while, and no reader sees a
// commit that no standby has. When there is a standby again, appends continue.
func TestWaitForTheStandbyIsNotCanceled(t *testing.T) {
	t.Parallel()
	server, s, tenant, answer := waiting(t)
	if err := <-answer; !errors.Is(err, store.ErrUnknown) {
		t.Errorf("the append answers %v, want ErrUnknown", err)
	}
	place, err := s.Place(t.Context(), tenant)
	if err != nil || place.Seq != 0 || server.Count(t, backendsThatWait) != 1 {
		t.Errorf("what waits for the standby is seen: the log ends at %+v, %v", place, err)
	}
	say(t, server.URL("postgres"), "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
	if place, err := s.Fence(t.Context(), tenant); err != nil || place.Seq != 1 {
		t.Errorf("when it waits no longer, a fence answers %+v, %v", place, err)
	}
}

// TestDatabaseThatSwallowsEverything: each call returns after a while, and all works when the
// connection works again.
func TestDatabaseThatSwallowsEverything(t *testing.T) {
	t.Parallel()
	proxy, url := postgrestest.NewProxy(t, postgrestest.Database(t))
	s := open(t, url)
	tenant := withTenant(t, s)
	if _, err := s.Place(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	commits, rows := batch(store.Place{}, 1, func(int) uint32 { return 1 })
	proxy.Set(postgrestest.FaultSwallow)
	if err := s.Append(t.Context(), tenant, store.Place{}, commits, rows); !errors.Is(err, store.ErrUnknown) {
		t.Errorf("an append answers %v, want ErrUnknown", err)
	}
	if _, err := s.Place(t.Context(), tenant); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a read answers %v, want ErrUnavailable", err)
	}
	if err := s.Ping(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a ping answers %v, want ErrUnavailable", err)
	}
	proxy.Set(postgrestest.FaultNone)
	place, err := s.Fence(t.Context(), tenant)
	if err != nil || place.Seq != 0 {
		t.Fatalf("when the line is good again, a fence answers %+v, %v", place, err)
	}
	if err := s.Append(t.Context(), tenant, place, commits, rows); err != nil {
		t.Errorf("when the line is good again, an append answers %v", err)
	}
}

// TestAChangeWithoutAnAnswerKeepsItsPlace: the database may still work on it, so its connection
// counts as one of the pool for a while, until the store is closed.
func TestAChangeWithoutAnAnswerKeepsItsPlace(t *testing.T) {
	t.Parallel()
	proxy, url := postgrestest.NewProxy(t, postgrestest.Database(t))
	s := open(t, oneConnection(url))
	tenant := withTenant(t, s)
	commits, rows := batch(store.Place{}, 1, func(int) uint32 { return 1 })
	proxy.Set(postgrestest.FaultSwallow)
	if err := s.Append(t.Context(), tenant, store.Place{}, commits, rows); !errors.Is(err, store.ErrUnknown) {
		t.Errorf("an append answers %v, want ErrUnknown", err)
	}
	proxy.Set(postgrestest.FaultNone)
	_, err := s.Place(t.Context(), tenant)
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "1 of 1 are in use") {
		t.Errorf("a read answers %v, want that the only connection is in use", err)
	}
}

func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t, "max_connections=8", "superuser_reserved_connections=3")
	url := server.URL("postgres")
	if err := postgres.Create(t.Context(), url, postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	asRole, role := as(t, url)
	say(t, url, fmt.Sprintf("GRANT USAGE ON SCHEMA licensor TO %[1]q; GRANT ALL ON ALL TABLES IN SCHEMA licensor TO %[1]q", role))
	s := open(t, asRole)
	tenant := withTenant(t, s)
	const connected = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
	say(t, url, "SELECT pg_terminate_backend(pid) "+connected)
	for server.Count(t, "SELECT count(*) "+connected) > 0 {
		time.Sleep(10 * time.Millisecond) // they end by themselves
	}
	var others []*pgx.Conn
	for {
		conn, err := pgx.Connect(t.Context(), asRole)
		if err != nil {
			break
		}
		others = append(others, conn)
	}
	_, err := s.Place(t.Context(), tenant)
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("without a connection left, a read answers %v, want ErrUnavailable", err)
	}
	wantError(t, err, "pool_max_conns")
	commits := []store.Commit{nextCommit(store.Place{})}
	if err := s.Append(t.Context(), tenant, store.Place{}, commits, nil); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("without a connection left, an append answers %v, want ErrUnavailable", err)
	}
	for _, conn := range others {
		_ = conn.Close(t.Context())
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if err := s.Append(t.Context(), tenant, store.Place{}, commits, nil); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("with connections again: %v", err)
		}
	}
	if got := allCommits(t, s, tenant); !reflect.DeepEqual(got, commits) {
		t.Errorf("the commits are %v", got)
	}
}
