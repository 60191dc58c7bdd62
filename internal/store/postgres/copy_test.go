package postgres_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/store/postgres/postgrestest"
)

// many is more than enough rows to be copied.
const many = 1000

// rowsOf returns all rows of users and groups.
func rowsOf(t testing.TB, s store.Store, tenant uuid.UUID) (all []store.Object) {
	t.Helper()
	for _, kind := range []store.Kind{store.KindUser, store.KindGroup} {
		for _, deleted := range []bool{false, true} {
			q := store.Query{Kind: kind, Deleted: deleted, After: -1, Limit: 10 * many}
			rows, err := s.Objects(t.Context(), tenant, q)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, rows...)
		}
	}
	return all
}

// TestRowsThatAreCopied: an append of many rows, of which most are new, writes what appends of a
// few write.
func TestRowsThatAreCopied(t *testing.T) {
	t.Parallel()
	s := open(t, postgrestest.Database(t))
	var kept, orders [2][]store.Object // of small appends, and of one
	before, rows := make([]store.Object, 0, 60), make([]store.Object, 0, 2*many)
	for i := range 50 {
		before = append(before, userRow(uint32(2*i), fmt.Sprint("before", i)))
		rows = append(rows, userRow(uint32(2*i+i%2), fmt.Sprint("changed", i)))
	}
	for i := range many {
		row := userRow(uint32(200+i), fmt.Sprintf("%x", rand.Uint64()))
		switch i % 10 {
		case 7:
			row.Deleted = time.Unix(1_700_000_000, 0).UTC()
		case 8:
			rows = append(rows, userRow(row.Ordinal, "replaced"))
		case 9:
			row.Purged, row.Document = true, nil
		}
		row.Seq = 2
		rows = append(rows, row)
	}
	for i := range 20 {
		row := userRow(uint32(i), fmt.Sprint("group", i))
		row.Kind, row.Document = store.KindGroup, []byte(`{"displayName":"Größe \u0000 `+fmt.Sprint(i)+`","mail":null}`)
		rows = append(rows, row)
	}
	for n, atOnce := range []int{100, len(rows)} {
		tenant := withTenant(t, s)
		at := store.Place{}
		add := func(some []store.Object) {
			commits := []store.Commit{nextCommit(at)}
			if err := s.Append(t.Context(), tenant, at, commits, some); err != nil {
				t.Fatal(err)
			}
			at = at.After(commits)
		}
		add(before)
		for from := 0; from < len(rows); from += atOnce {
			add(rows[from:min(from+atOnce, len(rows))])
		}
		kept[n] = rowsOf(t, s, tenant)
		for _, by := range store.Ordered {
			q := store.Query{
				Kind: store.KindUser, Below: 200, Order: &store.Order{Property: by, AsOf: 1}, After: -1, Limit: many,
			}
			list, err := s.Objects(t.Context(), tenant, q)
			if err != nil {
				t.Fatal(err)
			}
			orders[n] = append(orders[n], list...)
		}
	}
	if len(kept[1]) < many*9/10 || !reflect.DeepEqual(kept[0], kept[1]) {
		t.Errorf("%d rows were copied, want the %d of small appends", len(kept[1]), len(kept[0]))
	}
	if len(orders[1]) < 4*len(before) || !reflect.DeepEqual(orders[0], orders[1]) {
		t.Errorf("in the orders of before they are %v, want %v", orders[1], orders[0])
	}
}

