package backup_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/backup"
	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

var quiet = engine.Options{Now: clock, Log: slog.New(slog.DiscardHandler)}

// serve makes a tenant as servers make them, with a user and a snapshot, whose log is trimmed.
func serve(t *testing.T, s store.Store, id uuid.UUID) {
	t.Helper()
	options := quiet
	options.SnapshotAfter = 1
	all, err := engine.Open(t.Context(), s, options)
	if err != nil {
		t.Fatal(err)
	}
	made, err := all.Create(t.Context(), id, directory.Organization{
		DisplayName: "Test", CountryLetterCode: "DE",
		VerifiedDomains: []directory.VerifiedDomain{{Name: "test.example", IsDefault: true, IsInitial: true, Type: "Managed"}},
	}, catalog.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	addUser(t, made, "ann")
	addUser(t, made, "ben")
	made.Release()
	if err := all.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	manifests, err := s.Manifests(t.Context(), id)
	if err != nil || len(manifests) == 0 {
		t.Fatalf("there is no snapshot: %v", err)
	}
	if n, err := s.TrimLog(t.Context(), id, manifests[0].Seq); err != nil || n == 0 {
		t.Fatalf("%d commits were trimmed, %v", n, err)
	}
}

func addUser(t *testing.T, of *engine.Tenant, name string) {
	t.Helper()
	members, err := directory.Members(fmt.Appendf(nil, `{"accountEnabled":true,"displayName":%[1]q,"mailNickname":%[1]q,`+
		`"userPrincipalName":"%[1]s@test.example","usageLocation":"DE","passwordProfile":{"password":"Secret-123"}}`, name))
	if err != nil {
		t.Fatal(err)
	}
	patch, err := directory.ParseUserPatch(members)
	if err != nil {
		t.Fatal(err)
	}
	command := tenant.CreateUser{Patch: patch, PasswordHash: "a hash"}
	if _, err := of.Do(t.Context(), "user test", command); err != nil {
		t.Fatal(err)
	}
}

func TestATenantIsRestoredUnderAnotherID(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(stores)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := stores[name](t), stores[name](t)
			was, now := uuid.UUID{1}, uuid.UUID{2}
			serve(t, from, was)
			data, contents := write(t, from, backup.Options{})
			restore(t, to, data, backup.RestoreOptions{As: now, Now: clock, Log: quiet.Log})
			if _, err := to.Place(t.Context(), was); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the tenant is there under its former id: %v", err)
			}
			wantOneMore(t, to, now, contents.Tenants[0])
			all, err := engine.Open(t.Context(), to, quiet)
			if err != nil {
				t.Fatal(err)
			}
			found, err := all.ByDomain(t.Context(), "test.example")
			if err != nil {
				t.Fatal(err)
			}
			if id := found.Image().Organization.ID; found.ID() != now || id != now {
				t.Errorf("the tenant is %s, and its organization %s", found.ID(), id)
			}
			addUser(t, found, "cem")
			found.Release()
			if err := all.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			again, err := backup.Check(t.Context(), bytes.NewReader(data), nil)
			if err != nil || again.Tenants[0].ID != was {
				t.Errorf("the backup has %+v, %v", again, err)
			}
		})
	}
}

// wantOneMore wants the log of the backup, and one commit after it.
func wantOneMore(t *testing.T, s store.Store, id uuid.UUID, was backup.Tenant) {
	t.Helper()
	place, err := s.Place(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var commits []store.Commit
	err = s.Commits(t.Context(), id, was.Seq-1, func(c store.Commit) error {
		commits = append(commits, c)
		return nil
	})
	if err != nil || len(commits) != 2 || commits[0].Chain != was.Chain || commits[1].Operation != "renameTenant" ||
		place.Seq != was.Seq+1 || commits[1].Chain != place.Chain {
		t.Errorf("the log ends at %+v with %+v, %v", place, commits, err)
	}
}
