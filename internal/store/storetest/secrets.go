package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/store"
)

func secrets(t *testing.T, open Place) {
	s, _ := begin(t, open)
	secretOf(t, s)
	other, err := s.Secret(t.Context(), "another", func() ([]byte, error) { return []byte("other"), nil })
	if err != nil || string(other) != "other" {
		t.Errorf("another secret is %q, %v", other, err)
	}
}

// secretOf has many callers, spread over the stores, ask for a secret that does not exist.
func secretOf(t *testing.T, stores ...store.Store) {
	t.Helper()
	var made atomic.Int64
	values := make([]string, 32)
	var all sync.WaitGroup
	for i := range values {
		s := stores[i%len(stores)]
		all.Go(func() {
			value, err := s.Secret(t.Context(), "signing key", func() ([]byte, error) {
				return fmt.Appendf(nil, "\x00made by %d, call %d", i, made.Add(1)), nil
			})
			if err != nil {
				t.Errorf("secret: %v", err)
			}
			values[i] = string(value)
		})
	}
	all.Wait()
	if len(slices.Compact(values)) != 1 || values[0] == "" {
		t.Errorf("not all got the same: %q", values)
	}
}

func secretFails(t *testing.T, open Place) {
	s, _ := begin(t, open)
	broken := errors.New("no randomness")
	value, err := s.Secret(t.Context(), "key", func() ([]byte, error) { return []byte("half"), broken })
	if !errors.Is(err, broken) || value != nil {
		t.Errorf("got %q, %v; want %v", value, err, broken)
	}
	value, err = s.Secret(t.Context(), "key", func() ([]byte, error) { return []byte("whole"), nil })
	if err != nil || string(value) != "whole" {
		t.Errorf("got %q, %v after a failure", value, err)
	}
}

func secretReplaced(t *testing.T, open Place) {
	s, _ := begin(t, open)
	tally(t, s)
	broken := errors.New("no randomness")
	err := s.ReplaceSecret(t.Context(), "tally", func([]byte) ([]byte, error) { return []byte("half"), broken })
	if !errors.Is(err, broken) {
		t.Errorf("an error of the change is answered as %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantTally(t, open(t))
}

// tally has 32 callers, spread over the stores, each add a letter to a secret.
func tally(t *testing.T, stores ...store.Store) {
	t.Helper()
	var all sync.WaitGroup
	for i := range 32 {
		s := stores[i%len(stores)]
		all.Go(func() {
			err := s.ReplaceSecret(t.Context(), "tally", func(old []byte) ([]byte, error) {
				if len(old) == 0 && old != nil {
					t.Error("a secret that is not there is empty, not nil")
				}
				return append(slices.Clone(old), 'x'), nil
			})
			if err != nil {
				t.Errorf("replace: %v", err)
			}
		})
	}
	all.Wait()
}

func wantTally(t *testing.T, s store.Store) {
	t.Helper()
	value, err := s.Secret(t.Context(), "tally", func() ([]byte, error) { return nil, errors.New("it is not there") })
	if err != nil || string(value) != strings.Repeat("x", 32) {
		t.Errorf("after 32 replacements the secret is %q, %v", value, err)
	}
}

func reopen(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	rows := []store.Object{object(0, map[string]any{"displayName": "Élise"}), object(1, map[string]any{})}
	commits := []store.Commit{commit(1), commit(2)}
	mustAppend(t, s, tenant, commits, rows...)
	if err := s.SaveParts(t.Context(), tenant, []store.Part{{Name: "head", Data: []byte("data")}}, noon); err != nil {
		t.Fatal(err)
	}
	key := func(s store.Store) string {
		value, err := s.Secret(t.Context(), "key", func() ([]byte, error) { return []byte(tenant.String()), nil })
		if err != nil {
			t.Fatal(err)
		}
		return string(value)
	}
	before := key(s)
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	s = open(t)
	if tenants, err := s.Tenants(t.Context()); err != nil || len(tenants) != 1 || tenants[0] != tenant {
		t.Errorf("got tenants %v, %v", tenants, err)
	}
	if got := allCommits(t, s, tenant, 0); !reflect.DeepEqual(got, commits) {
		t.Errorf("got commits %v", got)
	}
	if got := find(t, s, tenant, users()); !reflect.DeepEqual(got, rows) {
		t.Errorf("got objects %v", got)
	}
	if got, err := s.Parts(t.Context(), tenant, []string{"head"}); err != nil || string(got[0].Data) != "data" {
		t.Errorf("got parts %v, %v", got, err)
	}
	if key(s) != before {
		t.Error("the secret is another one")
	}
	mustAppend(t, s, tenant, []store.Commit{commit(3)})
}

func ping(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	wantClosed(t, s, tenant)
}

// wantClosed checks that all operations of a closed store fail.
func wantClosed(t *testing.T, s store.Store, tenant uuid.UUID) {
	t.Helper()
	_, tenants := s.Tenants(t.Context())
	_, place := s.Place(t.Context(), tenant)
	_, fence := s.Fence(t.Context(), tenant)
	_, objects := s.Objects(t.Context(), tenant, users())
	_, parts := s.Parts(t.Context(), tenant, []string{"head"})
	_, secret := s.Secret(t.Context(), "key", func() ([]byte, error) { return []byte("made"), nil })
	_, manifests := s.Manifests(t.Context(), tenant)
	_, swept := s.Sweep(t.Context(), tenant, noon)
	_, claimed := s.Claimed(t.Context(), []string{"name"})
	_, claim := s.Claim(t.Context(), tenant, []string{"name"}, noon)
	_, floors := s.Floors(t.Context(), tenant)
	_, trimmed := s.TrimLog(t.Context(), tenant, 1)
	_, found := s.Ticket(t.Context(), ticket("one").ID)
	_, secrets := s.SecretNames(t.Context())
	_, frozen := s.Frozen(t.Context(), tenant)
	_, freeze := s.Freeze(t.Context(), tenant, "it moves")
	_, discard := s.Discard(t.Context(), tenant)
	for name, err := range map[string]error{
		"Ping":         s.Ping(t.Context()),
		"CreateTenant": s.CreateTenant(t.Context(), uuid.New()),
		"Append":       s.Append(t.Context(), tenant, store.Place{}, []store.Commit{commit(1)}, nil),
		"Commits":      s.Commits(t.Context(), tenant, 0, func(store.Commit) error { return nil }),
		"SaveParts":    s.SaveParts(t.Context(), tenant, []store.Part{{Name: "a"}}, noon),
		"AddTicket":    s.AddTicket(t.Context(), ticket("two")),
		"Tenants":      tenants, "Place": place, "Fence": fence, "Objects": objects,
		"Manifests": manifests, "Sweep": swept, "Claimed": claimed, "Claim": claim, "Floors": floors, "TrimLog": trimmed,
		"Parts": parts, "Secret": secret, "Ticket": found,
		"View":    s.View(t.Context(), tenant, func(store.View) error { return nil }),
		"Fill":    s.Fill(t.Context(), tenant, []store.Commit{commit(1)}, nil),
		"Publish": s.Publish(t.Context(), tenant, store.Place{Seq: 1}, store.Floors{}),
		"Secrets": secrets, "Frozen": frozen, "Freeze": freeze, "Discard": discard,
	} {
		if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
			t.Errorf("%s of a closed store answers %v", name, err)
		}
	}
}