// TestManyRowsThatAreNotAppended: nothing is kept, and the store can be used further.
func TestManyRowsThatAreNotAppended(t *testing.T) {
	t.Parallel()
	s := open(t, oneConnection(postgrestest.Database(t)))
	tenant := withTenant(t, s)
	good, bad := newRows(0, many), newRows(0, many)
	bad[many-1].Document = []byte("[]")
	commits := []store.Commit{nextCommit(store.Place{})}
	later := store.Place{Epoch: 1}
	if err := s.Append(t.Context(), tenant, later, commits, good); !errors.Is(err, store.ErrConflict) {
		t.Errorf("an append of a later epoch: %v", err)
	}
	err := s.Append(t.Context(), tenant, store.Place{}, commits, bad)
	wantError(t, err, "its document is not a JSON object")
	if errors.Is(err, store.ErrUnknown) {
		t.Error("the outcome is said to be unknown")
	}
	if _, err := s.Freeze(t.Context(), tenant, "it moves"); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), tenant, later, commits, good); !errors.Is(err, store.ErrFrozen) {
		t.Errorf("an append to a frozen tenant: %v", err)
	}
	if rows := rowsOf(t, s, tenant); len(rows) > 0 || len(allCommits(t, s, tenant)) > 0 {
		t.Errorf("%d rows were kept", len(rows))
	}
	if _, err := s.Freeze(t.Context(), tenant, ""); err != nil {
		t.Fatal(err)
	}
	at, err := s.Place(t.Context(), tenant)
	if err == nil {
		err = s.Append(t.Context(), tenant, at, commits, good)
	}
	if rows := rowsOf(t, s, tenant); err != nil || len(rows) != many {
		t.Errorf("%d rows afterwards, %v", len(rows), err)
	}
}

// TestAProgramThatDisappearsWhileCopying: the database ends its transaction, so others need not
// wait for the rows that it has locked.
func TestAProgramThatDisappearsWhileCopying(t *testing.T) {
	t.Parallel()
	direct := postgrestest.Database(t)
	proxy, url := postgrestest.NewProxy(t, direct)
	s, other := open(t, url), open(t, direct)
	tenant := withTenant(t, s)
	commits, rows := []store.Commit{nextCommit(store.Place{})}, newRows(0, many)
	proxy.SetAt("COPY licensor", postgrestest.FaultSwallow)
	answer := make(chan error, 1)
	go func() { answer <- s.Append(t.Context(), tenant, store.Place{}, commits, rows) }()
	time.Sleep(500 * time.Millisecond) // the rows are locked
	place, err := other.Fence(t.Context(), tenant)
	if err == nil {
		err = other.Append(t.Context(), tenant, place, commits, rows)
	}
	if err != nil || place.Seq != 0 {
		t.Errorf("the fence is at commit %d; the append of the other program answers %v", place.Seq, err)
	}
	if err := <-answer; !errors.Is(err, store.ErrUnknown) {
		t.Errorf("the first append answers %v", err)
	}
	proxy.Set(postgrestest.FaultNone)
}

// TestConnectionBreaksWhileCopying breaks it at each message of an append of many rows: all of it
// is kept or nothing, and what the append answers is true.
func TestConnectionBreaksWhileCopying(t *testing.T) {
	t.Parallel()
	proxy, url := postgrestest.NewProxy(t, postgrestest.Database(t))
	s := open(t, oneConnection(url))
	for _, message := range []string{"max(ordinal)", "BEGIN", "UPDATE licensor.tenant", "COPY licensor", "PGCOPY", "commit\x00"} {
		for _, fault := range []postgrestest.Fault{
			postgrestest.FaultBefore, postgrestest.FaultHalf, postgrestest.FaultDuring, postgrestest.FaultAfter,
		} {
			name := fmt.Sprintf("fault %d at %q", fault, message)
			tenant := withTenant(t, s)
			commits, rows := []store.Commit{nextCommit(store.Place{})}, newRows(0, many)
			proxy.SetAt(message, fault)
			err := s.Append(t.Context(), tenant, store.Place{}, commits, rows)
			proxy.Set(postgrestest.FaultNone)
			place, failed := s.Fence(t.Context(), tenant)
			if failed != nil {
				t.Fatal(failed)
			}
			done := place.Seq == 1
			switch commit := message == "commit\x00"; {
			case !done && err == nil, done && err != nil && !errors.Is(err, store.ErrUnknown):
				t.Errorf("%s: it is done: %t; the append answers %v", name, done, err)
			case commit && fault == postgrestest.FaultAfter && !done, commit && !errors.Is(err, store.ErrUnknown):
				t.Errorf("%s: it is done: %t; want an unknown outcome, not %v", name, done, err)
			}
			want := 0
			if done {
				want = many
			}
			if kept := rowsOf(t, s, tenant); len(kept) != want || len(allCommits(t, s, tenant)) != int(place.Seq) {
				t.Errorf("%s: there are %d rows, want %d", name, len(kept), want)
			}
		}
	}
}
