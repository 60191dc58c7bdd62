package sqlite

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"licensor/internal/store"
	"licensor/internal/store/storetest"
)

// TestAnOldFileIsUpgraded opens a file of the first schema that has rows. They are found in order,
// like later ones.
func TestAnOldFileIsUpgraded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	first, err := migrations.ReadFile("migrations/001_tenants.sql")
	if err != nil {
		t.Fatal(err)
	}
	db := connect(path, writing, 1)
	script := string(first) + fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=1;", applicationID)
	if _, err := db.Exec(script); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO tenant (number, id, seq) VALUES (1, ?, 3)", firstTenant[:]); err != nil {
		t.Fatal(err)
	}
	old := commitWith(3, "old")
	_, err = db.Exec("INSERT INTO commits (tenant, seq, at, actor, operation, effects, sum) VALUES (1, 3, ?, ?, ?, ?, ?)",
		old.At.UnixMilli(), old.Actor, old.Operation, old.Effects, old.Sum())
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"b", "a"} {
		row := userRow(uint32(i), name)
		_, err := db.Exec("INSERT INTO object (tenant, kind, ordinal, id, document, sum, display_name) VALUES (1, 1, ?, ?, ?, ?, ?)",
			i, row.ID[:], string(row.Document), row.Sum(), "user "+name)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	fourth := []store.Commit{commitWith(4, "effects")}
	if err := storetest.Append(t.Context(), s, firstTenant, fourth, []store.Object{userRow(2, "A")}); err != nil {
		t.Fatal(err)
	}
	if err := s.Commits(t.Context(), firstTenant, 2, func(c store.Commit) error {
		if c.Format != 1 {
			t.Errorf("commit %d has the format %d", c.Seq, c.Format)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	for property, want := range map[string][]uint32{"displayName": {1, 2, 0}, "createdDateTime": {0, 1, 2}} {
		rows, err := s.Objects(t.Context(), firstTenant, inOrder(property, -1, "", 0))
		var got []uint32
		for _, row := range rows {
			got = append(got, row.Ordinal)
			if property == "createdDateTime" && row.Key != "=2024-03-01t08:00:00z" {
				t.Errorf("%d has the key %q", row.Ordinal, row.Key)
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("by %s: %v, %v, want %v", property, got, err, want)
		}
	}
}

// A process that ends while it upgrades a file leaves it as it was, or upgraded.
func TestKilledWhileUpgrading(t *testing.T) {
	t.Parallel()
	for range 10 {
		path := files(filesAt(t, "testdata/schema-8.db")).write(t)
		p := startChild(t, path)
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		p.kill(t)
		acknowledged := p.last(t)
		s := open(t, path)
		if got := uint64(len(commits(t, s))); got < max(acknowledged, 10) {
			t.Errorf("%d commits are there, want %d or more", got, max(acknowledged, 10))
		}
		wantCheck(t, s)
		_ = s.Close()
	}
}

// An upgrade that was interrupted while its pages were written is undone, and made again, also if
// the file was not yet as long as its first page says.
func TestAnInterruptedUpgradeIsMadeAgain(t *testing.T) {
	t.Parallel()
	path := files(filesAt(t, "testdata/schema-8.db")).write(t)
	db := connect(path, writing, 1)
	defer db.Close()
	if _, err := db.Exec("PRAGMA journal_mode=DELETE"); err != nil {
		t.Fatal(err)
	}
	was := len(contents(t, path))
	_, err := db.Exec("PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN IMMEDIATE; CREATE TABLE lineage (record BLOB NOT NULL); " +
		"CREATE TABLE more (record BLOB NOT NULL); INSERT INTO more SELECT zeroblob(2000) FROM commits; INSERT INTO more SELECT zeroblob(2000) FROM more")
	if err != nil {
		t.Fatal(err)
	}
	journal, now := contents(t, path+"-journal"), contents(t, path)
	if len(journal) < pageSize || len(now) <= was {
		t.Fatalf("nothing was written yet: the journal has %d bytes, the file %d", len(journal), len(now))
	}
	for size := was; size <= len(now); size += pageSize {
		interrupted := files{"": string(now[:size]), "-journal": string(journal), "-ack": string(contents(t, path+"-ack"))}
		s := open(t, interrupted.write(t))
		if got := len(commits(t, s)); got != 10 {
			t.Errorf("with %d bytes %d commits are there, want 10", size, got)
		}
		wantCheck(t, s)
		_ = s.Close()
	}
	if _, err := os.Stat("testdata/schema-8.db-shm"); err == nil {
		t.Error("the database of schema 8 was opened in its place")
	}
}
