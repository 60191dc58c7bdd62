//go:build unix

package sqlite

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A program that is being started has copies of all descriptors until it runs.
func TestAClosedStoreIsFreeThoughItsDescriptorsWereCopied(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "licensor.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []*os.File{s.lock, s.file} {
		copied, err := syscall.Dup(int(file.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(copied)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}
