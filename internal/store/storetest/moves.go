package storetest

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// whole is a tenant as a view shows it.
type whole struct {
	Place     store.Place
	Floors    store.Floors
	Manifests []store.Manifest
	Claims    map[string]store.Claim
	Commits   []store.Commit
	Rows      []store.Object
	Marks     []store.Mark
}

// all reads everything of a view, in pages.
func all(t *testing.T, v store.View) (w whole) {
	t.Helper()
	var err error
	read := func(what string, e error) {
		t.Helper()
		if e != nil {
			t.Fatalf("%s of a view: %v", what, e)
		}
	}
	w.Place, err = v.Place()
	read("the place", err)
	w.Floors, err = v.Floors()
	read("the floors", err)
	w.Manifests, err = v.Manifests()
	read("the manifests", err)
	claims, err := v.Claims()
	read("the claims", err)
	w.Claims = map[string]store.Claim{}
	for _, c := range claims {
		w.Claims[c.Name] = c
	}
	read("the commits", v.Commits(max(w.Floors.Log, 1)-1, func(c store.Commit) error {
		w.Commits = append(w.Commits, c)
		return nil
	}))
	counted, rows, err := v.Count()
	read("the counts", err)
	if counted != int64(len(w.Commits)) {
		t.Errorf("%d commits are counted, and there are %d", counted, len(w.Commits))
	}
	for key := (store.RowKey{}); ; {
		rows, err := v.Rows(key, 3, math.MaxInt32)
		read("the rows", err)
		if len(rows) == 0 {
			break
		}
		w.Rows, key = append(w.Rows, rows...), rows[len(rows)-1].RowKey()
	}
	if rows != int64(len(w.Rows)) {
		t.Errorf("%d rows are counted, and there are %d", rows, len(w.Rows))
	}
	for key := (store.RowKey{}); ; {
		marks, err := v.Marks(key, 2)
		read("the marks", err)
		if len(marks) == 0 {
			return w
		}
		w.Marks, key = append(w.Marks, marks...), marks[len(marks)-1].RowKey
	}
}

func viewOf(t *testing.T, s store.Store, tenant uuid.UUID) (w whole) {
	t.Helper()
	err := s.View(t.Context(), tenant, func(v store.View) error {
		w = all(t, v)
		return nil
	})
	if err != nil {
		t.Fatalf("view: %v", err)
	}
	return w
}

// variety appends commits that leave rows of several kinds, one deleted, one purged and one
// replaced, and returns the rows in the order of a view.
func variety(t *testing.T, s store.Store, tenant uuid.UUID) []store.Object {
	t.Helper()
	var rows []store.Object
	for _, kind := range []store.Kind{store.KindUser, store.KindPassword, store.KindAdministrativeUnit} {
		for i := range uint32(4) {
			row := object(i, document{"displayName": fmt.Sprint(kind, i)})
			row.Kind, row.Seq = kind, 1
			rows = append(rows, row)
		}
	}
	mustAppend(t, s, tenant, []store.Commit{commit(1)}, rows...)
	rows[1].Deleted, rows[1].Seq = noon, 2
	purged := rows[2]
	purged.Purged = true
	rows[5].Document, rows[5].Seq = []byte(`{"hash": "another"}`), 2
	mustAppend(t, s, tenant, []store.Commit{commit(2), commit(3)}, rows[1], purged, rows[5])
	return slices.Delete(rows, 2, 3)
}

func views(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	viewStays(t, tenant, s, s)
}

