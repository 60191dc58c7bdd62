package sqlite

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"licensor/internal/store"
	"licensor/internal/store/storetest"
)

// crashed returns a database as it is on the disk after a crash of a process that has acknowledged
// some commits; most of them are in the log only.
func crashed(t *testing.T, commits uint64) (path string) {
	t.Helper()
	s := openWithTenant(t, filepath.Join(t.TempDir(), "x.db"))
	if _, err := s.writer.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	s.guard.logSize = 0
	for seq := range commits {
		row := userRow(uint32(seq), "ann")
		row.Seq = seq + 1
		err := storetest.Append(t.Context(), s, firstTenant, []store.Commit{commitWith(seq+1, "effects")}, []store.Object{row})
		if err != nil {
			t.Fatal(err)
		}
	}
	path = filepath.Join(t.TempDir(), "x.db")
	for _, suffix := range []string{"", "-wal", "-ack"} {
		copyFile(t, s.path+suffix, path+suffix)
	}
	return path
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	if err := os.WriteFile(to, contents(t, from), 0o600); err != nil {
		t.Fatal(err)
	}
}

func flip(t *testing.T, path string, at int64) {
	t.Helper()
	data := contents(t, path)
	data[at] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A log that is missing, truncated or damaged after a crash is detected. Nothing changes by that,
// and an administrator can continue without it.
func TestAcknowledgedCommitsThatAreMissingAreNoticed(t *testing.T) {
	t.Parallel()
	const made = 30
	harms := map[string]func(t *testing.T, path string){
		"log missing": func(t *testing.T, path string) {
			if err := os.Remove(path + "-wal"); err != nil {
				t.Fatal(err)
			}
		},
		"log cut by a page": func(t *testing.T, path string) {
			info, err := os.Stat(path + "-wal")
			if err == nil {
				err = os.Truncate(path+"-wal", info.Size()-4096)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		"an older copy of the database": func(t *testing.T, path string) {
			older := crashed(t, made-1)
			copyFile(t, older, path)
			copyFile(t, older+"-wal", path+"-wal")
		},
	}
	for part := range 12 {
		harms["a bit of the log"+strings.Repeat("'", part)] = func(t *testing.T, path string) {
			info, err := os.Stat(path + "-wal")
			if err != nil {
				t.Fatal(err)
			}
			flip(t, path+"-wal", info.Size()*int64(2*part+1)/24)
		}
	}
	for name, harm := range harms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := crashed(t, made)
			harm(t, path)
			before := filesAt(t, path)
			err := refused(t, path, path+": acknowledged changes are missing", "--allow-data-loss", path+"-wal")
			if !errors.Is(err, ErrLost) {
				t.Errorf("the error is %v, not ErrLost", err)
			}
			refused(t, path, "acknowledged changes are missing")
			if !maps.Equal(filesAt(t, path), before) {
				t.Error("what was there was changed, so it cannot be put back together")
			}
			s, err := OpenDespiteLoss(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			kept := uint64(len(commits(t, s)))
			if lost := s.Lost(); lost.Acknowledged <= lost.Present || (lost.Kept == "") != (name == "log missing") {
				t.Errorf("it says that it has lost %+v", lost)
			}
			later := []store.Commit{commitWith(kept+1, "later")}
			if err := errors.Join(storetest.Append(t.Context(), s, firstTenant, later, nil), s.Close()); err != nil {
				t.Fatal(err)
			}
			if got := len(commits(t, open(t, path))); got != int(kept)+1 || kept >= made {
				t.Errorf("%d commits are there, %d before that", got, kept)
			}
		})
	}
}

func TestAnUnharmedDatabaseOpensAfterACrash(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(path string) error{
		"as it was":                 func(string) error { return nil },
		"without the note":          func(path string) error { return os.Remove(path + "-ack") },
		"with a note that is empty": func(path string) error { return os.Truncate(path+"-ack", 0) },
		"with a note that is wrong": func(path string) error {
			return os.WriteFile(path+"-ack", []byte("00000000000000009999 00000000\n"), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := crashed(t, 30)
			if err := prepare(path); err != nil {
				t.Fatal(err)
			}
			if got := len(commits(t, open(t, path))); got != 30 {
				t.Errorf("%d commits are there, want 30", got)
			}
		})
	}
}

// A new database in the place of a missing one would remove the log. So the remaining files are
// kept until an administrator moves them.
func TestADatabaseThatIsGoneIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(path string) error{
		"missing":                 os.Remove,
		"empty":                   func(path string) error { return os.Truncate(path, 0) },
		"missing, with its log":   func(path string) error { return errors.Join(os.Remove(path), os.Remove(path+"-wal")) },
		"missing, with its count": func(path string) error { return errors.Join(os.Remove(path), os.Remove(path+"-ack")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := crashed(t, 30)
			if err := remove(path); err != nil {
				t.Fatal(err)
			}
			before := filesAt(t, path)
			for range 2 {
				if s, err := Open(t.Context(), path); !errors.Is(err, ErrLost) {
					t.Fatalf("opening it answers %v, want ErrLost", errors.Join(err, s.Close()))
				}
			}
			if after := filesAt(t, path); !maps.Equal(after, before) {
				t.Error("what was left of the database was changed")
			}
			for _, suffix := range []string{"", "-wal", "-ack"} {
				if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
			}
			openWithTenant(t, path)
		})
	}
}

// filesAt returns the content of a database's files.
func filesAt(t *testing.T, path string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, suffix := range []string{"", "-wal", "-ack"} {
		data, err := os.ReadFile(path + suffix)
		if err == nil {
			files[suffix] = string(data)
		} else if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return files
}
