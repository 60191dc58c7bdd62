package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A disk that becomes full while a backup arrives keeps no half of a file.
func TestABackupFromAServerOntoAFullDisk(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=8k"); err != nil {
		t.Skipf("only who may mount a small disk can fill it: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	b := newBackedUp(t, true)
	code, _, stderr := call(t, rootCommand(), append([]string{"backup", "--to", filepath.Join(disk, "x")}, b.args...)...)
	if code != exitFailed || !strings.Contains(stderr, "make room") {
		t.Errorf("code %d: %s", code, stderr)
	}
	wantOnly(t, disk)
}