// viewStays writes to one store while a view of another is read.
func viewStays(t *testing.T, tenant uuid.UUID, s, writer store.Store) {
	t.Helper()
	rows := variety(t, writer, tenant)
	if _, err := writer.Claim(t.Context(), tenant, []string{"mine"}, noon); err != nil {
		t.Fatal(err)
	}
	before := viewOf(t, s, tenant)
	if !reflect.DeepEqual(before.Rows, rows) {
		t.Errorf("the rows of a view are %v, want %v", before.Rows, rows)
	}
	for i := range rows {
		if i >= len(before.Marks) || before.Marks[i] != rows[i].Mark() {
			t.Errorf("the marks of a view are %v; want that of %v", before.Marks, rows[i])
		}
	}
	err := s.View(t.Context(), tenant, func(v store.View) error {
		row, purged := rows[0], rows[1]
		row.Document, purged.Purged = []byte(`{"displayName":"changed"}`), true
		mustAppend(t, writer, tenant, []store.Commit{commit(4)}, row, purged, object(9, document{}))
		if _, err := writer.Claim(t.Context(), tenant, []string{"another"}, noon); err != nil {
			t.Error(err)
		}
		saveAll(t, writer, tenant)
		if n, err := writer.TrimLog(t.Context(), tenant, 3); err != nil || n != 2 {
			t.Errorf("%d commits were trimmed, %v", n, err)
		}
		if got := all(t, v); !reflect.DeepEqual(got, before) {
			t.Errorf("a view has changed to %+v, was %+v", got, before)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	after := viewOf(t, s, tenant)
	if after.Place.Seq != 4 || len(after.Rows) != len(rows) || len(after.Claims) != 2 || len(after.Manifests) != 1 ||
		after.Floors.Log != 3 || len(after.Commits) != 2 {
		t.Errorf("a later view is %+v", after)
	}
	broken := errors.New("the disk is full")
	if err := s.View(t.Context(), tenant, func(store.View) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("the error of a view's user is answered as %v", err)
	}
}

// saveAll saves a snapshot of one part.
func saveAll(t *testing.T, s store.Store, tenant uuid.UUID) {
	t.Helper()
	head := store.NewPart("head", []byte("data"))
	if err := s.SaveParts(t.Context(), tenant, []store.Part{head}, noon); err != nil {
		t.Fatal(err)
	}
	m := store.Manifest{Name: "newest", Seq: 3, Head: head.Name}
	if err := s.ReplaceManifest(t.Context(), tenant, m, noon); err != nil {
		t.Fatal(err)
	}
}

func viewPages(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	rows := variety(t, s, tenant)
	err := s.View(t.Context(), tenant, func(v store.View) error {
		for from := range rows {
			key := store.RowKey{}
			if from > 0 {
				key = rows[from-1].RowKey()
			}
			for limit := 1; limit <= len(rows); limit++ {
				want := rows[from:min(from+limit, len(rows))]
				got, err := v.Rows(key, limit, math.MaxInt32)
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%d rows after %v are %v, %v; want %v", limit, key, got, err, want)
				}
				marks, err := v.Marks(key, limit)
				if err != nil || len(marks) != len(want) || marks[0].RowKey != want[0].RowKey() {
					t.Errorf("%d marks after %v are %v, %v", limit, key, marks, err)
				}
			}
			got, err := v.Rows(key, 100, len(rows[from].Document)+1)
			if want := min(2, len(rows)-from); err != nil || len(got) != want {
				t.Errorf("after %v, %d rows have one byte more than the first, %v; want %d", key, len(got), err, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func fills(t *testing.T, open Place) {
	s, from := begin(t, open)
	rows := variety(t, s, from)
	to := uuid.New()
	if err := s.CreateTenant(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	commits := []store.Commit{commit(7), commit(8), commit(9)}
	link(store.Chain{1, 2, 3}, commits)
	wrong := commits[0]
	wrong.Actor = "another"
	for _, some := range [][]store.Commit{{wrong}, commits[:1], nil, commits[1:]} {
		if err := s.Fill(t.Context(), to, some, rows); err != nil {
			t.Fatal(err)
		}
	}
	gone := rows[3]
	gone.Purged = true
	if err := s.Fill(t.Context(), to, nil, []store.Object{gone}); err != nil {
		t.Fatal(err)
	}
	rows = slices.Delete(rows, 3, 4)
	bad := []store.Object{object(71, document{}), object(70, document{})}
	bad[1].Document = []byte("[]")
	if err := s.Fill(t.Context(), to, []store.Commit{commit(10)}, bad); err == nil {
		t.Error("a document that is not an object was accepted")
	}
	w := viewOf(t, s, to)
	if !reflect.DeepEqual(w.Rows, rows) || !reflect.DeepEqual(w.Commits, commits) ||
		w.Place.Seq != 0 || w.Floors.Log != 7 {
		t.Errorf("what was filled in is %+v", w)
	}
	end := store.Place{Seq: 9, Chain: commits[2].Chain}
	for _, bad := range []uint64{0, math.MaxUint64} {
		if err := s.Publish(t.Context(), to, store.Place{Seq: bad}, store.Floors{}); err == nil {
			t.Errorf("a tenant was published at commit %d", bad)
		}
	}
	if err := s.Publish(t.Context(), to, end, store.Floors{Log: 7, Moved: 9}); err != nil {
		t.Fatal(err)
	}
	wantPublished(t, s, to, end)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t)
	published := viewOf(t, s, to)
	if published.Place != (store.Place{Seq: 9, Chain: end.Chain, Epoch: published.Place.Epoch}) ||
		published.Floors != (store.Floors{Log: 7, Moved: 9}) ||
		!reflect.DeepEqual(published.Rows, rows) || !reflect.DeepEqual(published.Commits, commits) {
		t.Errorf("what was published is %+v", published)
	}
	worksOn(t, s, to)
}

// worksOn wants a tenant that was published with commits 7 to 9 to be like any other.
func worksOn(t *testing.T, s store.Store, to uuid.UUID) {
	t.Helper()
	wantNoCommits(t, s, to, 5)
	mustAppend(t, s, to, []store.Commit{commit(10)}, object(3, document{"displayName": "A"}))
	wantOrdinals(t, find(t, s, to, store.Query{
		Kind: store.KindUser, After: -1, Order: &store.Order{Property: "displayName", AsOf: 10},
	}), 0, 1, 3)
	_, err := s.Moved(t.Context(), to, store.KindUser, "displayName", 8)
	if !errors.Is(err, store.ErrTrimmed) {
		t.Errorf("the order from before a tenant was published answers %v, want ErrTrimmed", err)
	}
}

// wantPublished wants a tenant to be one that cannot be filled.
func wantPublished(t *testing.T, s store.Store, tenant uuid.UUID, at store.Place) {
	t.Helper()
	_, discard := s.Discard(t.Context(), tenant)
	for name, err := range map[string]error{
		"Fill":    s.Fill(t.Context(), tenant, nil, []store.Object{object(70, document{})}),
		"Publish": s.Publish(t.Context(), tenant, at, store.Floors{}),
		"Discard": discard,
	} {
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s of a tenant that is published answers %v, want ErrConflict", name, err)
		}
	}
}

func discards(t *testing.T, open Place) {
	s, kept := begin(t, open)
	variety(t, s, kept)
	before := viewOf(t, s, kept)
	tenant := uuid.New()
	if err := s.CreateTenant(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	var rows []store.Object
	for i := range uint32(store.TrimRows + 10) {
		rows = append(rows, object(i, document{}))
	}
	if err := s.Fill(t.Context(), tenant, []store.Commit{commit(1)}, rows); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Claim(t.Context(), tenant, []string{"name"}, noon); err != nil {
		t.Fatal(err)
	}
	saveAll(t, s, tenant)
	total := 0
	for {
		n, err := s.Discard(t.Context(), tenant)
		if err != nil || n > store.TrimRows {
			t.Fatalf("%d rows were discarded, %v", n, err)
		}
		if total += n; n == 0 {
			break
		}
	}
	if total < len(rows)+1 {
		t.Errorf("%d rows were discarded", total)
	}
	if list, err := s.Tenants(t.Context()); err != nil || !slices.Equal(list, []uuid.UUID{kept}) {
		t.Errorf("the tenants are %v, %v", list, err)
	}
	if _, err := s.Place(t.Context(), tenant); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the place of a tenant that was discarded answers %v", err)
	}
	if claims, err := s.Claimed(t.Context(), []string{"name"}); err != nil || len(claims) != 0 {
		t.Errorf("the claims are %v, %v", claims, err)
	}
	if err := s.CreateTenant(t.Context(), tenant); err != nil {
		t.Errorf("create it again: %v", err)
	}
	again := viewOf(t, s, tenant)
	if len(again.Rows)+len(again.Commits)+len(again.Manifests) > 0 || again.Floors.Log > 1 {
		t.Errorf("a new tenant of that id has %+v", again)
	}
	if after := viewOf(t, s, kept); !reflect.DeepEqual(after, before) {
		t.Errorf("another tenant is %+v, was %+v", after, before)
	}
}

func freezes(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	freezeOneAppendOther(t, tenant, s, s)
	place, err := s.Freeze(t.Context(), tenant, "it moves")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t)
	if why, err := s.Frozen(t.Context(), tenant); err != nil || why != "it moves" {
		t.Errorf("after opening again the tenant is frozen because %q, %v", why, err)
	}
	next := []store.Commit{commit(place.Seq + 1)}
	link(place.Chain, next)
	if err := s.Append(t.Context(), tenant, place, next, nil); !errors.Is(err, store.ErrFrozen) {
		t.Errorf("after opening again an append answers %v, want ErrFrozen", err)
	}
}

// freezeOneAppendOther freezes a tenant of one store, and appends to it with another.
func freezeOneAppendOther(t *testing.T, tenant uuid.UUID, s, other store.Store) {
	t.Helper()
	mustAppend(t, other, tenant, []store.Commit{commit(1)})
	before, err := other.Place(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	frozen, err := s.Freeze(t.Context(), tenant, "it moves")
	if want := (store.Place{Seq: 1, Chain: before.Chain, Epoch: before.Epoch + 1}); err != nil || frozen != want {
		t.Fatalf("freezing answers %+v, %v; want %+v", frozen, err, want)
	}
	second := []store.Commit{commit(2)}
	link(before.Chain, second)
	for _, at := range []store.Place{before, frozen} {
		err := other.Append(t.Context(), tenant, at, second, []store.Object{object(0, document{})})
		if !errors.Is(err, store.ErrFrozen) || !strings.Contains(err.Error(), "it moves") {
			t.Errorf("an append to a frozen tenant answers %v, want ErrFrozen and why", err)
		}
	}
	if why, err := other.Frozen(t.Context(), tenant); err != nil || why != "it moves" {
		t.Errorf("the tenant is frozen because %q, %v", why, err)
	}
	if len(find(t, other, tenant, users())) > 0 {
		t.Error("a row came into a frozen tenant")
	}
	thawed, err := s.Freeze(t.Context(), tenant, "")
	if err != nil || thawed.Epoch <= frozen.Epoch {
		t.Fatalf("ending it answers %+v, %v", thawed, err)
	}
	if err := other.Append(t.Context(), tenant, before, second, nil); !errors.Is(err, store.ErrConflict) {
		t.Errorf("an append from before answers %v, want ErrConflict", err)
	}
	if err := other.Append(t.Context(), tenant, thawed, second, nil); err != nil {
		t.Errorf("an append afterwards answers %v", err)
	}
	if why, err := s.Frozen(t.Context(), tenant); err != nil || why != "" {
		t.Errorf("the tenant is frozen because %q, %v", why, err)
	}
}

func secretNames(t *testing.T, open Place) {
	s, _ := begin(t, open)
	if names, err := s.SecretNames(t.Context()); err != nil || len(names) > 0 {
		t.Errorf("there are secrets %v, %v", names, err)
	}
	for _, name := range []string{"b", "a", "B"} {
		if _, err := s.Secret(t.Context(), name, func() ([]byte, error) { return []byte(name), nil }); err != nil {
			t.Fatal(err)
		}
	}
	if names, err := s.SecretNames(t.Context()); err != nil || !slices.Equal(names, []string{"B", "a", "b"}) {
		t.Errorf("there are secrets %v, %v", names, err)
	}
}

func sharedViews(t *testing.T, open Place) {
	a, b, tenant := beginShared(t, open)
	viewStays(t, tenant, a, b)
}

func sharedFreezes(t *testing.T, open Place) {
	a, b, tenant := beginShared(t, open)
	freezeOneAppendOther(t, tenant, a, b)
}
