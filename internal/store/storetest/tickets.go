package storetest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

var ticketTime = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)

func ticket(secret string) store.Ticket {
	return store.Ticket{
		ID: sha256.Sum256([]byte(secret)), Tenant: uuid.New(),
		Family: uuid.New(), Expires: ticketTime, Data: []byte("data of " + secret),
	}
}

func addTickets(t *testing.T, s store.Store, tickets ...store.Ticket) {
	t.Helper()
	for _, ticket := range tickets {
		if err := s.AddTicket(t.Context(), ticket); err != nil {
			t.Fatalf("add a ticket: %v", err)
		}
	}
}

func wantTicket(t *testing.T, s store.Store, want store.Ticket) {
	t.Helper()
	got, err := s.Ticket(t.Context(), want.ID)
	if len(got.Data) == 0 && len(want.Data) == 0 {
		got.Data = want.Data // nil and empty data are equal
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got ticket %v, %v; want %v", got, err, want)
	}
}

func wantNoTicket(t *testing.T, s store.Store, gone store.Ticket) {
	t.Helper()
	got, err := s.Ticket(t.Context(), gone.ID)
	if !errors.Is(err, store.ErrNotFound) || !reflect.DeepEqual(got, store.Ticket{}) {
		t.Errorf("got ticket %v, %v; want ErrNotFound", got, err)
	}
}

func tickets(t *testing.T, open Place) {
	s, _ := begin(t, open)
	one, two := ticket("one"), ticket("two")
	one.Data = bytes.Repeat([]byte{0, 0xff}, 50_000)
	two.Data = []byte{}
	wantNoTicket(t, s, one)
	addTickets(t, s, one, two)
	wantTicket(t, s, one)
	wantTicket(t, s, two)
	again := ticket("one")
	if err := s.AddTicket(t.Context(), again); !errors.Is(err, store.ErrExists) {
		t.Errorf("adding a ticket twice answers %v, want ErrExists", err)
	}
	wantTicket(t, s, one)
	three := ticket("three")
	three.Version, three.Data = 7, nil
	addTickets(t, s, three)
	three.Version = 0
	wantTicket(t, s, three)
}

func ticketsChange(t *testing.T, open Place) {
	s, _ := begin(t, open)
	before, other := ticket("one"), ticket("two")
	addTickets(t, s, before, other)
	change := store.Ticket{ID: before.ID, Expires: ticketTime.Add(time.Hour), Data: []byte("changed")}
	if err := s.ChangeTicket(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	after := before
	after.Expires, after.Data, after.Version = change.Expires, change.Data, 1
	wantTicket(t, s, after)
	wantTicket(t, s, other)
	for _, version := range []uint32{0, 2} {
		change.Version = version
		if err := s.ChangeTicket(t.Context(), change); !errors.Is(err, store.ErrConflict) {
			t.Errorf("a change of version %d, where it is 1, answers %v, want ErrConflict", version, err)
		}
	}
	wantTicket(t, s, after)
	if err := s.ChangeTicket(t.Context(), ticket("none")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a change of no ticket answers %v, want ErrNotFound", err)
	}
	after.Expires = ticketTime.Add(-time.Hour)
	if err := s.ChangeTicket(t.Context(), after); err != nil {
		t.Fatal(err)
	}
	after.Version = 2
	wantTicket(t, s, after)
}

func ticketsHaveOneWinner(t *testing.T, open Place) {
	s, _ := begin(t, open)
	contestTicket(t, s)
}

// contestTicket has many callers, spread over the stores, add and change the same ticket.
func contestTicket(t *testing.T, stores ...store.Store) {
	t.Helper()
	contested := ticket("contested")
	race := func(what string, lost error, try func(s store.Store, data string) error) {
		t.Helper()
		var won atomic.Int64
		var winner atomic.Value
		var all sync.WaitGroup
		for i := range 32 {
			s := stores[i%len(stores)]
			all.Go(func() {
				data := fmt.Sprint(what, " by ", i)
				if err := try(s, data); err == nil {
					won.Add(1)
					winner.Store(data)
				} else if !errors.Is(err, lost) {
					t.Errorf("%s: a loser is told %v, want %v", what, err, lost)
				}
			})
		}
		all.Wait()
		for _, s := range stores {
			got, err := s.Ticket(t.Context(), contested.ID)
			if won.Load() != 1 || err != nil || string(got.Data) != winner.Load() {
				t.Errorf("%s: %d have won, and the ticket has %q, %v; want %q",
					what, won.Load(), got.Data, err, winner.Load())
			}
		}
	}
	race("adding", store.ErrExists, func(s store.Store, data string) error {
		mine := contested
		mine.Data = []byte(data)
		return s.AddTicket(t.Context(), mine)
	})
	for version := range uint32(5) {
		race(fmt.Sprint("change ", version), store.ErrConflict, func(s store.Store, data string) error {
			mine := contested
			mine.Data, mine.Version = []byte(data), version
			return s.ChangeTicket(t.Context(), mine)
		})
	}
}

func ticketsEndWithFamily(t *testing.T, open Place) {
	s, _ := begin(t, open)
	one, two, other := ticket("one"), ticket("two"), ticket("other")
	two.Family = one.Family
	addTickets(t, s, one, two, other)
	if err := s.DropFamily(t.Context(), one.Family); err != nil {
		t.Fatal(err)
	}
	wantNoTicket(t, s, one)
	wantNoTicket(t, s, two)
	wantTicket(t, s, other)
	if err := s.DropFamily(t.Context(), one.Family); err != nil {
		t.Errorf("dropping a family that was dropped: %v", err)
	}
	if err := s.ChangeTicket(t.Context(), one); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a change of a dropped ticket answers %v, want ErrNotFound", err)
	}
	addTickets(t, s, one)
}

