package sqlite

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"licensor/internal/store"
	"licensor/internal/store/storetest"
)

// A crash while the log is being merged leaves a file of which some pages are merged. It opens with
// its own log, and with no other one.
func TestACrashDuringACheckpoint(t *testing.T) {
	t.Parallel()
	base := founded(t, 20, 5)
	s := open(t, base.write(t))
	grow(t, s, 10, 3)
	before := filesAt(t, s.path)
	if _, err := s.writer.Exec("PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		t.Fatal(err)
	}
	merged := contents(t, s.path)
	other := files(base).crashed(t, 25, 3)
	old := contents(t, files(before).write(t))
	steps, unseen := 0, 0
	for at := 0; at <= len(merged); at += pageSize {
		if at < len(merged) && at < len(old) && bytes.Equal(merged[at:at+pageSize], old[at:at+pageSize]) {
			continue
		}
		steps++
		torn := slices.Concat(merged[:at], old[min(at, len(old)):])
		mixed := files(before).with(files{"": string(torn)}, "")
		again := open(t, mixed.write(t))
		if got := len(commits(t, again)); got != 30 {
			t.Errorf("after %d bytes %d commits are there, want 30", at, got)
		}
		wantCheck(t, again)
		_ = again.Close()
		for name, log := range damagedLogs(mixed["-wal"]) {
			broken := mixed.with(files{"-wal": log}, "-wal")
			if name == "missing" {
				broken = mixed.without("-wal")
			}
			path := broken.write(t)
			err := refused(t, path, "restore")
			if !errors.Is(err, ErrLost) && !errors.Is(err, store.ErrDamaged) {
				t.Errorf("after %d bytes, with the log %s, it answers %v", at, name, err)
			}
			if strings.Contains(err.Error(), "missing or damaged, and the file may be incomplete") {
				unseen++
			}
			if !maps.Equal(filesAt(t, path), map[string]string(broken)) {
				t.Errorf("after %d bytes, with the log %s, the files were changed", at, name)
			}
		}
		for _, foreign := range []files{mixed.with(other, "-wal"), mixed.with(other, "-wal", "-ack")} {
			if err := refused(t, foreign.write(t), "does not belong to it"); !errors.Is(err, store.ErrDamaged) {
				t.Errorf("after %d bytes a foreign log answers %v", at, err)
			}
		}
	}
	if steps < 5 || unseen == 0 {
		t.Errorf("the checkpoint has written %d pages, %d of them after that of the lineage: the test shows nothing",
			steps, unseen)
	}
}

