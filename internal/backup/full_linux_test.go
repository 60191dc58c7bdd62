package backup_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"licensor/internal/backup"
	"licensor/internal/store/memory"
	"licensor/internal/store/storetest"
)

// A disk that becomes full leaves no half of a file.
func TestABackupOntoAFullDisk(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=16k"); err != nil {
		t.Skipf("only who may mount a small disk can fill it: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	s := memory.New().Open()
	written(t, s, storetest.Author{Seed: 9, Many: 500}, 2000)
	_, err := backup.ToFile(t.Context(), filepath.Join(disk, "x.backup"), s, backup.Options{}, false)
	wantError(t, err, "make room")
	wantFiles(t, disk)
}
