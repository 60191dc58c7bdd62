package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/store/storetest"
)

// files are the content of a database's files, by suffix.
type files map[string]string

// with returns files of which some are replaced by those of others.
func (f files) with(others files, suffixes ...string) files {
	mixed := maps.Clone(f)
	for _, suffix := range suffixes {
		if data, ok := others[suffix]; ok {
			mixed[suffix] = data
		} else {
			delete(mixed, suffix)
		}
	}
	return mixed
}

func (f files) without(suffix string) files { return f.with(nil, suffix) }

func (f files) write(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "x.db")
	for suffix, data := range f {
		if err := os.WriteFile(path+suffix, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// everyFile returns also the files that SQLite creates.
func everyFile(t *testing.T, path string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, suffix := range []string{"", "-wal", "-ack", "-shm", "-journal"} {
		if data, err := os.ReadFile(path + suffix); err == nil {
			all[suffix] = string(data)
		}
	}
	return all
}

// grow appends commits, each with some rows, after those that exist.
func grow(t *testing.T, s *Store, many, rows int) {
	t.Helper()
	last := uint64(len(commits(t, s)))
	for seq := last + 1; seq <= last+uint64(many); seq++ {
		var changed []store.Object
		for i := range rows {
			changed = append(changed, userRow(uint32(int(seq)*rows+i), fmt.Sprint("u", seq, "-", i)))
		}
		err := storetest.Append(t.Context(), s, firstTenant, []store.Commit{commitWith(seq, "effects")}, changed)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// stopped returns the files after more commits and a stop in order.
func (f files) stopped(t *testing.T, many, rows int) files {
	t.Helper()
	s := open(t, f.write(t))
	grow(t, s, many, rows)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return filesAt(t, s.path)
}

// crashed returns the files after more commits and a crash.
func (f files) crashed(t *testing.T, many, rows int) files {
	t.Helper()
	s := open(t, f.write(t))
	grow(t, s, many, rows)
	return filesAt(t, s.path)
}

// despiteLoss returns the files after a start without what is missing and more commits.
func (f files) despiteLoss(t *testing.T, many, rows int, crash bool) files {
	t.Helper()
	s, err := OpenDespiteLoss(t.Context(), f.write(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	grow(t, s, many, rows)
	if !crash {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return filesAt(t, s.path)
}

func founded(t *testing.T, many, rows int) files {
	t.Helper()
	s := openWithTenant(t, filepath.Join(t.TempDir(), "x.db"))
	grow(t, s, many, rows)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return filesAt(t, s.path)
}

// A log is merged only into the file that it continues: not into one that was used without it, nor
// into another copy of the database, nor into another database, whatever the numbers of their
// writes are.
func TestALogOfAnotherLineIsRefused(t *testing.T) {
	t.Parallel()
	base := founded(t, 20, 5)
	crash := base.crashed(t, 80, 1)
	without := crash.without("-wal")
	prod, stag := base.crashed(t, 30, 1), base.crashed(t, 45, 1)
	prodAgain, stagAgain := crash.crashed(t, 5, 1), crash.crashed(t, 8, 1)
	one, other := founded(t, 20, 5).crashed(t, 30, 1), founded(t, 20, 5).crashed(t, 45, 1)
	garbled := maps.Clone(one)
	garbled[""] = one[""][:100] + string(bytes.Repeat([]byte("garbage!"), (pageSize-100)/8)) + one[""][pageSize-4:]
	for name, mixed := range map[string]files{
		"the file was used without it, and stopped":          without.despiteLoss(t, 30, 1, false).with(crash, "-wal"),
		"the file was used without it, and crashed":          without.despiteLoss(t, 30, 1, true).with(crash, "-wal"),
		"the file was used without it for imports":           without.despiteLoss(t, 13, 300, false).with(crash, "-wal"),
		"the file was used without it, and the log for -ack": without.despiteLoss(t, 30, 1, true).with(crash, "-wal", "-ack"),
		"of a copy that crashed, file crashed":               prod.with(stag, "-wal"),
		"of a copy that crashed, with its -ack":              prod.with(stag, "-wal", "-ack"),
		"of a copy that crashed, without -ack":               prod.with(stag, "-wal").without("-ack"),
		"of a copy that crashed, file stopped":               base.stopped(t, 30, 1).with(stag, "-wal"),
		"of a copy that crashed, file stopped, no -ack":      base.stopped(t, 30, 1).with(stag, "-wal").without("-ack"),
		"of a copy made after a crash":                       prodAgain.with(stagAgain, "-wal"),
		"of a copy made after a crash, with its -ack":        prodAgain.with(stagAgain, "-wal", "-ack"),
		"of before the last session":                         prodAgain.with(crash, "-wal", "-ack"),
		"of another database":                                one.with(other, "-wal"),
		"of another database, with its -ack":                 one.with(other, "-wal", "-ack"),
		"of another database, file stopped":                  one.stopped(t, 1, 1).with(other, "-wal", "-ack"),
		"of another database, file unreadable":               garbled.with(other, "-wal").without("-ack"),
		"of another database, of the same number of writes":  one.with(other.crashed(t, 0, 0), "-wal"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := mixed.write(t)
			before := everyFile(t, path)
			for range 2 {
				_, _, err := Schema(t.Context(), path)
				s, opening := Open(t.Context(), path)
				if opening == nil {
					t.Fatalf("it was opened with %d commits", len(commits(t, s)))
				}
				if name == "of before the last session" { // it is as if it was cut
					if !errors.Is(opening, ErrLost) {
						t.Errorf("it answers %v, want ErrLost", opening)
					}
					continue
				}
				_, despite := OpenDespiteLoss(t.Context(), path)
				for door, err := range map[string]error{"the schema": err, "opening it": opening, "despite loss": despite} {
					if !errors.Is(err, store.ErrDamaged) {
						t.Errorf("%s answers %v, want ErrDamaged", door, err)
					}
					wantError(t, err, path, "does not belong to it", "restore the file and its log together")
				}
			}
			if !maps.Equal(everyFile(t, path), before) {
				t.Error("the files were changed")
			}
		})
	}
}

// The copies of the test before open with their own logs.
func TestALogOfTheSameLineIsMerged(t *testing.T) {
	t.Parallel()
	base := founded(t, 20, 5)
	crash := base.crashed(t, 80, 1)
	lossy := crash.without("-wal").despiteLoss(t, 30, 1, true)
	much := crash
	for range 40 {
		much = much.stopped(t, 1, 1)
	}
	for name, c := range map[string]struct {
		files
		want int
	}{
		"stopped":                        {base, 20},
		"crashed":                        {crash, 100},
		"crashed, no -ack":               {crash.without("-ack"), 100},
		"crashed, with an older -ack":    {crash.with(base, "-ack"), 100},
		"crashed twice":                  {crash.crashed(t, 5, 1), 105},
		"used without its log":           {lossy, 50},
		"its older file, which had none": {crash.with(base, ""), 100},
		"with a much older -ack":         {much.with(crash, "-ack"), 140},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, c.write(t))
			if got := len(commits(t, s)); got != c.want {
				t.Errorf("%d commits are there, want %d", got, c.want)
			}
			wantCheck(t, s)
		})
	}
}

// A file of which another copy was used does not have what was acknowledged, although it has more
// writes.
func TestAnotherCopyInPlaceOfTheFileIsNoticed(t *testing.T) {
	t.Parallel()
	base := founded(t, 20, 5)
	prod, stag := base.stopped(t, 30, 1), base.stopped(t, 45, 1)
	path := stag.with(prod, "-ack").write(t)
	before := everyFile(t, path)
	if err := refused(t, path, "write 51", "another copy", "--allow-data-loss"); !errors.Is(err, ErrLost) {
		t.Errorf("it answers %v, want ErrLost", err)
	}
	if !maps.Equal(everyFile(t, path), before) {
		t.Error("the files were changed")
	}
	s, err := OpenDespiteLoss(t.Context(), path)
	if err != nil || len(commits(t, s)) != 65 {
		t.Fatalf("despite the loss: %v", err)
	}
	_ = s.Close()
	open(t, path)
}

// Without -ack, too, the file shows that it needs a log.
func TestALogThatIsMissingIsNoticedWithoutAck(t *testing.T) {
	t.Parallel()
	base := founded(t, 20, 5)
	path := base.crashed(t, 3, 1).without("-ack").without("-wal").write(t)
	if err := refused(t, path, "the last 1 of 22 writes"); !errors.Is(err, ErrLost) {
		t.Errorf("it answers %v, want ErrLost", err)
	}
	for range 2 { // once is enough
		s, err := OpenDespiteLoss(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		_ = open(t, path).Close()
	}
}

// Each start after a crash continues the log: it may have any number of sessions.
func TestManySessionsInOneLog(t *testing.T) {
	t.Parallel()
	now, first := founded(t, 1, 1), files(nil)
	for range 40 {
		now = now.crashed(t, 1, 1)
		if first == nil {
			first = now
		}
	}
	if got := len(commits(t, open(t, now.write(t)))); got != 41 {
		t.Errorf("%d commits are there, want 41", got)
	}
	refused(t, now.with(first, "-wal").write(t), "restore the file and its log together")
}

// A refused start leaves no file that was not there.
func TestARefusedStartAddsNoFile(t *testing.T) {
	t.Parallel()
	base := founded(t, 20, 20)
	short := files{"": base[""][:50]}
	blanked := []byte(base[""])
	clear(blanked[pageSize:])
	for name, broken := range map[string]files{
		"cut to 50 bytes": short, "cut to half": {"": base[""][:len(base[""])/2]}, "zeroed": {"": string(blanked)},
		"of a newer schema": {"": base[""][:63] + "\x63" + base[""][64:]},
	} {
		path := broken.write(t)
		before := everyFile(t, path)
		if err := refused(t, path, path); !errors.Is(err, store.ErrDamaged) && name != "of a newer schema" {
			t.Errorf("%s: it answers %v, want ErrDamaged", name, err)
		}
		if after := everyFile(t, path); !maps.Equal(after, before) {
			t.Errorf("%s: the files are %v, and were %v", name, slices.Collect(maps.Keys(after)), slices.Collect(maps.Keys(before)))
		}
	}
}

// A file of schema 8, after a crash, is upgraded together with its log.
func TestACrashedFileOfTheSchemaBeforeIsUpgraded(t *testing.T) {
	t.Parallel()
	old := files(filesAt(t, "testdata/schema-8.db"))
	s := open(t, old.write(t))
	if got := len(commits(t, s)); got != 10 || s.line.count != 11 {
		t.Errorf("%d commits and %d writes are there, want 10 and 11", got, s.line.count)
	}
	grow(t, s, 3, 1)
	now := files(filesAt(t, s.path))
	if got := len(commits(t, open(t, now.write(t)))); got != 13 {
		t.Errorf("after a crash %d commits are there, want 13", got)
	}
	err := refused(t, old.without("-wal").write(t), "the last 4 of 11 writes")
	if !errors.Is(err, ErrLost) {
		t.Errorf("without its log it answers %v, want ErrLost", err)
	}
	path := now.with(old, "-wal").write(t)
	if err := refused(t, path, "does not belong to it"); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("with the log from before the upgrade it answers %v, want ErrDamaged", err)
	}
	path = old.with(now, "-wal").write(t)
	if err := refused(t, path, "log away"); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("the old file with the log from after the upgrade answers %v, want ErrDamaged", err)
	}
}

// Files of schema 8 have only a number of writes. A log of another copy of such a file, with a
// number that fits, is not merged.
func TestAnotherLogOfTheSchemaBeforeIsRefused(t *testing.T) {
	t.Parallel()
	base := files(filesAt(t, "testdata/schema-8.db")).olderWrites(t, 1, "base", true)
	for name, mixed := range map[string]files{
		"as many writes, file stopped":   base.olderWrites(t, 10, "one", true).with(base.olderWrites(t, 10, "other", false), "-wal"),
		"more writes, file stopped":      base.olderWrites(t, 10, "one", true).with(base.olderWrites(t, 15, "other", false), "-wal"),
		"many more writes, file stopped": base.olderWrites(t, 400, "one", true).with(base.olderWrites(t, 700, "other", false), "-wal"),
	} {
		mixed = mixed.without("-ack")
		path := mixed.write(t)
		if err := refused(t, path, "does not belong to it"); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: it answers %v, want ErrDamaged", name, err)
		}
		if !maps.Equal(filesAt(t, path), map[string]string(mixed)) {
			t.Errorf("%s: the files were changed", name)
		}
	}
	own := base.olderWrites(t, 400, "one", true).olderWrites(t, 300, "one", false).without("-ack")
	if got := len(commits(t, open(t, own.write(t)))); got != 711 {
		t.Errorf("with its own log %d commits are there, want 711", got)
	}
}

// olderWrites returns the files of schema 8 after more commits, as the program wrote them then.
func (f files) olderWrites(t *testing.T, many int, text string, stop bool) files {
	t.Helper()
	path := f.write(t)
	db := connect(path, writing, 1)
	defer db.Close()
	var last uint64
	if err := db.QueryRow("SELECT seq FROM tenant WHERE number = 1").Scan(&last); err != nil {
		t.Fatal(err)
	}
	for range many {
		last++
		c := commitWith(last, text)
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		_, err = tx.Exec("UPDATE tenant SET seq = ? WHERE number = 1", last)
		if err == nil {
			_, err = tx.Exec("INSERT INTO commits (tenant, seq, at, actor, operation, format, effects, sum) "+
				"VALUES (1, ?, ?, ?, ?, ?, ?, ?)", last, c.At.UnixMilli(), c.Actor, c.Operation, c.Format, c.Effects, c.Sum())
		}
		if err == nil {
			_, err = tx.Exec("UPDATE probe SET writes = writes + 1")
		}
		if err := errors.Join(err, tx.Commit()); err != nil {
			t.Fatal(err)
		}
	}
	if stop {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return filesAt(t, path)
}

func TestAWriteIsPartOfItsLine(t *testing.T) {
	t.Parallel()
	a, b, c := uuid.New(), uuid.New(), uuid.New()
	var start lineage
	start.count, start.sessions[0] = 7, session{a, 7}
	line := start
	for _, in := range []uuid.UUID{b, b, b, c} {
		line = line.next(in)
	}
	for _, test := range []struct {
		moment
		want bool
	}{
		{moment{a, 7}, true},
		{moment{a, 8}, false},
		{moment{a, 6}, false},
		{moment{b, 8}, true},
		{moment{b, 10}, true},
		{moment{b, 11}, false},
		{moment{c, 11}, true},
		{moment{c, 12}, false},
		{moment{uuid.New(), 8}, false},
		{moment{count: 11}, true},
		{moment{count: 12}, false},
	} {
		if got := line.has(test.moment); got != test.want {
			t.Errorf("%v: %t", test.moment, got)
		}
	}
	for range len(line.sessions) - 3 {
		line = line.next(uuid.New())
	}
	if line.has(moment{a, 8}) || !line.has(moment{a, 7}) {
		t.Error("the first of sixteen sessions is not known")
	}
	line = line.next(uuid.New())
	if !line.has(moment{a, 7}) || line.has(moment{uuid.New(), 8}) {
		t.Error("what is known of writes before the last sixteen sessions is their number only")
	}
	if got, ok := parseRecord(line.record()); !ok || got != line {
		t.Errorf("stored and read again it is %v, %t", got, ok)
	}
}
