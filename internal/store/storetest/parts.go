package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func saveParts(t *testing.T, s store.Store, tenant uuid.UUID, at time.Time, parts ...store.Part) {
	t.Helper()
	if err := s.SaveParts(t.Context(), tenant, parts, at); err != nil {
		t.Fatalf("save parts: %v", err)
	}
}

func wantParts(t *testing.T, s store.Store, tenant uuid.UUID, parts ...store.Part) {
	t.Helper()
	got, err := s.Parts(t.Context(), tenant, namesOf(parts))
	if err != nil || len(got)+len(parts) > 0 && !reflect.DeepEqual(got, parts) {
		t.Errorf("got other parts than were saved as %q: %v", namesOf(parts), err)
	}
}

func namesOf(parts []store.Part) (names []string) {
	for _, part := range parts {
		names = append(names, part.Name)
	}
	return names
}

func wantNoParts(t *testing.T, s store.Store, tenant uuid.UUID, parts ...store.Part) {
	t.Helper()
	for _, part := range parts {
		if _, err := s.Parts(t.Context(), tenant, []string{part.Name}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("part %s that is missing answers %v, want ErrNotFound", part.Name, err)
		}
	}
}

func parts(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	large := store.NewPart("users", slices.Repeat([]byte{1, 0, 2}, 1<<20))
	odd := store.Part{Name: `it's "ünusual"`, Data: []byte{0}}
	small := store.NewPart("small", []byte{1})
	saveParts(t, s, tenant, noon, large, odd, small)
	wantParts(t, s, tenant, odd, large, odd, small)
	wantParts(t, s, tenant)
	saveParts(t, s, tenant, noon, large)
	wantParts(t, s, tenant, large)
	if _, err := s.Parts(t.Context(), tenant, []string{odd.Name, "none"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("parts of which one is missing answer %v, want ErrNotFound", err)
	}
}

// replace replaces the manifest with a name; the first of the parts is its head.
func replace(
	s store.Store, t *testing.T, tenant uuid.UUID, at time.Time, m store.Manifest, parts ...store.Part,
) (store.Manifest, error) {
	names := namesOf(parts)
	m.Head, m.Parts = names[0], names[1:]
	err := s.ReplaceManifest(t.Context(), tenant, m, at)
	if err == nil {
		m.Version++
	}
	return m, err
}

func wantManifests(t *testing.T, s store.Store, tenant uuid.UUID, want ...store.Manifest) {
	t.Helper()
	got, err := s.Manifests(t.Context(), tenant)
	if err != nil || len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("the manifests are %+v, %v; want %+v", got, err, want)
	}
}

func manifests(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	head := store.NewPart("head", []byte("1"))
	users, groups := store.NewPart("users", []byte("u")), store.NewPart("groups", []byte("g"))
	saveParts(t, s, tenant, noon, head, users)
	wantManifests(t, s, tenant)
	_, err := replace(s, t, tenant, noon, store.Manifest{Name: "newest"}, head, users, groups)
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a manifest that names a part that is missing answers %v, want ErrNotFound", err)
	}
	_, err = replace(s, t, tenant, noon, store.Manifest{Name: "newest", Version: 1}, head, users)
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("a manifest that replaces one that is missing answers %v, want ErrConflict", err)
	}
	wantManifests(t, s, tenant)
	first, err := replace(s, t, tenant, noon, store.Manifest{Name: "newest", Seq: 7}, head, users)
	if err != nil {
		t.Fatal(err)
	}
	wantManifests(t, s, tenant, first)
	_, err = replace(s, t, tenant, noon, store.Manifest{Name: "newest", Seq: 8}, head)
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("a manifest that is there answers %v, want ErrConflict", err)
	}
	daily, err := replace(s, t, tenant, noon, store.Manifest{Name: "2026-11-27", Seq: 6}, users, head)
	if err != nil {
		t.Fatal(err)
	}
	first.Seq = 9
	second, err := replace(s, t, tenant, noon, first, users)
	if err != nil || second.Version != 2 {
		t.Fatalf("the second manifest is %+v, %v", second, err)
	}
	second.Parts = nil
	wantManifestsLoosely(t, s, tenant, second, daily)
	if err := s.DropManifest(t.Context(), tenant, "newest", noon); err != nil {
		t.Fatal(err)
	}
	if err := s.DropManifest(t.Context(), tenant, "none", noon); err != nil {
		t.Errorf("dropping a manifest that is missing answers %v", err)
	}
	wantManifests(t, s, tenant, daily)
}

// wantManifestsLoosely is wantManifests, but an empty list of parts may be nil.
func wantManifestsLoosely(t *testing.T, s store.Store, tenant uuid.UUID, want ...store.Manifest) {
	t.Helper()
	got, err := s.Manifests(t.Context(), tenant)
	for i := range got {
		if len(got[i].Parts) == 0 {
			got[i].Parts = nil
		}
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the manifests are %+v, %v; want %+v", got, err, want)
	}
}

