package backup_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/backup"
	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/store/storetest"
	"licensor/internal/store/storetest/everystore"
	"licensor/internal/tenant"
)

var author = storetest.Author{Seed: 7, Many: 12}

// sample is a backup of two tenants, one of which has a trimmed log, with secrets and claims.
func sample(t *testing.T) ([]byte, []uuid.UUID) {
	t.Helper()
	s := memory.New().Open()
	ids := []uuid.UUID{written(t, s, author, 12), written(t, s, author, 8)}
	everystore.Snapshot(t, s, ids[0], 4, "the head")
	claim(t, s, ids[0], "domain:contoso.com")
	claim(t, s, uuid.Nil, "claims: complete")
	makeSecrets(t, s)
	data, _ := write(t, s, backup.Options{})
	return data, ids
}

// published are the tenants that programs know.
func published(t *testing.T, s store.Store) (known []uuid.UUID) {
	t.Helper()
	ids, err := s.Tenants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		place, err := s.Place(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if place.Seq > 0 {
			known = append(known, id)
		}
	}
	return known
}

// A restore fails at each of its operations in turn: the store is as it was, and the next restore
// succeeds. It is killed there: what is known of it then is whole, and the next one completes it.
func TestARestoreThatEndsAnywhere(t *testing.T) {
	t.Parallel()
	data, ids := sample(t)
	for _, killed := range []bool{false, true} {
		for at := 1; ; at++ {
			world := memory.New()
			n, last := 0, ""
			broken := errors.New("the line is broken")
			line := &storetest.Hooked{Store: world.Open(), Before: func(operation string, _ uuid.UUID) error {
				n++
				if n == at || killed && n > at {
					last = operation
					return broken
				}
				return nil
			}}
			_, err := backup.Restore(t.Context(), line, bytes.NewReader(data), backup.RestoreOptions{Now: clock})
			if err == nil {
				if at < 12 {
					t.Errorf("there were only %d operations", at)
				}
				break
			}
			t.Run(fmt.Sprintf("killed %v at operation %d", killed, at), func(t *testing.T) {
				s := world.Open()
				if !errors.Is(err, broken) {
					t.Fatalf("it answers %v, want %v", err, broken)
				}
				known := published(t, s)
				if all, err := s.Tenants(t.Context()); err != nil || !killed && last != "Publish" && len(all) > 0 {
					t.Errorf("after a failure there are tenants %v, %v", all, err)
				}
				for _, id := range known {
					if last != "Publish" {
						t.Errorf("tenant %s is known", id)
					}
					author.Want(t, s, id)
				}
				restore(t, s, data, backup.RestoreOptions{Now: clock})
				for _, id := range ids {
					author.Want(t, s, id)
				}
				if got := secretOf(t, s, "b"); got != "sealed b" {
					t.Errorf("the secret is %q", got)
				}
			})
		}
	}
}

func TestARestoreNeedsAnEmptyStore(t *testing.T) {
	t.Parallel()
	data, ids := sample(t)
	s := memory.New().Open()
	restore(t, s, data, backup.RestoreOptions{Now: clock})
	_, err := backup.Restore(t.Context(), s, bytes.NewReader(data), backup.RestoreOptions{Now: clock})
	wantError(t, err, "is not empty", "2 tenants")
	for _, id := range ids {
		author.Want(t, s, id)
	}
	other := memory.New().Open()
	there := written(t, other, author, 3)
	_, err = backup.Restore(t.Context(), other, bytes.NewReader(data), backup.RestoreOptions{Now: clock})
	wantError(t, err, "is not empty", there.String())
	if known := published(t, other); len(known) != 1 {
		t.Errorf("there are %v", known)
	}
}

// What this program could not read afterwards is not restored.
func TestCommitsOfANewerFormatAreNotRestored(t *testing.T) {
	t.Parallel()
	s := memory.New().Open()
	id := uuid.New()
	if err := s.CreateTenant(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	c := store.Commit{Seq: 1, Operation: "new", Format: tenant.Format + 1}
	c.Chain = c.Link(store.Chain{})
	if err := s.Append(t.Context(), id, store.Place{}, []store.Commit{c}, nil); err != nil {
		t.Fatal(err)
	}
	data, _ := write(t, s, backup.Options{Program: "9.8.7"})
	to := memory.New().Open()
	_, err := backup.Restore(t.Context(), to, bytes.NewReader(data), backup.RestoreOptions{Now: clock})
	wantError(t, err, fmt.Sprint("in format ", tenant.Format+1), "run version 9.8.7 or newer")
	if ids, err := to.Tenants(t.Context()); err != nil || len(ids) > 0 {
		t.Errorf("there are tenants %v, %v", ids, err)
	}
}

// What was filled in by a restore of another backup is not completed by this one.
func TestARestoreOfAnotherBackupIsNotEnded(t *testing.T) {
	t.Parallel()
	data, ids := sample(t)
	s := memory.New().Open()
	for _, id := range ids {
		if err := s.CreateTenant(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := author.Write(t.Context(), s, ids[0], 3); err != nil {
		t.Fatal(err)
	}
	_, err := backup.Restore(t.Context(), s, bytes.NewReader(data), backup.RestoreOptions{Now: clock})
	wantError(t, err, "is not empty", ids[0].String())
}

// A backup is read as a whole before anything is written.
func TestNothingOfADamagedBackupIsWritten(t *testing.T) {
	t.Parallel()
	data, _ := sample(t)
	data[len(data)-3] ^= 1
	s := &storetest.Hooked{Store: memory.New().Open(), Before: func(operation string, _ uuid.UUID) error {
		t.Errorf("there was a %s", operation)
		return nil
	}}
	_, err := backup.Restore(t.Context(), s, bytes.NewReader(data), backup.RestoreOptions{})
	if !errors.As(err, new(*backup.DamagedError)) {
		t.Errorf("it answers %v", err)
	}
}

// A store that does not give back what it was given is noticed before anyone relies on it.
func TestWhatIsRestoredIsReadBack(t *testing.T) {
	t.Parallel()
	data, ids := sample(t)
	world := memory.New()
	s := world.Open()
	line := &storetest.Hooked{Store: s}
	line.Before = func(operation string, id uuid.UUID) error {
		if operation == "View" && id == ids[1] {
			row := store.Object{Kind: store.KindUser, Ordinal: 99, Document: []byte("{}")}
			return s.Fill(t.Context(), ids[1], nil, []store.Object{row})
		}
		return nil
	}
	_, err := backup.Restore(t.Context(), line, bytes.NewReader(data), backup.RestoreOptions{Now: clock})
	wantError(t, err, "read tenant "+ids[1].String()+" back")
	if known := published(t, s); len(known) > 0 {
		t.Errorf("tenants %v are known", known)
	}
}
