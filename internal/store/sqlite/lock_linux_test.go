package sqlite

import (
	"os"
	"path/filepath"
	"testing"
)

// The database file itself is locked, whatever names it has and whatever happens to the file next
// to it.
func TestAnotherNameIsNoWayIn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s := openWithTenant(t, path)
	link := filepath.Join(filepath.Dir(path), "y.db")
	if err := os.Link(path, link); err != nil {
		t.Fatal(err)
	}
	refused(t, link, link, "in use by another process", "by another name")
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	refused(t, path, path, "in use by another process")
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("the first one suffers: %v", err)
	}
}
