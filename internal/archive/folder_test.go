package archive_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/archive"
	"licensor/internal/engine"
	"licensor/internal/store"
)

var _ engine.Archive = archive.Folder{}

var of = uuid.MustParse("c0000000-0000-4000-8000-000000000001")

// log is a log with so many commits a day.
func log(days, each int) (list []store.Commit) {
	var chain store.Chain
	begin := time.Date(2026, 1, 30, 1, 0, 0, 0, time.UTC)
	for i := range days * each {
		c := store.Commit{
			Seq: uint64(i + 1), At: begin.AddDate(0, 0, i/each).Add(time.Duration(i%each) * time.Minute), Actor: "system",
			Operation: "import", Format: 8, Effects: fmt.Append(nil, "effects ", i),
		}
		c.Chain = c.Link(chain)
		chain = c.Chain
		list = append(list, c)
	}
	return list
}

func reading(list []store.Commit) func(func(store.Commit) error) error {
	return func(yield func(store.Commit) error) error {
		for _, c := range list {
			if err := yield(c); err != nil {
				return err
			}
		}
		return nil
	}
}

// keep archives commits of one day.
func keep(t *testing.T, f archive.Folder, list []store.Commit) error {
	t.Helper()
	first, last := list[0], list[len(list)-1]
	return f.Keep(t.Context(), of, first.At.Truncate(24*time.Hour), first.Seq, last.Seq, reading(list))
}

func open(t *testing.T) (f archive.Folder, path string) {
	t.Helper()
	path = t.TempDir()
	f, err := archive.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f, path
}

func read(f archive.Folder) (list []store.Commit, err error) {
	err = f.Commits(of, func(c store.Commit) error {
		list = append(list, c)
		return nil
	})
	return list, err
}

func TestWhatIsKeptIsRead(t *testing.T) {
	t.Parallel()
	f, path := open(t)
	if list, err := read(f); err != nil || list != nil {
		t.Errorf("an empty archive has %v, %v", list, err)
	}
	all := log(4, 5)
	for day := range slices.Chunk(all, 5) {
		if err := keep(t, f, day); err != nil {
			t.Fatal(err)
		}
	}
	// Folders with other forms of GUIDs are not those of tenants.
	for _, other := range []string{"{" + of.String() + "}", strings.ReplaceAll(of.String(), "-", "")} {
		if err := os.Mkdir(filepath.Join(path, other), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	list, err := read(f)
	if err != nil || len(list) != len(all) {
		t.Fatalf("%d commits are read, %v", len(list), err)
	}
	for i, c := range list {
		if c.Chain != all[i].Chain || c.Link(store.Chain{}) != all[i].Link(store.Chain{}) {
			t.Errorf("commit %d is %+v, want %+v", i, c, all[i])
		}
	}
	if ids, err := f.Tenants(); err != nil || !slices.Equal(ids, []uuid.UUID{of}) {
		t.Errorf("it has the tenants %v, %v", ids, err)
	}
	enough := errors.New("enough")
	if err := f.Commits(of, func(store.Commit) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("reading ends with %v", err)
	}
	if files, err := filepath.Glob(filepath.Join(path, of.String(), "*")); err != nil || len(files) != 4 ||
		filepath.Base(files[1]) != "2026-01-31.log.zst" {
		t.Errorf("the files are %v, %v", files, err)
	}
}

// TestADayIsKeptTwice, when a process has ended before it removed all of its commits.
func TestADayIsKeptTwice(t *testing.T) {
	t.Parallel()
	f, _ := open(t)
	all := log(1, 6)
	for _, left := range [][]store.Commit{all, all, all[3:]} {
		if err := keep(t, f, left); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := read(f); err != nil || len(list) != len(all) {
		t.Errorf("%d commits are read, %v", len(list), err)
	}
	other := slices.Clone(all)
	other[4].Chain[0]++
	for name, list := range map[string][]store.Commit{"another commit": other, "fewer": all[:5]} {
		if err := keep(t, f, list); err == nil || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAFileIsWholeOrNotThere: what cannot be read to its end leaves nothing.
func TestAFileIsWholeOrNotThere(t *testing.T) {
	t.Parallel()
	f, path := open(t)
	all := log(1, 6)
	broken := errors.New("the database does not answer")
	err := f.Keep(t.Context(), of, all[0].At, 1, 6, func(yield func(store.Commit) error) error {
		return errors.Join(yield(all[0]), broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("keeping ends with %v", err)
	}
	if err := f.Keep(t.Context(), of, all[0].At, 1, 7, reading(all)); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("with a commit less: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(path, "*", "*")); err != nil || len(left) != 0 {
		t.Errorf("there is %v, %v", left, err)
	}
}

// TestDamageIsFound: each bit of a file, each length of it, and each day counts.
func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	f, path := open(t)
	for day := range slices.Chunk(log(3, 3), 3) {
		if err := keep(t, f, day); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(path, of.String(), "2026-01-31.log.zst")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, data []byte) {
		t.Helper()
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := read(f)
		if err == nil && len(list) == 9 {
			return // a bit that means nothing
		}
		if err == nil || !strings.Contains(err.Error(), name) || strings.Count(err.Error(), "restore") > 1 {
			t.Errorf("%s: %d commits, %v", what, len(list), err)
		}
	}
	harmless, decompressed := 0, 0
	for i := range whole {
		flipped := slices.Clone(whole)
		flipped[i] ^= 1 << (i % 8)
		try(fmt.Sprint("byte ", i), flipped)
		if list, err := read(f); err == nil && len(list) == 9 {
			harmless++
		} else if strings.Contains(err.Error(), "decompressed") {
			decompressed++
		}
	}
	if decompressed < len(whole)*9/10 {
		t.Errorf("only for %d of %d bytes the error says what is wrong", decompressed, len(whole))
	}
	if harmless > 4 {
		t.Errorf("%d of %d bytes may be any", harmless, len(whole))
	}
	for n := range whole {
		try(fmt.Sprint("length ", n), whole[:n])
	}
	try("twice", append(slices.Clone(whole), whole...))
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if _, err := read(f); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("without a day: %v", err)
	}
}

func TestAFolderThatCannotBe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{file: "is not a folder", file + "2": "create it"} {
		if _, err := archive.Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
