package storetest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// pastOf returns what a tenant is now.
func pastOf(t *testing.T, s store.Store, tenant uuid.UUID) store.Past {
	t.Helper()
	w := viewOf(t, s, tenant)
	past := store.Past{Place: w.Place, Rows: w.Rows}
	var err error
	if past.SignIn, err = s.LastSignIn(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	users, err := s.ActiveUsers(t.Context(), tenant, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if past.Activities, err = s.Activities(t.Context(), tenant, users); err != nil {
		t.Fatal(err)
	}
	return past
}

// seenToSignIn adds a sign-in of a user.
func seenToSignIn(t *testing.T, s store.Store, tenant uuid.UUID, user uint32, at time.Time) {
	t.Helper()
	in := store.SignIn{Tenant: tenant, At: at.UTC(), ID: uuid.New(), Data: []byte("page")}
	seen := store.Activity{Tenant: tenant, User: user, Interactive: store.Seen{At: at, ID: in.ID}}
	if err := s.AddSignIns(t.Context(), []store.SignIn{in}, []store.Activity{seen}); err != nil {
		t.Fatal(err)
	}
}

func rewinds(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	other := uuid.New()
	if err := s.CreateTenant(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	variety(t, s, other)
	seenToSignIn(t, s, other, 1, noon)
	rows := variety(t, s, tenant)
	seenToSignIn(t, s, tenant, 0, noon)
	before, past := viewOf(t, s, tenant), pastOf(t, s, tenant)
	changed := func() { changes(t, s, tenant, rows) }
	untouched := pastOf(t, s, other)
	for range 2 {
		changed()
		late, err := s.Place(t.Context(), tenant)
		if err != nil {
			t.Fatal(err)
		}
		place, err := s.Rewind(t.Context(), tenant, past)
		if err != nil || place.Seq != 3 || place.Chain != past.Chain || place.Epoch <= late.Epoch {
			t.Fatalf("rewinding from %+v answers %+v, %v", late, place, err)
		}
		wantPast(t, s, tenant, before, past)
		sixth := []store.Commit{commit(6)}
		link(late.Chain, sixth)
		if err := s.Append(t.Context(), tenant, late, sixth, nil); !errors.Is(err, store.ErrConflict) {
			t.Errorf("an append at commit 5 answers %v, want ErrConflict", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t)
	wantPast(t, s, tenant, before, past)
	got := pastOf(t, s, other)
	got.SignIn = untouched.SignIn // tenants may share the numbers
	if !reflect.DeepEqual(got, untouched) {
		t.Errorf("another tenant is %+v, was %+v", got, untouched)
	}
	order := store.Query{Kind: store.KindUser, After: -1, Order: &store.Order{Property: "displayName", AsOf: 3}}
	want := ordinals(find(t, s, tenant, order))
	changed()
	order.Order.AsOf = 5
	if got := find(t, s, tenant, order); len(got) == len(want) {
		t.Errorf("after the same changes as before there are the rows %v", ordinals(got))
	}
}

// changes makes changes of all kinds to what variety has made.
func changes(t *testing.T, s store.Store, tenant uuid.UUID, rows []store.Object) {
	t.Helper()
	renamed, purged, deleted := rows[0], rows[3], rows[4]
	renamed.Document, renamed.Seq = []byte(`{"displayName":"changed"}`), 4
	purged.Purged, purged.Seq = true, 4
	deleted.Deleted, deleted.Seq = noon, 5
	added := object(9, document{"displayName": "new"})
	mustAppend(t, s, tenant, []store.Commit{commit(4)}, renamed, purged, added)
	mustAppend(t, s, tenant, []store.Commit{commit(5)}, deleted)
	seenToSignIn(t, s, tenant, 0, noon.Add(time.Hour))
	seenToSignIn(t, s, tenant, 9, noon)
	head := store.NewPart("head", []byte("data"))
	if err := s.SaveParts(t.Context(), tenant, []store.Part{head}, noon); err != nil {
		t.Fatal(err)
	}
	late := store.Manifest{Name: "late", Seq: 5, Head: head.Name}
	if err := s.ReplaceManifest(t.Context(), tenant, late, noon); err != nil {
		t.Fatal(err)
	}
}

// wantPast wants a tenant to be what it was.
func wantPast(t *testing.T, s store.Store, tenant uuid.UUID, before whole, past store.Past) {
	t.Helper()
	after := viewOf(t, s, tenant)
	after.Place.Epoch = before.Place.Epoch
	if !reflect.DeepEqual(after, before) {
		t.Errorf("the tenant is %+v, was %+v", after, before)
	}
	now := pastOf(t, s, tenant)
	ids, err := s.SignIns(t.Context(), tenant, store.SignInQuery{UpTo: now.SignIn + 10, Limit: 10})
	if err != nil || len(ids) != 1 || !reflect.DeepEqual(now.Activities, past.Activities) {
		t.Errorf("there are %d sign-ins and the activities %v, %v; want 1 and %v",
			len(ids), now.Activities, err, past.Activities)
	}
}

func rewindIsRefused(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	variety(t, s, tenant)
	past := pastOf(t, s, tenant)
	later := past
	later.Seq = 7
	if _, err := s.Rewind(t.Context(), tenant, later); !errors.Is(err, store.ErrConflict) {
		t.Errorf("rewinding to a later commit answers %v, want ErrConflict", err)
	}
	if _, err := s.Rewind(t.Context(), uuid.New(), past); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("rewinding an unknown tenant answers %v, want ErrNotFound", err)
	}
	mustAppend(t, s, tenant, []store.Commit{commit(4), commit(5)})
	if _, err := s.Freeze(t.Context(), tenant, "it moves"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rewind(t.Context(), tenant, past); !errors.Is(err, store.ErrFrozen) {
		t.Errorf("rewinding a frozen tenant answers %v, want ErrFrozen", err)
	}
	if _, err := s.Freeze(t.Context(), tenant, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TrimLog(t.Context(), tenant, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rewind(t.Context(), tenant, past); !errors.Is(err, store.ErrTrimmed) {
		t.Errorf("rewinding without the commits before answers %v, want ErrTrimmed", err)
	}
	saveAll(t, s, tenant) // of commit 3
	if _, err := s.Rewind(t.Context(), tenant, past); err != nil {
		t.Errorf("rewinding to a snapshot answers %v", err)
	}
	if commits := viewOf(t, s, tenant).Commits; len(commits) != 1 {
		t.Errorf("%d commits are left, want commit 3", len(commits))
	}
}
