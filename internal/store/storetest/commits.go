package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

func tenants(t *testing.T, open Place) {
	s, first := begin(t, open)
	want := []uuid.UUID{first}
	for range 5 {
		id := uuid.New()
		if err := s.CreateTenant(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		want = append(want, id)
	}
	if err := s.CreateTenant(t.Context(), first); !errors.Is(err, store.ErrExists) {
		t.Errorf("creating a tenant twice answers %v, want ErrExists", err)
	}
	if got, err := s.Tenants(t.Context()); err != nil || !slices.Equal(got, want) {
		t.Errorf("got tenants %v, %v; want %v", got, err, want)
	}
}

func unknownTenant(t *testing.T, open Place) {
	s, _ := begin(t, open)
	nobody := uuid.New()
	_, objects := s.Objects(t.Context(), nobody, users())
	_, moved := s.Moved(t.Context(), nobody, store.KindUser, "mail", 0)
	_, parts := s.Parts(t.Context(), nobody, nil)
	_, place := s.Place(t.Context(), nobody)
	_, fence := s.Fence(t.Context(), nobody)
	_, manifests := s.Manifests(t.Context(), nobody)
	_, swept := s.Sweep(t.Context(), nobody, noon)
	_, floors := s.Floors(t.Context(), nobody)
	_, log := s.TrimLog(t.Context(), nobody, 1)
	_, numbered := s.CommitsAt(t.Context(), nobody, []uint64{1}, 1)
	_, orders := s.TrimMoved(t.Context(), nobody, 1)
	_, frozen := s.Frozen(t.Context(), nobody)
	_, freeze := s.Freeze(t.Context(), nobody, "it moves")
	_, discard := s.Discard(t.Context(), nobody)
	for name, err := range map[string]error{
		"View":    s.View(t.Context(), nobody, func(store.View) error { return nil }),
		"Fill":    s.Fill(t.Context(), nobody, []store.Commit{commit(1)}, nil),
		"Publish": s.Publish(t.Context(), nobody, store.Place{Seq: 1}, store.Floors{}),
		"Frozen":  frozen, "Freeze": freeze, "Discard": discard,
		"Append":          s.Append(t.Context(), nobody, store.Place{}, []store.Commit{commit(1)}, nil),
		"Commits":         s.Commits(t.Context(), nobody, 0, func(store.Commit) error { return nil }),
		"SaveParts":       s.SaveParts(t.Context(), nobody, []store.Part{{Name: "a"}}, noon),
		"ReplaceManifest": s.ReplaceManifest(t.Context(), nobody, store.Manifest{Name: "newest"}, noon),
		"DropManifest":    s.DropManifest(t.Context(), nobody, "newest", noon),
		"Manifests":       manifests, "Sweep": swept, "Floors": floors, "TrimLog": log, "TrimMoved": orders,
		"CommitsAt": numbered, "Objects": objects, "Moved": moved, "Parts": parts, "Place": place, "Fence": fence,
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s answers %v, want ErrNotFound", name, err)
		}
	}
}

func commitsInOrder(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	want := []store.Commit{commit(1), commit(2), commit(3), commit(4)}
	want[1].Actor, want[1].Operation = "", "Ümläut 'quoted' \"twice\""
	want[2].Effects = slices.Repeat([]byte{0, 0xee}, 1<<20)
	want[3].At = time.Date(1969, 7, 20, 20, 17, 40, 123e6, time.UTC)
	mustAppend(t, s, tenant, want[:1])
	mustAppend(t, s, tenant, want[1:])
	for after := range want {
		if got := allCommits(t, s, tenant, uint64(after)); !reflect.DeepEqual(got, want[after:]) {
			t.Errorf("the commits after %d are not those appended", after)
		}
	}
	for _, after := range []uint64{4, 5, math.MaxUint64} {
		if got := allCommits(t, s, tenant, after); len(got) != 0 {
			t.Errorf("got %d commits after %d", len(got), after)
		}
	}
	without := commit(5)
	without.Effects = nil
	mustAppend(t, s, tenant, []store.Commit{without})
	if got := allCommits(t, s, tenant, 4); len(got) != 1 || len(got[0].Effects) != 0 {
		t.Errorf("got %v for a commit without effects", got)
	}
}

