package storetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// Author writes the log of a tenant. What a commit does follows from the seed and its number, so
// what a tenant must have at any commit is known without asking a store.
type Author struct {
	Seed uint64
	Many int // about how many rows of each kind there are
}

var authorKinds = []store.Kind{store.KindUser, store.KindGroup, store.KindPassword, store.KindAdministrativeUnit}

// step returns what a commit does. It adds, replaces, deletes and purges rows.
func (a Author) step(seq uint64) (store.Commit, []store.Object) {
	random := rand.New(rand.NewPCG(a.Seed, seq))
	c := store.Commit{
		Seq: seq, At: time.UnixMilli(1_700_000_000_000 + int64(seq)).UTC(), Format: 1 + random.Uint32N(8),
		Actor: fmt.Sprint("user ", random.Uint32()), Operation: "Ümläut 'quoted'",
		Effects: bytes.Repeat([]byte{byte(seq), 0, 0xff}, random.IntN(40)),
	}
	rows := map[store.RowKey]store.Object{}
	for range random.IntN(6) {
		var id uuid.UUID
		binary.BigEndian.PutUint64(id[:], random.Uint64())
		o := store.Object{
			Kind: authorKinds[random.IntN(len(authorKinds))], Ordinal: random.Uint32N(uint32(a.Many)), ID: id, Seq: seq,
			Document: fmt.Appendf(nil, `{ "displayName": "Élise %d", "mail": null, "pad": "%0*d"}`,
				random.IntN(1000), random.IntN(300), seq),
		}
		switch random.IntN(8) {
		case 0:
			o.Deleted = time.Unix(int64(seq), 0).UTC()
		case 1:
			o.Purged, o.Document = true, nil
		}
		rows[o.RowKey()] = o
	}
	var list []store.Object
	for _, o := range rows {
		list = append(list, o)
	}
	return c, list
}

// Write appends so many commits to the end of a tenant's log, a few at once, and returns where that
// is.
func (a Author) Write(ctx context.Context, s store.Log, tenant uuid.UUID, many int) (store.Place, error) {
	at, err := s.Place(ctx, tenant)
	for err == nil && many > 0 {
		var commits []store.Commit
		var rows []store.Object
		end := at
		for range min(many, 50) {
			c, list := a.step(end.Seq + 1)
			c.Chain = c.Link(end.Chain)
			commits, rows = append(commits, c), append(rows, list...)
			end = end.After(commits)
		}
		many -= len(commits)
		if err = s.Append(ctx, tenant, at, commits, rows); err == nil {
			at = end
		}
	}
	return at, err
}

// At returns the commits up to one, and the rows that they leave.
func (a Author) At(seq uint64) ([]store.Commit, []store.Object) {
	var commits []store.Commit
	rows, chain := map[store.RowKey]store.Object{}, store.Chain{}
	for n := uint64(1); n <= seq; n++ {
		c, list := a.step(n)
		chain = c.Link(chain)
		c.Chain = chain
		commits = append(commits, c)
		for _, o := range list {
			if rows[o.RowKey()] = o; o.Purged {
				delete(rows, o.RowKey())
			}
		}
	}
	var list []store.Object
	for _, o := range rows {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b store.Object) int { return a.RowKey().Compare(b.RowKey()) })
	return commits, list
}

// Want wants a tenant to be what the author has written up to the commit at which its log ends,
// which it returns.
func (a Author) Want(tb testing.TB, s store.Store, tenant uuid.UUID) (seq uint64) {
	tb.Helper()
	err := s.View(tb.Context(), tenant, func(v store.View) error {
		place, err := v.Place()
		if err != nil {
			return err
		}
		floors, err := v.Floors()
		if err != nil {
			return err
		}
		seq = place.Seq
		commits, rows := a.At(seq)
		if len(commits) > 0 && commits[len(commits)-1].Chain != place.Chain {
			tb.Errorf("at commit %d the chain is %x", seq, place.Chain)
		}
		floor := max(floors.Log, 1)
		var found []store.Commit
		if err := v.Commits(floor-1, func(c store.Commit) error {
			found = append(found, c)
			return nil
		}); err != nil {
			return err
		}
		wantSame(tb, fmt.Sprintf("the commits from %d to %d", floor, seq), commits[min(floor-1, seq):], found)
		there, err := v.Rows(store.RowKey{}, math.MaxInt32, math.MaxInt32)
		wantSame(tb, fmt.Sprintf("the rows at commit %d", seq), rows, there)
		return err
	})
	if err != nil {
		tb.Fatalf("read tenant %s: %v", tenant, err)
	}
	return seq
}

func wantSame[T any](tb testing.TB, what string, want, got []T) {
	tb.Helper()
	if len(want) != len(got) {
		tb.Errorf("%s are %d, want %d", what, len(got), len(want))
		return
	}
	for i := range want {
		if !reflect.DeepEqual(want[i], got[i]) && fmt.Sprint(want[i]) != fmt.Sprint(got[i]) { // nil is empty
			tb.Errorf("number %d of %s is %+v, want %+v", i, what, got[i], want[i])
			return
		}
	}
}
