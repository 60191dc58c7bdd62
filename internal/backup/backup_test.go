package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/backup"
	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/store/storetest"
	"licensor/internal/store/storetest/everystore"
)

func clock() time.Time { return noon }

// write backs up a store.
func write(t *testing.T, s store.Store, o backup.Options) ([]byte, *backup.Contents) {
	t.Helper()
	o.Now = clock
	var out bytes.Buffer
	contents, err := backup.Write(t.Context(), &out, s, o)
	if err != nil {
		t.Fatalf("back up: %v", err)
	}
	found, err := backup.Check(t.Context(), bytes.NewReader(out.Bytes()), nil)
	if err != nil || !reflect.DeepEqual(found, contents) {
		t.Fatalf("the backup has %+v, %v; want %+v", found, err, contents)
	}
	return out.Bytes(), contents
}

func restore(t *testing.T, s store.Store, data []byte, o backup.RestoreOptions) *backup.Restored {
	t.Helper()
	restored, err := backup.Restore(t.Context(), s, bytes.NewReader(data), o)
	if err != nil {
		t.Fatalf("restore: %v", err)
	}
	return restored
}

func TestWhatIsRestoredIsWhatWasBackedUp(t *testing.T) {
	t.Parallel()
	for _, from := range slices.Sorted(maps.Keys(stores)) {
		for _, to := range slices.Sorted(maps.Keys(stores)) {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				there, here := stores[from](t), stores[to](t)
				a, b := storetest.Author{Seed: 1, Many: 40}, storetest.Author{Seed: 2, Many: 2000}
				first, second := written(t, there, a, 120), written(t, there, b, 200)
				everystore.Snapshot(t, there, first, 99, "the head")
				if err := there.CreateTenant(t.Context(), uuid.New()); err != nil { // a creation that was cut off
					t.Fatal(err)
				}
				claim(t, there, first, "domain:contoso.com", "application:1")
				claim(t, there, uuid.Nil, "claims: complete")
				makeSecrets(t, there)
				data, contents := write(t, there, backup.Options{Program: "1.2.3"})
				if contents.Program != "1.2.3" || !contents.At.Equal(noon) || contents.Bytes != int64(len(data)) ||
					!slices.Equal(contents.Secrets, []string{"a", "b"}) {
					t.Errorf("the backup has %+v", contents)
				}
				restored := restore(t, here, data, backup.RestoreOptions{})
				if len(restored.Tenants) != 2 || len(restored.Contested) != 0 {
					t.Errorf("restored: %+v", restored)
				}
				wantSameStore(t, here, there, first, second)
				a.Want(t, here, first)
				b.Want(t, here, second)
				again, _ := write(t, here, backup.Options{Program: "1.2.3"})
				if !bytes.Equal(again, data) {
					t.Error("a backup of what was restored is not the same")
				}
				if _, err := b.Write(t.Context(), here, second, 5); err != nil {
					t.Errorf("what was restored cannot be written to: %v", err)
				}
				b.Want(t, here, second)
			})
		}
	}
}

func claim(t *testing.T, s store.Store, tenant uuid.UUID, names ...string) {
	t.Helper()
	if others, err := s.Settle(t.Context(), tenant, names, nil); err != nil || len(others) > 0 {
		t.Fatal(others, err)
	}
}

func makeSecrets(t *testing.T, s store.Store) {
	t.Helper()
	for _, name := range []string{"b", "a"} {
		if _, err := s.Secret(t.Context(), name, func() ([]byte, error) { return []byte("sealed " + name), nil }); err != nil {
			t.Fatal(err)
		}
	}
}

func secretOf(t *testing.T, s store.Store, name string) string {
	t.Helper()
	value, err := s.Secret(t.Context(), name, func() ([]byte, error) { return []byte("made"), nil })
	if err != nil {
		t.Fatal(err)
	}
	return string(value)
}

// wantSameStore compares what the author does not know: floors, snapshots, claims, secrets.
func wantSameStore(t *testing.T, here, there store.Store, tenants ...uuid.UUID) {
	t.Helper()
	if ids, err := here.Tenants(t.Context()); err != nil || !slices.Equal(ids, tenants) {
		t.Errorf("the tenants are %v, %v; want %v", ids, err, tenants)
	}
	for _, id := range tenants {
		was, is := sideOf(t, there, id), sideOf(t, here, id)
		if !reflect.DeepEqual(was, is) {
			t.Errorf("tenant %s has %+v, had %+v", id, is, was)
		}
	}
	for _, name := range []string{"a", "b"} {
		if got := secretOf(t, here, name); got != "sealed "+name {
			t.Errorf("secret %s is %q", name, got)
		}
	}
	if done, err := here.Claimed(t.Context(), []string{"claims: complete"}); err != nil || len(done) != 1 {
		t.Errorf("the claims of the installation are %v, %v", done, err)
	}
}

// side is what there is of a tenant besides its commits and rows.
type side struct {
	Floor  uint64
	Names  map[string]bool
	Newest []string
	Parts  []store.Part
}

