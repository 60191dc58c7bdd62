package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// sharedTests are tests of two stores that are open on one place, like two programs.
var sharedTests = map[string]func(t *testing.T, open Place){
	"two stores show the same":                             sharedView,
	"of two stores one creates a tenant":                   sharedTenants,
	"of two stores one appends the next commit":            sharedAppends,
	"a fence of one store shuts out the other":             sharedFences,
	"two stores append to many tenants at once":            sharedLogs,
	"readers of one store see whole appends of another":    sharedReaders,
	"a list of one store keeps its order under another":    sharedOrder,
	"a view of one store stays under another":              sharedViews,
	"a tenant frozen by one store is so for another":       sharedFreezes,
	"two stores take snapshots":                            sharedParts,
	"five take, load and sweep snapshots at once":          sharedSnapshots,
	"of tenants of two stores one has a name":              sharedClaims,
	"a store knows what another has trimmed":               sharedTrim,
	"of two stores one makes a secret":                     sharedSecrets,
	"of two stores one adds or changes a ticket":           sharedTickets,
	"a store shows the sign-ins that another has added":    sharedSignIns,
	"a store works on when another on its place is closed": sharedClose,
}

// beginShared opens two stores on a place, and adds a tenant.
func beginShared(t *testing.T, open Place) (a, b store.Store, tenant uuid.UUID) {
	t.Helper()
	a, tenant = begin(t, open)
	return a, open(t), tenant
}

func sharedView(t *testing.T, open Place) {
	a, b, tenant := beginShared(t, open)
	row := object(0, document{"displayName": "of a"})
	commits := []store.Commit{commit(1), commit(2)}
	mustAppend(t, a, tenant, commits, row)
	if got := allCommits(t, b, tenant, 0); !reflect.DeepEqual(got, commits) {
		t.Errorf("the other store has commits %v, want %v", got, commits)
	}
	if got := find(t, b, tenant, users()); !reflect.DeepEqual(got, []store.Object{row}) {
		t.Errorf("the other store has rows %v, want %v", got, row)
	}
	row.Document = object(0, document{"displayName": "of b"}).Document
	mustAppend(t, b, tenant, []store.Commit{commit(3)}, row)
	if got := find(t, a, tenant, users()); !reflect.DeepEqual(got, []store.Object{row}) {
		t.Errorf("the first store has rows %v, want %v", got, row)
	}
	wantSamePlace(t, tenant, a, b)
}

func wantSamePlace(t *testing.T, tenant uuid.UUID, a, b store.Store) {
	t.Helper()
	here, errHere := a.Place(t.Context(), tenant)
	there, errThere := b.Place(t.Context(), tenant)
	if errHere != nil || errThere != nil || here != there {
		t.Errorf("the log ends at %+v, %v and at %+v, %v", here, errHere, there, errThere)
	}
}

func sharedTenants(t *testing.T, open Place) {
	a, b, first := beginShared(t, open)
	const many = 20
	contested := []uuid.UUID{}
	for range many {
		contested = append(contested, uuid.New())
	}
	var made atomic.Int64
	var all sync.WaitGroup
	for _, s := range []store.Store{a, b} {
		all.Go(func() {
			for _, id := range contested {
				if err := s.CreateTenant(t.Context(), id); err == nil {
					made.Add(1)
				} else if !errors.Is(err, store.ErrExists) {
					t.Errorf("create a tenant: %v", err)
				}
			}
		})
	}
	all.Wait()
	if made.Load() != many {
		t.Errorf("%d tenants were created, want %d", made.Load(), many)
	}
	want := append([]uuid.UUID{first}, contested...)
	for _, s := range []store.Store{a, b} {
		if got, err := s.Tenants(t.Context()); err != nil || !slices.Equal(got, want) {
			t.Errorf("got tenants %v, %v; want %v", got, err, want)
		}
	}
}

func sharedAppends(t *testing.T, open Place) {
	a, b, tenant := beginShared(t, open)
	raceToAppend(t, tenant, a, b)
	wantSamePlace(t, tenant, a, b)
}

func sharedFences(t *testing.T, open Place) {
	a, b, tenant := beginShared(t, open)
	fence(t, tenant, a, b)
	wantSamePlace(t, tenant, a, b)
	fenceAtOnce(t, tenant, a, b)
}