func ticketsAreDroppedInTime(t *testing.T, open Place) {
	s, _ := begin(t, open)
	before, at, after, prolonged := ticket("before"), ticket("at"), ticket("after"), ticket("prolonged")
	before.Expires = ticketTime.Add(-time.Second)
	after.Expires = ticketTime.Add(time.Second)
	addTickets(t, s, before, at, after, prolonged)
	wantTicket(t, s, before) // an expired ticket exists until it is dropped
	prolonged.Expires = ticketTime.Add(time.Hour)
	if err := s.ChangeTicket(t.Context(), prolonged); err != nil {
		t.Fatal(err)
	}
	prolonged.Version = 1
	if n, err := s.DropTickets(t.Context(), ticketTime.Add(999*time.Millisecond)); n != 2 || err != nil {
		t.Errorf("dropped %d, %v; want 2", n, err)
	}
	wantNoTicket(t, s, before)
	wantNoTicket(t, s, at)
	wantTicket(t, s, after)
	wantTicket(t, s, prolonged)
	if n, err := s.DropTickets(t.Context(), ticketTime); n != 0 || err != nil {
		t.Errorf("dropped %d, %v when none was left", n, err)
	}
}

func ticketsLast(t *testing.T, open Place) {
	s, _ := begin(t, open)
	kept, gone := ticket("kept"), ticket("gone")
	addTickets(t, s, kept, gone)
	if err := s.ChangeTicket(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	kept.Version = 1
	if err := s.DropFamily(t.Context(), gone.Family); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t)
	wantTicket(t, s, kept)
	wantNoTicket(t, s, gone)
}

func passwords(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	user := object(5, map[string]any{"displayName": "Anna"})
	hash := object(5, map[string]any{"hash": "$argon2id$v=19$first"})
	hash.Kind, hash.ID = store.KindPassword, user.ID
	mustAppend(t, s, tenant, []store.Commit{commit(1)}, user, hash)
	of := store.Query{Kind: store.KindPassword, Ordinals: []uint32{5}, After: -1}
	if got := find(t, s, tenant, of); !reflect.DeepEqual(got, []store.Object{hash}) {
		t.Errorf("got %v, want the password", got)
	}
	if got := find(t, s, tenant, users()); !reflect.DeepEqual(got, []store.Object{user}) {
		t.Errorf("got %v, want the user only", got)
	}
	hash.Purged = true
	mustAppend(t, s, tenant, []store.Commit{commit(2)}, hash)
	if got := find(t, s, tenant, of); len(got) != 0 {
		t.Errorf("got %v after the password was purged", got)
	}
	wantOrdinals(t, find(t, s, tenant, users()), 5)
}
