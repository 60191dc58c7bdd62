package sqlite

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"licensor/internal/store"
	"licensor/internal/store/storetest"
)

// cut truncates a file to half its size.
func cut(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.Truncate(path, info.Size()/2/pageSize*pageSize)
}

// blank overwrites all pages but the first with zeros.
func blank(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	clear(data[pageSize:])
	return os.WriteFile(path, data, 0o600)
}

// If Open fails, all files stay as they were: with the right file in its place again, nothing is
// lost.
func TestARefusedStartKeepsTheLog(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(path string) error{"cut": cut, "zeroed": blank} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const made = 30
			path := crashed(t, made)
			good := contents(t, path)
			if err := harm(path); err != nil {
				t.Fatal(err)
			}
			before := filesAt(t, path)
			s, err := Open(t.Context(), path)
			if err == nil {
				_, err = readAll(s)
				err = errors.Join(err, s.Close())
			}
			if !errors.Is(err, store.ErrDamaged) {
				t.Fatalf("it answers %v, want ErrDamaged", err)
			}
			if after := filesAt(t, path); after["-wal"] != before["-wal"] || after["-ack"] != before["-ack"] {
				t.Error("the log was changed")
			}
			if err := os.WriteFile(path, good, 0o600); err != nil {
				t.Fatal(err)
			}
			if got := len(commits(t, open(t, path))); got != made {
				t.Errorf("%d commits are there, want %d", got, made)
			}
		})
	}
}

// A store whose file was changed while it was open leaves its log and the file unchanged when it is
// closed.
func TestClosingAChangedDatabaseKeepsTheLog(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(path string) error{
		"emptied": func(path string) error { return os.Truncate(path, 0) },
		"cut":     cut,
		"deleted": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const made = 30
			crash := crashed(t, made)
			path := filepath.Join(t.TempDir(), "x.db")
			for _, suffix := range []string{"", "-wal", "-ack"} {
				copyFile(t, crash+suffix, path+suffix)
			}
			s := open(t, path)
			more := []store.Commit{commitWith(made+1, "more")}
			if err := storetest.Append(t.Context(), s, firstTenant, more, nil); err != nil {
				t.Fatal(err)
			}
			good := contents(t, path)
			if err := harm(path); err != nil {
				t.Fatal(err)
			}
			before := filesAt(t, path)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if !maps.Equal(filesAt(t, path), before) {
				t.Error("closing has changed the files")
			}
			if err := os.WriteFile(path, good, 0o600); err != nil {
				t.Fatal(err)
			}
			if got := len(commits(t, open(t, path))); got != made+1 {
				t.Errorf("%d commits are there, want %d", got, made+1)
			}
		})
	}
}