func commitsByNumber(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	var want []store.Commit
	for seq := range uint64(300) {
		c := commit(seq + 1)
		c.Effects = slices.Repeat([]byte{byte(seq)}, 100)
		want = append(want, c)
	}
	mustAppend(t, s, tenant, want)
	want = allCommits(t, s, tenant, 0)
	if _, err := s.TrimLog(t.Context(), tenant, 5); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		seqs  []uint64
		bytes int
		want  []uint64
	}{
		{nil, 1, nil},
		{[]uint64{7}, 1, []uint64{7}},
		{[]uint64{7}, 0, nil},
		{[]uint64{6, 9, 300}, 1 << 20, []uint64{6, 9, 300}},
		{[]uint64{300, 9, 6}, 1 << 20, []uint64{300, 9, 6}},
		{[]uint64{6, 9, 300}, 101, []uint64{6, 9}},
		{[]uint64{300, 9, 6}, 200, []uint64{300, 9}},
		{[]uint64{0, 1, 4, 5, 301, math.MaxUint64}, 1 << 20, []uint64{5}},
		{[]uint64{math.MaxUint64, 302, 301}, 1 << 20, nil},
	} {
		got, err := s.CommitsAt(t.Context(), tenant, c.seqs, c.bytes)
		if err != nil || len(got) != len(c.want) {
			t.Errorf("commits %v, at most %d bytes: %d commits, %v; want %v", c.seqs, c.bytes, len(got), err, c.want)
			continue
		}
		for i, seq := range c.want {
			if !reflect.DeepEqual(got[i], want[seq-1]) {
				t.Errorf("commits %v, at most %d bytes: commit %d is %v", c.seqs, c.bytes, seq, got[i])
			}
		}
	}
	many := make([]uint64, store.MaxCommitsAt+1)
	if _, err := s.CommitsAt(t.Context(), tenant, many, 1); !errors.Is(err, store.ErrQuery) {
		t.Errorf("too many numbers: %v, want ErrQuery", err)
	}
}

func commitsMustFollow(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	mustAppend(t, s, tenant, []store.Commit{commit(1), commit(2)})
	for _, seqs := range [][]uint64{{1}, {2}, {4}, {2, 3}, {4, 5}} {
		var commits []store.Commit
		for _, seq := range seqs {
			commits = append(commits, commit(seq))
		}
		if err := Append(t.Context(), s, tenant, commits, nil); !errors.Is(err, store.ErrConflict) {
			t.Errorf("appending %v after 2 answers %v, want ErrConflict", seqs, err)
		}
	}
	for _, commits := range [][]store.Commit{
		{commit(0)},
		{commit(3), commit(5)},
		{commit(3), commit(3)},
		{commit(4), commit(3)},
		{commit(math.MaxUint64)},
	} {
		if err := Append(t.Context(), s, tenant, commits, nil); err == nil {
			t.Errorf("appending %d commits that do not count up from 3 has no error", len(commits))
		}
	}
	mustAppend(t, s, tenant, nil)
	mustAppend(t, s, tenant, []store.Commit{commit(3)})
	if got := allCommits(t, s, tenant, 0); len(got) != 3 {
		t.Errorf("there are %d commits, want 3", len(got))
	}
}

// appendAtThePlace: the number of the last commit is not enough, since a log with another history
// up to there is another log.
func appendAtThePlace(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	if at, err := s.Place(t.Context(), tenant); err != nil || at != (store.Place{}) {
		t.Errorf("an empty log ends at %+v, %v", at, err)
	}
	commits := []store.Commit{commit(1), commit(2)}
	mustAppend(t, s, tenant, commits)
	at, err := s.Place(t.Context(), tenant)
	if want := (store.Place{Seq: 2, Chain: commits[1].Chain}); err != nil || at != want {
		t.Errorf("the log ends at %+v, %v; want %+v", at, err, want)
	}
	other, later := at, at
	other.Chain[3]++
	later.Epoch++
	for _, wrong := range []store.Place{other, later, {Seq: 2}} {
		third := []store.Commit{commit(3)}
		link(wrong.Chain, third)
		if err := s.Append(t.Context(), tenant, wrong, third, nil); !errors.Is(err, store.ErrConflict) {
			t.Errorf("appending at %+v instead of %+v answers %v, want ErrConflict", wrong, at, err)
		}
	}
	rows := []store.Object{object(0, document{})}
	if err := s.Append(t.Context(), tenant, store.Place{Seq: 1}, nil, rows); !errors.Is(err, store.ErrConflict) {
		t.Errorf("appending rows without commits at another place answers %v, want ErrConflict", err)
	}
	mustAppend(t, s, tenant, []store.Commit{commit(3)})
}