// A crash while a log of one write is merged leaves a file that has the write's number, but not all
// of its pages. The log is needed then, whichever of its frames cannot be read, and also if frames
// from before follow it.
func TestACrashWhileTheLogOfOneWriteIsMerged(t *testing.T) {
	t.Parallel()
	for _, frames := range []int{0, 30} {
		s := open(t, founded(t, 20, 5).write(t))
		grow(t, s, frames, 3)
		mergeNow(t, s)
		if frames == 0 {
			if err := s.emptyLog(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		old := contents(t, s.path)
		grow(t, s, 1, 1)
		before := files(filesAt(t, s.path))
		mergeNow(t, s)
		merged := contents(t, s.path)
		count := 0
		for at := 0; at+pageSize <= len(old); at += pageSize {
			if bytes.Equal(merged[at:at+pageSize], old[at:at+pageSize]) {
				continue
			}
			torn := before.with(files{"": string(merged[:at]) + string(old[at:])}, "")
			if got := len(commits(t, open(t, torn.write(t)))); got != 21+frames {
				t.Errorf("after %d bytes %d commits are there, want %d", at, got, 21+frames)
			}
			const frame = frameHeader + pageSize
			for flip := logHeader + frameHeader; flip < logHeader+3*frame; flip += frame {
				log := []byte(torn["-wal"])
				log[flip] ^= 4
				path := torn.with(files{"-wal": string(log)}, "-wal").write(t)
				err := refused(t, path, "restore")
				if !errors.Is(err, ErrLost) && !errors.Is(err, store.ErrDamaged) {
					t.Errorf("after %d bytes, with a wrong byte at %d of the log, it answers %v", at, flip, err)
				}
				if errors.Is(err, ErrLost) {
					count++
				}
			}
		}
		if count < 6 {
			t.Errorf("%d damages were found by -ack: the test shows nothing", count)
		}
	}
}

// mergeNow merges the log as if it were long.
func mergeNow(t *testing.T, s *Store) {
	t.Helper()
	conn, err := s.writer.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := s.mergeLog(t.Context(), conn, "PASSIVE"); err != nil {
		t.Fatal(err)
	}
}

// damagedLogs returns a log without any transaction that can be read.
func damagedLogs(log string) map[string]string {
	flipped := func(at int) string { return log[:at] + string(log[at]^4) + log[at+1:] }
	return map[string]string{
		"missing": "", "empty": "", "cut within its header": log[:20], "cut behind its header": log[:logHeader],
		"cut within a page": log[:1000], "of zeros": strings.Repeat("\x00", len(log)),
		"with another salt": flipped(17), "with another checksum": flipped(25), "with another first page": flipped(900),
		"with another first frame": flipped(logHeader + 9),
	}
}

// A crash during the first write after SQLite has merged all of its log leaves a log that begins
// again, with frames from before at its end. It is not damaged.
func TestACrashWhenTheLogBeginsAgain(t *testing.T) {
	t.Parallel()
	s := open(t, founded(t, 20, 5).write(t))
	grow(t, s, 30, 3)
	mergeNow(t, s)
	before := files(filesAt(t, s.path))
	grow(t, s, 1, 10)
	log := contents(t, s.path+"-wal")
	written := 0
	for written < len(log) && log[written] != before["-wal"][written] || string(log[written:]) != before["-wal"][written:] {
		written++
	}
	if len(log) != len(before["-wal"]) || written < 3*pageSize || written > len(log)/2 {
		t.Fatalf("the log has %d bytes, and had %d, of which %d were written again", len(log), len(before["-wal"]), written)
	}
	for at := logHeader; at < written; at += (frameHeader + pageSize) / 4 {
		mixed := files{"": before[""], "-ack": before["-ack"], "-wal": string(log[:at]) + before["-wal"][at:]}
		again := open(t, mixed.write(t))
		if got := len(commits(t, again)); got != 50 && at < written-pageSize {
			t.Errorf("after %d of %d bytes %d commits are there, want 50", at, written, got)
		}
		wantCheck(t, again)
	}
}

// A database that needs no log is opened without one, wherever a crash interrupted its end.
func TestACrashWhileTheLogIsRemoved(t *testing.T) {
	t.Parallel()
	s := open(t, founded(t, 20, 5).write(t))
	grow(t, s, 10, 3)
	if err := s.emptyLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	settled := files(filesAt(t, s.path))
	if log, ok := settled["-wal"]; !ok || log != "" {
		t.Fatalf("a log that was emptied has %d bytes", len(log))
	}
	grow(t, s, 1, 1)
	again := files(filesAt(t, s.path))
	if err := s.emptyLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	emptied := files(filesAt(t, s.path))
	file := []byte(emptied[""])
	file[18], file[19] = 1, 1 // as before it is removed for an upgrade
	for name, c := range map[string]struct {
		files
		want int
	}{
		"settled":               {settled, 30},
		"removed":               {settled.without("-wal"), 30},
		"written to again":      {again, 31},
		"emptied":               {emptied, 31},
		"removed by an upgrade": {files{"": string(file), "-ack": again["-ack"]}, 31},
	} {
		again := open(t, c.write(t))
		if got := len(commits(t, again)); got != c.want {
			t.Errorf("%s: %d commits are there, want %d", name, got, c.want)
		}
		if err := again.Close(); err != nil || hasLog(again.path) {
			t.Errorf("%s: closing it answers %v, a log is there: %t", name, err, hasLog(again.path))
		}
		open(t, again.path)
	}
	path := emptied.with(again, "-ack").without("-wal").write(t)
	refused(t, path, "is missing or damaged, and the file may be incomplete", "x.db-ack", "licensor verify")
	despite, err := OpenDespiteLoss(t.Context(), path)
	if err != nil || !despite.Lost().LogOnly || len(commits(t, despite)) != 31 {
		t.Fatalf("despite the loss it answers %v", err)
	}
	_ = despite.Close()
	open(t, path)
}

// A crash may come between the first write of a session and its claim, or in the middle of that.
func TestACrashDuringTheFirstWriteOfASession(t *testing.T) {
	t.Parallel()
	base := founded(t, 20, 5)
	crash := base.crashed(t, 1, 1)
	page := open(t, base.write(t)).page
	claim := int(page)*pageSize - recordSize
	for written := 0; written <= lineageSize; written += 44 {
		file := base[""][:claim] + crash[""][claim:claim+written] + base[""][claim+written:]
		s := open(t, crash.with(files{"": file}, "").write(t))
		if got := len(commits(t, s)); got != 21 {
			t.Errorf("after %d bytes of the claim %d commits are there, want 21", written, got)
		}
		grow(t, s, 2, 1)
		if got := len(commits(t, open(t, files(filesAt(t, s.path)).write(t)))); got != 23 {
			t.Errorf("after %d bytes of the claim and a crash %d commits are there, want 23", written, got)
		}
	}
}

// Nothing of a session is merged into the file before its claim, and nothing that -ack does not
// have, however much is written.
func TestWhatIsNotAcknowledgedIsNotMerged(t *testing.T) {
	t.Parallel()
	s := open(t, founded(t, 20, 5).write(t))
	was, writable := s.line, s.acknowledged
	readable, err := os.Open(s.path + acknowledgedSuffix)
	if err != nil {
		t.Fatal(err)
	}
	defer readable.Close()
	s.acknowledged = readable
	large := []store.Part{{Name: "large", Data: make([]byte, 20<<20)}}
	if err := s.SaveParts(t.Context(), firstTenant, large, time.Now()); err != nil {
		t.Fatal(err)
	}
	claimed := s.line
	grow(t, s, 3, 1)
	in, err := s.lineageInFile(s.page)
	if err != nil || !in.valid || in.line != was || in.claimed == nil || *in.claimed != claimed {
		t.Errorf("the file is at write %d with the claim %v, %v", in.line.count, in.claimed, err)
	}
	s.acknowledged, s.mergeAt = writable, mergeAfter
	grow(t, s, 1, 1)
	if in, err = s.lineageInFile(s.page); err != nil || in.line != s.line {
		t.Errorf("after another write the file is at write %d, %v, want %d", in.line.count, err, s.line.count)
	}
	if last, err := readAcknowledged(s.path); err != nil || last.logged || last.moment != s.line.now() {
		t.Errorf("after the log was merged, -ack has %+v, %v", last, err)
	}
}

// A session that cannot claim the file does not merge its log either.
func TestASessionWithoutAClaimKeepsTheLog(t *testing.T) {
	t.Parallel()
	base := founded(t, 20, 5)
	s := open(t, base.write(t))
	file, err := os.OpenFile(s.path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(make([]byte, pageSize), (s.page-1)*pageSize); err != nil {
		t.Fatal(err)
	}
	err = storetest.Append(t.Context(), s, firstTenant, []store.Commit{commitWith(21, "effects")}, nil)
	if !errors.Is(err, store.ErrUnknown) || !errors.Is(err, store.ErrDamaged) {
		t.Errorf("it answers %v, want ErrUnknown and ErrDamaged", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	whole := files(filesAt(t, s.path)).with(base, "")
	if got := len(commits(t, open(t, whole.write(t)))); got != 21 {
		t.Errorf("with the right file %d commits are there, want 21", got)
	}
}