// fenceAtOnce calls Fence from both sides: each call counts, and each gets an epoch of its own.
func fenceAtOnce(t *testing.T, tenant uuid.UUID, stores ...store.Store) {
	t.Helper()
	before, err := stores[0].Place(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	epochs := make([]uint64, 20)
	var all sync.WaitGroup
	for i := range epochs {
		all.Go(func() {
			place, err := stores[i%len(stores)].Fence(t.Context(), tenant)
			if err != nil {
				t.Errorf("fence: %v", err)
			}
			epochs[i] = place.Epoch
		})
	}
	all.Wait()
	slices.Sort(epochs)
	for i, epoch := range epochs {
		if epoch != before.Epoch+1+uint64(i) {
			t.Fatalf("%d fences after epoch %d have had the epochs %v", len(epochs), before.Epoch, epochs)
		}
	}
}

// sharedLogs has two writers for each of many tenants, one per store. Each runs until it has
// appended a number of commits. Each commit has a row, whose document names the commit.
func sharedLogs(t *testing.T, open Place) {
	a, b, first := beginShared(t, open)
	const more, each = 7, 10
	tenants := []uuid.UUID{first}
	for range more {
		tenants = append(tenants, uuid.New())
		if err := a.CreateTenant(t.Context(), tenants[len(tenants)-1]); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for _, tenant := range tenants {
		for name, s := range map[string]store.Store{"a": a, "b": b} {
			all.Go(func() { appendMany(t, s, tenant, name, each) })
		}
	}
	all.Wait()
	for _, tenant := range tenants {
		wantSamePlace(t, tenant, a, b)
		wantWholeLog(t, a, tenant, 2*each)
		wantWholeLog(t, b, tenant, 2*each)
	}
}

func appendMany(t *testing.T, s store.Store, tenant uuid.UUID, name string, many int) {
	for done := 0; done < many; {
		at, err := s.Place(t.Context(), tenant)
		if err != nil {
			t.Error(err)
			return
		}
		next := commit(at.Seq + 1)
		next.Actor = fmt.Sprint(name, done)
		commits := []store.Commit{next}
		link(at.Chain, commits)
		row := object(uint32(next.Seq), document{"displayName": next.Actor})
		switch err := s.Append(t.Context(), tenant, at, commits, []store.Object{row}); {
		case err == nil:
			done++
		case !errors.Is(err, store.ErrConflict):
			t.Error(err)
			return
		}
	}
}

// wantWholeLog checks that the log has a number of commits in sequence, and the row of each.
func wantWholeLog(t *testing.T, s store.Store, tenant uuid.UUID, many int) {
	t.Helper()
	var chain store.Chain
	commits, rows := allCommits(t, s, tenant, 0), find(t, s, tenant, users())
	if len(commits) != many || len(rows) != many {
		t.Fatalf("there are %d commits and %d rows, want %d", len(commits), len(rows), many)
	}
	authors := map[string]bool{}
	for i, c := range commits {
		if chain = c.Link(chain); c.Seq != uint64(i+1) || c.Chain != chain {
			t.Errorf("number %d of the commits is %+v, which does not follow the one before", i, c)
		}
		if name := decode(rows[i].Document)["displayName"]; name != c.Actor || authors[c.Actor] {
			t.Errorf("commit %d is of %s, and its row of %v", c.Seq, c.Actor, name)
		}
		authors[c.Actor] = true
	}
}

func sharedReaders(t *testing.T, open Place) {
	a, b, tenant := beginShared(t, open)
	readWhileWriting(t, tenant, a, b)
}

func sharedOrder(t *testing.T, open Place) {
	a, b, tenant := beginShared(t, open)
	var rows []store.Object
	for i, name := range []string{"A", "B", "C", "D"} {
		rows = append(rows, object(uint32(i), document{"displayName": name}))
	}
	mustAppend(t, a, tenant, []store.Commit{commit(1)}, rows...)
	query := store.Query{
		Kind: store.KindUser, After: -1, Limit: 2,
		Order: &store.Order{Property: "displayName", AsOf: 1},
	}
	seq := uint64(2)
	got := orderedPages(t, b, tenant, query, func() {
		row := rows[len(rows)-int(seq)] // the last but one, and so on
		row.Document = object(0, document{"displayName": fmt.Sprint("Z", seq)}).Document
		mustAppend(t, a, tenant, []store.Commit{commit(seq)}, row)
		seq++
	})
	wantOrdinals(t, got, 0, 1, 2, 3)
	moved, err := b.Moved(t.Context(), tenant, store.KindUser, "displayName", 1)
	if err != nil || moved[2] != "=c" {
		t.Errorf("what moved is %v, %v; want c to have been the name of row 2", moved, err)
	}
}

func sharedSecrets(t *testing.T, open Place) {
	a, b, _ := beginShared(t, open)
	secretOf(t, a, b)
	tally(t, a, b)
	wantTally(t, a)
	wantTally(t, b)
}

func sharedTickets(t *testing.T, open Place) {
	a, b, _ := beginShared(t, open)
	contestTicket(t, a, b)
	one, two := ticket("one"), ticket("two")
	addTickets(t, a, one, two)
	wantTicket(t, b, one)
	if err := b.DropFamily(t.Context(), one.Family); err != nil {
		t.Fatal(err)
	}
	wantNoTicket(t, a, one)
	if _, err := a.DropTickets(t.Context(), two.Expires.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	wantNoTicket(t, b, two)
}

func sharedClose(t *testing.T, open Place) {
	a, b, tenant := beginShared(t, open)
	mustAppend(t, a, tenant, []store.Commit{commit(1)})
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	wantClosed(t, a, tenant)
	mustAppend(t, b, tenant, []store.Commit{commit(2)})
	if err := b.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	if got := allCommits(t, b, tenant, 0); len(got) != 2 {
		t.Errorf("there are %d commits, want 2", len(got))
	}
}