func fences(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	want := fence(t, tenant, s, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if at, err := open(t).Place(t.Context(), tenant); err != nil || at != want {
		t.Errorf("after opening again the log ends at %+v, %v; want %+v", at, err, want)
	}
}

// fence has one store append to an empty log, another fence it off, and both append again. It
// returns the place after that.
func fence(t *testing.T, tenant uuid.UUID, appending, fencing store.Store) store.Place {
	t.Helper()
	mustAppend(t, appending, tenant, []store.Commit{commit(1)})
	before, err := appending.Place(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	fenced, err := fencing.Fence(t.Context(), tenant)
	if want := (store.Place{Seq: 1, Chain: before.Chain, Epoch: before.Epoch + 1}); err != nil || fenced != want {
		t.Fatalf("a fence answers %+v, %v; want %+v", fenced, err, want)
	}
	second := []store.Commit{commit(2)}
	link(before.Chain, second)
	if err := appending.Append(t.Context(), tenant, before, second, nil); !errors.Is(err, store.ErrConflict) {
		t.Errorf("an append from before the fence answers %v, want ErrConflict", err)
	}
	if err := fencing.Append(t.Context(), tenant, fenced, second, nil); err != nil {
		t.Errorf("an append after the fence answers %v", err)
	}
	return fenced.After(second)
}

func appendIsAtomic(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	mustAppend(t, s, tenant, []store.Commit{commit(1)}, object(0, map[string]any{"displayName": "before"}))
	bad := object(2, map[string]any{})
	for _, document := range []string{"", "{", `"text"`, `{"a":}`, "[]"} {
		bad.Document = []byte(document)
		rows := []store.Object{object(0, map[string]any{"displayName": "after"}), object(1, map[string]any{}), bad}
		if err := Append(t.Context(), s, tenant, []store.Commit{commit(2)}, rows); err == nil {
			t.Errorf("appending the document %q has no error", document)
		}
	}
	rows := []store.Object{object(0, map[string]any{"displayName": "after"})}
	if err := Append(t.Context(), s, tenant, []store.Commit{commit(7)}, rows); !errors.Is(err, store.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
	found := find(t, s, tenant, users())
	wantOrdinals(t, found, 0)
	if string(found[0].Document) != `{"displayName":"before"}` {
		t.Errorf("the document is %s", found[0].Document)
	}
	if got := allCommits(t, s, tenant, 0); len(got) != 1 {
		t.Errorf("there are %d commits, want 1", len(got))
	}
	mustAppend(t, s, tenant, []store.Commit{commit(2)})
}

func appendWithEndedContext(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	next := uint64(1)
	for i := range 50 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*20*time.Microsecond)
		err := Append(ctx, s, tenant, []store.Commit{commit(next)},
			[]store.Object{object(uint32(next), map[string]any{})})
		cancel()
		if err == nil {
			next++
		}
		if got := len(allCommits(t, s, tenant, 0)); got != int(next-1) {
			t.Fatalf("after the error %v there are %d commits, want %d", err, got, next-1)
		}
	}
}

func racingWriters(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	raceToAppend(t, tenant, s)
}

// raceToAppend has several writers, spread over the stores, append the same commits.
func raceToAppend(t *testing.T, tenant uuid.UUID, stores ...store.Store) {
	t.Helper()
	var won atomic.Int64
	var all sync.WaitGroup
	for i := range 8 {
		s := stores[i%len(stores)]
		all.Go(func() {
			for seq := uint64(1); seq <= 10; seq++ {
				err := Append(t.Context(), s, tenant, []store.Commit{commit(seq)},
					[]store.Object{object(uint32(seq), map[string]any{})})
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, store.ErrConflict) {
					t.Errorf("append %d: %v", seq, err)
				}
			}
		})
	}
	all.Wait()
	for _, s := range stores {
		if got := len(allCommits(t, s, tenant, 0)); int64(got) != won.Load() || got == 0 {
			t.Errorf("%d appends had no error, and there are %d commits", won.Load(), got)
		}
	}
}

func commitsWhileAppending(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	var batch []store.Commit
	for seq := uint64(1); seq <= 2500; seq++ {
		batch = append(batch, commit(seq))
	}
	mustAppend(t, s, tenant, batch)
	want, next := uint64(1), uint64(2501)
	err := s.Commits(t.Context(), tenant, 0, func(c store.Commit) error {
		if c.Seq != want {
			return fmt.Errorf("commit %d comes, want %d", c.Seq, want)
		}
		want++
		if c.Seq%500 != 0 || next > 2505 {
			return nil
		}
		next++
		return Append(t.Context(), s, tenant, []store.Commit{commit(next - 1)}, nil)
	})
	if err != nil || want < 2501 {
		t.Errorf("read up to commit %d with %v", want-1, err)
	}
}

func yieldError(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	mustAppend(t, s, tenant, []store.Commit{commit(1), commit(2), commit(3)})
	enough := errors.New("enough")
	calls := 0
	err := s.Commits(t.Context(), tenant, 0, func(c store.Commit) error {
		if calls++; c.Seq == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || calls != 2 {
		t.Errorf("got %v after %d commits, want %v after 2", err, calls, enough)
	}
}
