package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"licensor/internal/store"
	"licensor/internal/store/storetest"
)

const (
	inFile = 40 // commits whose pages are in the file
	inLog  = 10 // commits after them
)

// halfMerged is what is on the disk after the end of a process whose database has commits in the
// file, more in the log, and pages that are free.
func halfMerged(t *testing.T) (path string) {
	t.Helper()
	s := openWithTenant(t, filepath.Join(t.TempDir(), "x.db"))
	commit := func(from, to uint64) {
		for seq := from; seq <= to; seq++ {
			rows := []store.Object{userRow(uint32(seq), fmt.Sprint("a", seq))}
			commits := []store.Commit{commitWith(seq, fmt.Sprintf("%0900d", seq))}
			if err := storetest.Append(t.Context(), s, firstTenant, commits, rows); err != nil {
				t.Fatal(err)
			}
		}
	}
	commit(1, inFile)
	if err := s.emptyLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.writer.Exec("BEGIN; INSERT INTO secret SELECT 'x' || value, zeroblob(900) FROM (WITH RECURSIVE n(value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM n WHERE value < 200) SELECT value FROM n); " +
		"DELETE FROM secret WHERE name LIKE 'x%'; COMMIT"); err != nil {
		t.Fatal(err)
	}
	commit(inFile+1, inFile+inLog)
	path = filepath.Join(t.TempDir(), "x.db")
	for _, suffix := range []string{"", "-wal", "-ack"} {
		copyFile(t, s.path+suffix, path+suffix)
	}
	return path
}

// A file that was cut lacks pages unless the log has them. It is refused then, before anything
// merges the log into it.
func TestAFileThatLacksPagesIsRefused(t *testing.T) {
	t.Parallel()
	path := halfMerged(t)
	before := filesAt(t, path)
	refusals, opened := 0, 0
	for size := len(before[""]); size >= 100; size -= 1500 {
		place := filepath.Join(t.TempDir(), "x.db")
		for _, suffix := range []string{"", "-wal", "-ack"} {
			copyFile(t, path+suffix, place+suffix)
		}
		if err := os.Truncate(place, int64(size)); err != nil {
			t.Fatal(err)
		}
		cut := filesAt(t, place)
		s, err := Open(t.Context(), place)
		if err == nil {
			opened++
			if got := len(commits(t, s)); got != inFile+inLog {
				t.Errorf("with %d bytes it has %d commits, want %d", size, got, inFile+inLog)
			}
			wantCheck(t, s)
			_ = s.Close()
			continue
		}
		refusals++
		if !errors.Is(err, store.ErrDamaged) {
			t.Fatalf("with %d bytes it answers %v, want ErrDamaged", size, err)
		}
		wantError(t, err, place, fmt.Sprintf("it has %d bytes", size), "restore both together")
		if !maps.Equal(filesAt(t, place), cut) {
			t.Errorf("with %d bytes: the files were changed", size)
		}
	}
	if opened < 1 || refusals < 10 {
		t.Errorf("it was refused %d times and opened %d times", refusals, opened)
	}
}

// A log next to a file from another time is refused, whichever of them is the older one, and
// whether or not it is known how much was acknowledged.
func TestALogOfAnotherTimeIsRefused(t *testing.T) {
	t.Parallel()
	s := openWithTenant(t, filepath.Join(t.TempDir(), "x.db"))
	var times []map[string]string // the files at that time
	for seq := uint64(1); seq <= 30; seq++ {
		commits := []store.Commit{commitWith(seq, "effects")}
		if err := storetest.Append(t.Context(), s, firstTenant, commits, nil); err != nil {
			t.Fatal(err)
		}
		switch seq % 10 {
		case 5:
			times = append(times, filesAt(t, s.path))
		case 8:
			if err := s.emptyLog(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for file := range times {
		for log := range times {
			for _, ack := range []string{times[log]["-ack"], ""} {
				path := filepath.Join(t.TempDir(), "x.db")
				for suffix, data := range map[string]string{"": times[file][""], "-wal": times[log]["-wal"], "-ack": ack} {
					if err := os.WriteFile(path+suffix, []byte(data), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if file == log {
					if got := len(commits(t, open(t, path))); got != 5+10*file {
						t.Errorf("%d commits are there, want %d", got, 5+10*file)
					}
					continue
				}
				before := filesAt(t, path)
				for _, open := range []func() (*Store, error){
					func() (*Store, error) { return Open(t.Context(), path) },
					func() (*Store, error) { return OpenDespiteLoss(t.Context(), path) },
				} {
					s, err := open()
					if !errors.Is(err, store.ErrDamaged) {
						t.Fatalf("file %d and log %d: it answers %v, want ErrDamaged", file, log, errors.Join(err, s.Close()))
					}
					wantError(t, err, path, "does not belong to it", "move the log away")
				}
				if !maps.Equal(filesAt(t, path), before) {
					t.Error("the files were changed")
				}
			}
		}
	}
}

// sparse writes a file again with holes in place of some pages.
func sparse(t *testing.T, path string, pages ...int64) {
	t.Helper()
	data := contents(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	at := int64(0)
	for _, page := range append(pages, int64(len(data)/pageSize)+1) {
		to := (page - 1) * pageSize
		if _, err := file.WriteAt(data[at:to], at); err != nil {
			t.Fatal(err)
		}
		at = to + pageSize
	}
	if err := errors.Join(file.Truncate(int64(len(data))), file.Close()); err != nil {
		t.Fatal(err)
	}
}

// freePages returns the leaves of the first part of the list of free pages.
func freePages(data []byte) (free []int64) {
	field := func(at int64) int64 { return int64(binary.BigEndian.Uint32(data[at:])) }
	trunk := (field(32) - 1) * pageSize
	for i := range field(trunk + 4) {
		free = append(free, field(trunk+8+4*i))
	}
	slices.Sort(free)
	return free
}

// A hole in the file in place of a page that is in use is damage, which is noticed at the start.
func TestAHoleInTheFileIsRefused(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("other systems do not say where holes are")
	}
	path := halfMerged(t)
	whole := filepath.Join(t.TempDir(), "whole.db")
	copyFile(t, path, whole)
	leaf := leaves(t, whole, "commits")[2]/pageSize + 1
	sparse(t, path, leaf)
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	holes(file, 1<<40, func(from, to int64) bool { found = true; return false })
	if err := file.Close(); err != nil || !found {
		t.Skipf("this file system does not say where holes are: %v", err)
	}
	before := filesAt(t, path)
	if err := refused(t, path, fmt.Sprintf("page %d is missing", leaf), "restore a backup"); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("it answers %v, want ErrDamaged", err)
	}
	s, err := OpenDespiteLoss(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(s.Damage(), store.ErrDamaged) {
		t.Errorf("its damage is %v", s.Damage())
	}
	_ = s.Close()
	if after := filesAt(t, path); after[""] != before[""] || after["-wal"] == "" {
		t.Error("the log was merged into the damaged file")
	}
}

// Pages that nothing uses may be holes.
func TestAHoleThatNothingUsesIsNoDamage(t *testing.T) {
	t.Parallel()
	path := halfMerged(t)
	_ = open(t, path).Close()
	s := open(t, path)
	_ = s.Close()
	free := freePages(contents(t, path))
	if len(free) == 0 {
		t.Fatal("no page is free")
	}
	sparse(t, path, free...)
	s = open(t, path)
	if got := len(commits(t, s)); got != inFile+inLog || s.Damage() != nil {
		t.Errorf("%d commits are there, want %d; the damage is %v", got, inFile+inLog, s.Damage())
	}
}
