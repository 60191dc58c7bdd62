package storetest

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// Place opens the store that is kept in one place. Called again after Close, it must return a store
// with the same data.
type Place func(t *testing.T) store.Store

// Stores describes where to open the stores to test.
type Stores struct {
	New    func(t *testing.T) Place // returns a new, empty place
	Shared bool                     // whether a place can be opened several times at once
}

// Run runs all tests, each in a place of its own.
func Run(t *testing.T, stores Stores) {
	run(t, stores, tests)
	if stores.Shared {
		run(t, stores, sharedTests)
	}
}

func run(t *testing.T, stores Stores, tests map[string]func(t *testing.T, open Place)) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, stores.New(t))
		})
	}
}

var tests = map[string]func(t *testing.T, open Place){
	"tenants are listed in the order of creation":     tenants,
	"an unknown tenant is not found":                  unknownTenant,
	"commits come back in order and unchanged":        commitsInOrder,
	"commits are read by their numbers":               commitsByNumber,
	"commits must follow the last one":                commitsMustFollow,
	"an append says where the log ends":               appendAtThePlace,
	"a fence shuts out who appends":                   fences,
	"an append that fails leaves nothing":             appendIsAtomic,
	"an append that has begun is not interrupted":     appendWithEndedContext,
	"of two writers one gets the next commit":         racingWriters,
	"many commits are read while others are appended": commitsWhileAppending,
	"the error of yield ends the reading":             yieldError,
	"objects are replaced, purged and restored":       objectsChange,
	"documents come back byte for byte":               documentsUnchanged,
	"objects are paged":                               paging,
	"objects are asked for by ordinals":               byOrdinals,
	"tenants and kinds are apart":                     apart,
	"reads end with their context":                    readsAreCancelled,
	"rows come in the order of a property":            orders,
	"a list keeps its order while rows change":        ordersLast,
	"orders that make no sense are refused":           badOrders,
	"rows below an ordinal":                           below,
	"a view stays as it was":                          views,
	"the rows of a view are paged":                    viewPages,
	"a tenant is filled and published":                fills,
	"a tenant that is not published is discarded":     discards,
	"nothing is appended to a frozen tenant":          freezes,
	"a tenant becomes again what it was":              rewinds,
	"a tenant is not rewound to what is not kept":     rewindIsRefused,
	"secrets are listed":                              secretNames,
	"parts are saved once":                            parts,
	"manifests are replaced by one at a time":         manifests,
	"parts that no manifest names are swept":          sweep,
	"names belong to one tenant":                      claims,
	"of tenants that claim a name at once one has it": claimsHaveOneWinner,
	"the log is trimmed":                              trimsLog,
	"old orders are trimmed":                          trimsMoved,
	"a secret is made once":                           secrets,
	"a secret whose making fails is not there":        secretFails,
	"a secret is replaced by one at a time":           secretReplaced,
	"tickets are added once":                          tickets,
	"tickets change":                                  ticketsChange,
	"of many who add or change a ticket one wins":     ticketsHaveOneWinner,
	"tickets end with their family":                   ticketsEndWithFamily,
	"tickets are dropped when they have expired":      ticketsAreDroppedInTime,
	"tickets are there after opening again":           ticketsLast,
	"sign-ins come back in order":                     signIns,
	"pages of sign-ins have what there was":           signInPages,
	"sign-ins are dropped by time":                    signInsAreDropped,
	"activities move forward":                         activities,
	"passwords are apart from users":                  passwords,
	"what was appended is there after opening again":  reopen,
	"a store answers a ping until it is closed":       ping,
	"readers see either all or nothing of an append":  readersSeeWhole,
}

// begin opens a store with one tenant.
func begin(t *testing.T, open Place) (store.Store, uuid.UUID) {
	t.Helper()
	s := open(t)
	id := uuid.New()
	if err := s.CreateTenant(t.Context(), id); err != nil {
		t.Fatalf("create a tenant: %v", err)
	}
	return s, id
}

func commit(seq uint64) store.Commit {
	return store.Commit{
		Seq: seq, At: time.UnixMilli(1_700_000_000_000 + int64(seq)).UTC(),
		Actor: "user 7f1c", Operation: "AssignUser", Format: 1 + uint32(seq%3), Effects: []byte{0, 1, 0xff, byte(seq)},
	}
}

func object(ordinal uint32, document any) store.Object {
	text, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	return store.Object{Kind: store.KindUser, Ordinal: ordinal, ID: uuid.New(), Document: text, Seq: uint64(ordinal)}
}

func mustAppend(t *testing.T, s store.Store, tenant uuid.UUID, commits []store.Commit, objects ...store.Object) {
	t.Helper()
	if err := Append(t.Context(), s, tenant, commits, objects); err != nil {
		t.Fatalf("append: %v", err)
	}
}

// Append appends commits to the end of a tenant's log, after setting their chains.
func Append(ctx context.Context, s store.Log, tenant uuid.UUID, commits []store.Commit, objects []store.Object) error {
	at, err := s.Place(ctx, tenant)
	if err != nil {
		return err
	}
	if len(commits) > 0 {
		at.Seq = commits[0].Seq - 1
	}
	link(at.Chain, commits)
	return s.Append(ctx, tenant, at, commits, objects)
}

// link sets the chains of commits, given that of the previous one.
func link(before store.Chain, commits []store.Commit) {
	for i := range commits {
		before = commits[i].Link(before)
		commits[i].Chain = before
	}
}

func users() store.Query { return store.Query{Kind: store.KindUser, After: -1} }

// find returns the rows that a query selects.
func find(t *testing.T, s store.Store, tenant uuid.UUID, query store.Query) []store.Object {
	t.Helper()
	rows, err := s.Objects(t.Context(), tenant, query)
	if err != nil {
		t.Fatalf("objects: %v", err)
	}
	return rows
}

func ordinals(rows []store.Object) []uint32 {
	found := []uint32{}
	for _, row := range rows {
		found = append(found, row.Ordinal)
	}
	return found
}

func wantOrdinals(t *testing.T, rows []store.Object, want ...uint32) {
	t.Helper()
	if got := ordinals(rows); !slices.Equal(got, want) {
		t.Errorf("got ordinals %v, want %v", got, want)
	}
}

func allCommits(t *testing.T, s store.Store, tenant uuid.UUID, after uint64) []store.Commit {
	t.Helper()
	var commits []store.Commit
	err := s.Commits(context.Background(), tenant, after, func(c store.Commit) error {
		commits = append(commits, c)
		return nil
	})
	if err != nil {
		t.Fatalf("commits: %v", err)
	}
	return commits
}
