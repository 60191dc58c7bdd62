package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"licensor/internal/store"
)

// smallDisk returns the folder of an empty disk.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("only who may mount a small disk can fill it: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	return disk
}

// TestFullDisk fills a disk of 3 MB, where the log, the file and the shared memory all need room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "3m")
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s := openWithTenant(t, filepath.Join(disk, "x.db"))
	acknowledged := fill(t, s)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	wantRoom(t, s, acknowledged)
}

// TestADatabaseThatCannotBeMadeLeavesNothing on a full disk.
func TestADatabaseThatCannotBeMadeLeavesNothing(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "32k")
	if _, err := Open(t.Context(), filepath.Join(disk, "x.db")); !errors.Is(err, store.ErrFull) {
		t.Errorf("opening it answers %v, want ErrFull", err)
	}
	if left, err := os.ReadDir(disk); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
}

// TestALittleRoomIsNotReady leaves 20 KB, enough for a small commit and too little for a usual one.
func TestALittleRoomIsNotReady(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "3m")
	s := openWithTenant(t, filepath.Join(disk, "x.db"))
	for range 3 {
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var free syscall.Statfs_t
	if err := syscall.Statfs(disk, &free); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, int(free.Bavail)*int(free.Bsize)-20<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.Ping(t.Context()); !errors.Is(err, store.ErrFull) {
			t.Errorf("it answers %v, want ErrFull", err)
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("with room again it answers %v", err)
	}
}
