package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"licensor/internal/store"
	"licensor/internal/store/storetest"
)

func TestFullFile(t *testing.T) {
	t.Parallel()
	s := openWithTenant(t, filepath.Join(t.TempDir(), "x.db"))
	limit := func(pages int) {
		if _, err := s.writer.Exec(fmt.Sprintf("PRAGMA max_page_count=%d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(200)
	acknowledged := fill(t, s)
	limit(1 << 30)
	wantRoom(t, s, acknowledged)
}

// fill appends until there is no room, then checks that no refused commit is there. It returns the
// number of acknowledged commits.
func fill(t *testing.T, s *Store) uint64 {
	t.Helper()
	last := uint64(0)
	for {
		rows := []store.Object{
			userRow(uint32(last), fmt.Sprint("a", last)), userRow(uint32(last+1), fmt.Sprint("b", last)),
		}
		commits := []store.Commit{commitWith(last+1, fmt.Sprintf("%05000d", last))}
		err := storetest.Append(t.Context(), s, firstTenant, commits, rows)
		if err != nil {
			wantFull(t, s, err)
			break
		}
		last++
	}
	if last == 0 {
		t.Fatal("there was no room for anything")
	}
	large := []store.Part{{Name: "large", Data: make([]byte, 8<<20)}}
	wantFull(t, s, s.SaveParts(t.Context(), firstTenant, large, time.Now()))
	wantAcknowledged(t, s, last)
	return last
}

func wantFull(t *testing.T, s *Store, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("a full disk answers %v, want ErrFull", err)
	}
	wantError(t, err, s.path, "no room left", "make room")
}

func wantAcknowledged(t *testing.T, s *Store, last uint64) {
	t.Helper()
	if got := commits(t, s); uint64(len(got)) != last {
		t.Errorf("%d commits were acknowledged and %d are there", last, len(got))
	}
	if rows, err := s.Objects(t.Context(), firstTenant, users()); err != nil || uint64(len(rows)) != last+1 {
		t.Errorf("there are %d rows, want %d: %v", len(rows), last+1, err)
	}
}

// wantRoom checks that the store continues, also after it is opened again.
func wantRoom(t *testing.T, s *Store, last uint64) {
	t.Helper()
	err := storetest.Append(t.Context(), s, firstTenant, []store.Commit{commitWith(last+1, "room")},
		[]store.Object{userRow(uint32(last+1), "room")})
	if err != nil {
		t.Fatalf("with room again: %v", err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("with room again: %v", err)
	}
	wantAcknowledged(t, s, last+1)
	_ = s.Close()
	s = open(t, s.path)
	wantAcknowledged(t, s, last+1)
	wantCheck(t, s)
}