func sweep(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	old, named, dropped, fresh := store.NewPart("p", []byte("old")), store.NewPart("p", []byte("named")),
		store.NewPart("p", []byte("dropped")), store.NewPart("p", []byte("fresh"))
	saveParts(t, s, tenant, noon, old, named, dropped, fresh)
	m, err := replace(s, t, tenant, noon, store.Manifest{Name: "newest", Seq: 1}, named, dropped)
	if err != nil {
		t.Fatal(err)
	}
	later := noon.Add(time.Hour)
	saveParts(t, s, tenant, later, fresh)
	if _, err := replace(s, t, tenant, later, m, named); err != nil {
		t.Fatal(err)
	}
	wantSwept(t, s, tenant, noon, 0)
	wantSwept(t, s, tenant, noon.Add(time.Second), 1)
	wantNoParts(t, s, tenant, old)
	wantParts(t, s, tenant, named, dropped, fresh)
	if err := s.DropManifest(t.Context(), tenant, "newest", later.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	wantSwept(t, s, tenant, later.Add(time.Second), 2)
	wantNoParts(t, s, tenant, dropped, fresh)
	wantParts(t, s, tenant, named)
	wantSwept(t, s, tenant, later.Add(time.Hour), 1)
	wantNoParts(t, s, tenant, named)
	saveParts(t, s, tenant, later, old)
	wantParts(t, s, tenant, old)
}

func wantSwept(t *testing.T, s store.Store, tenant uuid.UUID, before time.Time, want int) {
	t.Helper()
	if got, err := s.Sweep(t.Context(), tenant, before); err != nil || got != want {
		t.Errorf("before %s, %d parts were swept, %v; want %d", before, got, err, want)
	}
}

func sharedParts(t *testing.T, open Place) {
	a, b, tenant := beginShared(t, open)
	one, two := store.NewPart("users", []byte("1")), store.NewPart("users", []byte("2"))
	saveParts(t, a, tenant, noon, one)
	wantParts(t, b, tenant, one)
	first, err := replace(b, t, tenant, noon, store.Manifest{Name: "newest", Seq: 1}, one)
	if err != nil {
		t.Fatal(err)
	}
	saveParts(t, a, tenant, noon, two)
	if _, err := replace(a, t, tenant, noon, first, two); err != nil {
		t.Errorf("replacing what the other store has made answers %v", err)
	}
	if _, err := replace(b, t, tenant, noon, first, one); !errors.Is(err, store.ErrConflict) {
		t.Errorf("replacing what the other store has replaced answers %v, want ErrConflict", err)
	}
}

// sharedSnapshots has five processes take, load and sweep snapshots at once. Each one that loads a
// snapshot finds all its parts, for as long as parts are kept before they are swept.
func sharedSnapshots(t *testing.T, open Place) {
	a, b, tenant := beginShared(t, open)
	var all sync.WaitGroup
	for n := range 5 {
		s := []store.Store{a, b}[n%2]
		all.Go(func() {
			for i := range 20 {
				at := noon.Add(time.Duration(i) * time.Minute)
				takeSnapshot(t, s, tenant, at, fmt.Sprint(n, i))
				loadSnapshot(t, s, tenant)
				if _, err := s.Sweep(t.Context(), tenant, at.Add(-time.Hour)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	loadSnapshot(t, a, tenant)
}

// takeSnapshot takes a snapshot that shares a part with the previous one, as most do.
func takeSnapshot(t *testing.T, s store.Store, tenant uuid.UUID, at time.Time, content string) {
	m := store.Manifest{Name: "newest"}
	list, err := s.Manifests(t.Context(), tenant)
	if err != nil {
		t.Error(err)
		return
	}
	if len(list) > 0 {
		m = list[0]
	}
	fresh := store.NewPart("head", bytes.Repeat([]byte(content), 1<<12))
	if err := s.SaveParts(t.Context(), tenant, []store.Part{fresh}, at); err != nil {
		t.Error(err)
		return
	}
	if m.Head != "" {
		m.Parts = append(m.Parts, m.Head)[max(0, len(m.Parts)-3):]
	}
	m.Seq, m.Head = m.Seq+1, fresh.Name
	if err := s.ReplaceManifest(t.Context(), tenant, m, at); err != nil && !errors.Is(err, store.ErrConflict) {
		t.Errorf("replace the manifest: %v", err)
	}
}

func loadSnapshot(t *testing.T, s store.Store, tenant uuid.UUID) {
	list, err := s.Manifests(t.Context(), tenant)
	if err != nil || len(list) != 1 {
		t.Errorf("the manifests are %v, %v", list, err)
		return
	}
	if _, err := s.Parts(t.Context(), tenant, append(list[0].Parts, list[0].Head)); err != nil {
		t.Errorf("load a snapshot: %v", err)
	}
}
