package postgres_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"licensor/internal/store"
	"licensor/internal/store/postgres"
	"licensor/internal/store/postgres/postgrestest"
)

// TestFullDisk fills the disk of a database, which has 24 MB: rows that do not fit are refused,
// acknowledged ones remain, and appends continue when there is room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	disk := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("only who may mount a small disk can fill it: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	space := server.Give(t, disk)
	say(t, server.URL("postgres"), fmt.Sprintf("CREATE TABLESPACE small LOCATION '%s'", space),
		"CREATE DATABASE small TABLESPACE small TEMPLATE template0")
	of := server.URL("small")
	if err := postgres.Create(t.Context(), of, postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	s := open(t, of)
	tenant := withTenant(t, s)
	at := store.Place{}
	for {
		commits, rows := batch(at, 500, func(i int) uint32 { return uint32(at.Seq) + uint32(i) })
		if err := s.Append(t.Context(), tenant, at, commits, rows); errors.Is(err, store.ErrFull) {
			wantError(t, err, "make room")
			break
		} else if err != nil {
			t.Fatal(err)
		}
		at = at.After(commits)
	}
	got, err := s.Place(t.Context(), tenant)
	if err != nil || got != at || len(allCommits(t, s, tenant)) != int(at.Seq) {
		t.Errorf("on a full disk the log ends at %+v, %v; want %+v", got, err, at)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	commits, rows := batch(at, 500, func(i int) uint32 { return uint32(at.Seq) + uint32(i) })
	if err := s.Append(t.Context(), tenant, at, commits, rows); err != nil {
		t.Errorf("when there is room: %v", err)
	}
}
