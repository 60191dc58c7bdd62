package sqlite

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// TestAReplacedSecretIsGone looks for a replaced secret in the bytes of the file and its log, like
// a thief.
func TestAReplacedSecretIsGone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s := openWithTenant(t, path)
	old := strings.Repeat("the old secret ", 400) // longer than a page
	if _, err := s.Secret(t.Context(), "key", func() ([]byte, error) { return []byte(old), nil }); err != nil {
		t.Fatal(err)
	}
	inFile := func() bool {
		return bytes.Contains(contents(t, path), []byte(old[:60])) ||
			bytes.Contains(contents(t, path+"-wal"), []byte(old[:60]))
	}
	if !inFile() {
		t.Fatal("the secret is nowhere to be found before it is replaced")
	}
	err := s.ReplaceSecret(t.Context(), "key", func([]byte) ([]byte, error) { return []byte("short"), nil })
	if err != nil || inFile() {
		t.Errorf("after it was replaced the old secret is in the file: %t, %v", inFile(), err)
	}
}