func sideOf(t *testing.T, s store.Store, tenant uuid.UUID) (found side) {
	t.Helper()
	floors, err := s.Floors(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := s.ClaimsOf(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	found.Floor, found.Names = max(floors.Log, 1), map[string]bool{}
	for _, c := range claims {
		found.Names[c.Name] = true
	}
	manifests, err := s.Manifests(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range manifests {
		found.Newest = append(found.Newest, fmt.Sprint(m.Name, m.Seq, m.Head, m.Parts))
		parts, err := s.Parts(t.Context(), tenant, append([]string{m.Head}, m.Parts...))
		if err != nil {
			t.Fatal(err)
		}
		found.Parts = append(found.Parts, parts...)
	}
	return found
}

// Writers never stop while a backup is made: each tenant in it is whole, as of one commit.
func TestEachTenantIsAsOfOneCommitWhileOthersWrite(t *testing.T) {
	t.Parallel()
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			authors := []storetest.Author{{Seed: 3, Many: 20}, {Seed: 4, Many: 5000}}
			tenants := []uuid.UUID{written(t, s, authors[0], 200), written(t, s, authors[1], 1500)}
			ctx, stop := context.WithCancel(t.Context())
			var writers sync.WaitGroup
			for i, a := range authors {
				writers.Go(func() {
					for n := 0; ctx.Err() == nil && n < 1500; n += 3 {
						if _, err := a.Write(t.Context(), s, tenants[i], 3); err != nil {
							t.Errorf("write: %v", err)
							return
						}
					}
				})
			}
			for range 3 {
				data, contents := write(t, s, backup.Options{})
				to := memory.New().Open()
				restore(t, to, data, backup.RestoreOptions{})
				for i, a := range authors {
					if at := a.Want(t, to, tenants[i]); at != contents.Tenants[i].Seq {
						t.Errorf("tenant %d is as of commit %d, and the backup says %d", i, at, contents.Tenants[i].Seq)
					}
				}
			}
			stop()
			writers.Wait()
		})
	}
}

func TestTenantsAndSecretsAreLeftOut(t *testing.T) {
	t.Parallel()
	s := memory.New().Open()
	a := storetest.Author{Seed: 5, Many: 10}
	first, second, third := written(t, s, a, 20), written(t, s, a, 30), written(t, s, a, 40)
	makeSecrets(t, s)
	data, contents := write(t, s, backup.Options{Tenants: []uuid.UUID{third, first}, WithoutSecrets: true})
	if len(contents.Tenants) != 2 || len(contents.Secrets) != 0 || bytes.Contains(data, []byte("sealed")) {
		t.Errorf("the backup has %+v", contents)
	}
	to := memory.New().Open()
	restore(t, to, data, backup.RestoreOptions{Tenants: []uuid.UUID{first}})
	if ids, err := to.Tenants(t.Context()); err != nil || !slices.Equal(ids, []uuid.UUID{first}) {
		t.Errorf("restored %v, %v", ids, err)
	}
	a.Want(t, to, first)
	if got := secretOf(t, to, "a"); got != "made" {
		t.Errorf("the secret is %q", got)
	}
	for _, id := range []uuid.UUID{second, uuid.New()} {
		only := backup.RestoreOptions{Tenants: []uuid.UUID{id}}
		_, err := backup.Restore(t.Context(), memory.New().Open(), bytes.NewReader(data), only)
		wantError(t, err, "has no tenant "+id.String(), third.String())
	}
	_, err := backup.Write(t.Context(), &bytes.Buffer{}, s, backup.Options{Tenants: []uuid.UUID{uuid.New()}})
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("backing up an unknown tenant answers %v", err)
	}
	as := backup.RestoreOptions{As: uuid.New()}
	_, err = backup.Restore(t.Context(), memory.New().Open(), bytes.NewReader(data), as)
	wantError(t, err, "only one tenant", third.String())
}

// Two tenants of a backup can have the same name, since each is as of a moment of its own.
func TestNamesThatTwoTenantsHave(t *testing.T) {
	t.Parallel()
	s := memory.New().Open()
	a := storetest.Author{Seed: 5, Many: 10}
	first, second := written(t, s, a, 20), written(t, s, a, 30)
	claim(t, s, first, "domain:contoso.com")
	moving := &storetest.Hooked{Store: s}
	moving.Before = func(operation string, tenant uuid.UUID) error {
		if operation == "View" && tenant == second {
			if _, err := s.Settle(t.Context(), first, nil, []string{"domain:contoso.com"}); err != nil {
				return err
			}
			claim(t, s, second, "domain:contoso.com")
		}
		return nil
	}
	data, _ := write(t, moving, backup.Options{})
	restored := restore(t, memory.New().Open(), data, backup.RestoreOptions{})
	want := []store.Claim{{Name: "domain:contoso.com", Tenant: first}}
	if len(restored.Tenants) != 2 || !reflect.DeepEqual(restored.Contested, want) {
		t.Errorf("restored: %+v", restored)
	}
}

func TestALogWithoutItsBeginningNeedsASnapshot(t *testing.T) {
	t.Parallel()
	s := memory.New().Open()
	id := written(t, s, storetest.Author{Seed: 6, Many: 10}, 20)
	if _, err := s.TrimLog(t.Context(), id, 5); err != nil {
		t.Fatal(err)
	}
	_, err := backup.Write(t.Context(), &bytes.Buffer{}, s, backup.Options{})
	if !errors.Is(err, store.ErrDamaged) {
		t.Errorf("it answers %v", err)
	}
	wantError(t, err, "begins with commit 5")
}

func TestAnEmptyStoreIsBackedUp(t *testing.T) {
	t.Parallel()
	data, contents := write(t, memory.New().Open(), backup.Options{})
	restored := restore(t, memory.New().Open(), data, backup.RestoreOptions{})
	if len(contents.Tenants)+len(restored.Tenants) > 0 {
		t.Errorf("restored: %+v", restored)
	}
}
