package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// signIn returns a sign-in so many seconds after noon.
func signIn(tenant uuid.UUID, seconds int, data string) store.SignIn {
	return store.SignIn{
		Tenant: tenant, At: noon.Add(time.Duration(seconds) * time.Second).UTC(), ID: uuid.New(), Data: []byte(data),
	}
}

func addSignIns(t *testing.T, s store.Store, list ...store.SignIn) {
	t.Helper()
	if err := s.AddSignIns(t.Context(), list, nil); err != nil {
		t.Fatal(err)
	}
}

// everySignIn selects all sign-ins that there are now.
func everySignIn(t *testing.T, s store.Store, tenant uuid.UUID) store.SignInQuery {
	t.Helper()
	last, err := s.LastSignIn(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return store.SignInQuery{UpTo: last, Limit: 100}
}

func readSignIns(t *testing.T, s store.Store, tenant uuid.UUID, query store.SignInQuery) []store.SignIn {
	t.Helper()
	list, err := s.SignIns(t.Context(), tenant, query)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func wantSignIns(t *testing.T, s store.Store, tenant uuid.UUID, query store.SignInQuery, want ...string) {
	t.Helper()
	var got []string
	for _, in := range readSignIns(t, s, tenant, query) {
		got = append(got, string(in.Data))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v selects %q, want %q", query, got, want)
	}
}

func signIns(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	other := uuid.New()
	if query := everySignIn(t, s, tenant); query.UpTo != 0 {
		t.Errorf("the last of no sign-ins is %d", query.UpTo)
	}
	first := signIn(tenant, 0, "first")
	addSignIns(t, s, first, signIn(tenant, 20, "third"), signIn(other, 5, "of another"), signIn(tenant, 10, "second"))
	addSignIns(t, s, first, signIn(tenant, 10, "second, later"), signIn(tenant, 30, "\x00\xff"))
	query := everySignIn(t, s, tenant)
	wantSignIns(t, s, tenant, query, "first", "second", "second, later", "third", "\x00\xff")
	query.From, query.Until = noon.Add(9_999_500*time.Microsecond), noon.Add(20*time.Second)
	wantSignIns(t, s, tenant, query, "second", "second, later")
	query.Descending, query.Until = true, noon.Add(20*time.Second+time.Microsecond)
	wantSignIns(t, s, tenant, query, "third", "second, later", "second")
	query.From = noon.Add(10*time.Second + time.Microsecond)
	wantSignIns(t, s, tenant, query, "third")
	wantSignIns(t, s, other, everySignIn(t, s, other), "of another")

	got, err := s.SignIn(t.Context(), tenant, first.ID)
	first.Number = got.Number
	if err != nil || !reflect.DeepEqual(got, first) || got.Number == 0 {
		t.Errorf("got %+v, %v; want %+v", got, err, first)
	}
	if _, err := s.SignIn(t.Context(), other, first.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another tenant finds it: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t)
	if again, err := s.SignIn(t.Context(), tenant, first.ID); err != nil || !reflect.DeepEqual(again, first) {
		t.Errorf("after opening again: %+v, %v; want %+v", again, err, first)
	}
}

func signInPages(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	for _, descending := range []bool{false, true} {
		for i := range 10 {
			addSignIns(t, s, signIn(tenant, i/3, fmt.Sprint(i)))
		}
		query := everySignIn(t, s, tenant)
		query.Descending = descending
		want := readSignIns(t, s, tenant, query)
		var got []store.SignIn
		query.Limit = 3
		for i := 0; ; i++ {
			page := readSignIns(t, s, tenant, query)
			got = append(got, page...)
			if len(page) < query.Limit {
				break
			}
			last := page[len(page)-1]
			query.After = &store.SignInPlace{At: last.At, Number: last.Number}
			addSignIns(t, s, signIn(tenant, i, "meanwhile"), signIn(tenant, 5, "later"))
		}
		if len(want) < 10 || !reflect.DeepEqual(got, want) {
			t.Errorf("the pages have %+v, want %+v", got, want)
		}
	}
}

func signInsAreDropped(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	other := uuid.New()
	addSignIns(t, s, signIn(tenant, 0, "a"), signIn(tenant, 1, "b"), signIn(other, 0, "c"), signIn(tenant, 2, "d"))
	last := everySignIn(t, s, tenant).UpTo
	for _, want := range []int{2, 0} {
		if n, err := s.DropSignIns(t.Context(), tenant, noon.Add(1_001*time.Millisecond)); n != want || err != nil {
			t.Errorf("dropped %d, %v; want %d", n, err, want)
		}
	}
	wantSignIns(t, s, tenant, everySignIn(t, s, tenant), "d")
	wantSignIns(t, s, other, everySignIn(t, s, other), "c")
	if _, err := s.DropSignIns(t.Context(), tenant, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	addSignIns(t, s, signIn(tenant, 3, "e"))
	if now := everySignIn(t, s, tenant).UpTo; now <= last {
		t.Errorf("a new sign-in has number %d, after %d", now, last)
	}
}

func activities(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	other, one, two := uuid.New(), uuid.New(), uuid.New()
	at := func(seconds int, id uuid.UUID) store.Seen {
		return store.Seen{At: noon.Add(time.Duration(seconds) * time.Second).UTC(), ID: id}
	}
	add := func(seen ...store.Activity) {
		t.Helper()
		if err := s.AddSignIns(t.Context(), nil, seen); err != nil {
			t.Fatal(err)
		}
	}
	want := func(tenant uuid.UUID, want ...store.Activity) {
		t.Helper()
		got, err := s.Activities(t.Context(), tenant, []uint32{3, 7, 8})
		slices.SortFunc(got, func(a, b store.Activity) int { return int(a.User) - int(b.User) })
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
	want(tenant)
	add(
		store.Activity{Tenant: tenant, User: 7, Interactive: at(10, one)},
		store.Activity{Tenant: other, User: 7, Successful: at(1, one)},
		store.Activity{Tenant: tenant, User: 3, NonInteractive: at(5, two)},
	)
	add(store.Activity{Tenant: tenant, User: 7, Interactive: at(9, two), Successful: at(9, two)})
	seven := store.Activity{Tenant: tenant, User: 7, Interactive: at(10, one), Successful: at(9, two)}
	three := store.Activity{Tenant: tenant, User: 3, NonInteractive: at(5, two)}
	want(tenant, three, seven)
	add(store.Activity{Tenant: tenant, User: 7, Interactive: at(10, two), NonInteractive: at(11, one)})
	seven.Interactive, seven.NonInteractive = at(10, two), at(11, one)
	want(tenant, three, seven)
	want(other, store.Activity{Tenant: other, User: 7, Successful: at(1, one)})

	active := func(from, until time.Time, want ...uint32) {
		t.Helper()
		if got, err := s.ActiveUsers(t.Context(), tenant, from, until); err != nil || !slices.Equal(got, want) {
			t.Errorf("active from %v until %v are %v, %v; want %v", from, until, got, err, want)
		}
	}
	active(time.Time{}, time.Time{}, 3, 7)
	active(noon.Add(10*time.Second), noon.Add(time.Hour), 7)
	active(time.Time{}, noon.Add(10*time.Second))
	active(noon.Add(10*time.Second+1), noon.Add(time.Hour))
	for from, want := range map[time.Time][]uint32{
		{}: {3, 7}, three.Last(): {3, 7}, seven.Last(): {7}, seven.Last().Add(1): nil,
	} {
		if got, err := s.SeenUsers(t.Context(), tenant, from); err != nil || !slices.Equal(got, want) {
			t.Errorf("seen since %v were %v, %v; want %v", from, got, err, want)
		}
	}
	if err := s.DropActivities(t.Context(), tenant, []uint32{7, 8}); err != nil {
		t.Fatal(err)
	}
	want(tenant, three)
	want(other, store.Activity{Tenant: other, User: 7, Successful: at(1, one)})
}

func sharedSignIns(t *testing.T, open Place) {
	a, b, tenant := beginShared(t, open)
	addSignIns(t, a, signIn(tenant, 1, "of a"))
	addSignIns(t, b, signIn(tenant, 0, "of b"))
	for _, s := range []store.Store{a, b} {
		wantSignIns(t, s, tenant, everySignIn(t, s, tenant), "of b", "of a")
	}
	if n, err := b.DropSignIns(t.Context(), tenant, noon.Add(time.Hour)); n != 2 || err != nil {
		t.Errorf("dropped %d, %v", n, err)
	}
	wantSignIns(t, a, tenant, everySignIn(t, a, tenant))
}
