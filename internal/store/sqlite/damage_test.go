package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"licensor/internal/store"
	"licensor/internal/store/storetest"
)

const (
	pageSize     = 4096
	soundCommits = 100
)

// sound returns a database file of a few hundred pages, with rows in each table.
func sound(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sound.db")
	s := openWithTenant(t, path)
	for seq := uint64(1); seq <= soundCommits; seq++ {
		var rows []store.Object
		for i := range uint32(8) {
			ordinal := 8*uint32(seq) + i
			rows = append(rows, userRow(ordinal, fmt.Sprint("user", ordinal*7919%1000)))
		}
		commits := []store.Commit{commitWith(seq, fmt.Sprintf("%0900d", seq))}
		err := storetest.Append(t.Context(), s, firstTenant, commits, rows)
		if err != nil {
			t.Fatal(err)
		}
	}
	var parts []store.Part
	for i := range 20 {
		parts = append(parts, store.Part{Name: fmt.Sprint("part", i), Data: bytes.Repeat([]byte{byte(i)}, 3000)})
	}
	if err := s.SaveParts(t.Context(), firstTenant, parts, time.Now()); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	return contents(t, path)
}

// leaves returns the offsets of the pages with the rows of a table or an index.
func leaves(t *testing.T, path, name string) (at []int64) {
	t.Helper()
	db := connect(path, "", 1)
	defer db.Close()
	rows, err := db.Query("SELECT pgoffset FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path", name)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var offset int64
		if err := rows.Scan(&offset); err != nil {
			t.Fatal(err)
		}
		at = append(at, offset)
	}
	return at
}

// readAll reads everything in every possible way.
func readAll(s *Store) (*everything, error) {
	ctx := context.Background()
	all := &everything{commits: map[uint64]string{}, documents: map[uint32]string{}}
	if _, err := s.Tenants(ctx); err != nil {
		return all, err
	}
	if err := s.Commits(ctx, firstTenant, 0, func(c store.Commit) error {
		all.commits[c.Seq] = string(c.Effects)
		return nil
	}); err != nil {
		return all, err
	}
	rows, err := s.Objects(ctx, firstTenant, users())
	if err != nil {
		return all, err
	}
	for _, row := range rows {
		all.documents[row.Ordinal] = string(row.Document)
	}
	ordered := users()
	ordered.Order = &store.Order{Property: "mail"}
	if _, err := s.Objects(ctx, firstTenant, ordered); err != nil {
		return all, err
	}
	for i := range 20 {
		parts, err := s.Parts(ctx, firstTenant, []string{fmt.Sprint("part", i)})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return all, err
		} else if err == nil && !bytes.Equal(parts[0].Data, bytes.Repeat([]byte{byte(i)}, 3000)) {
			return all, errors.New("a part is not what was saved")
		}
	}
	return all, nil
}

type everything struct {
	commits   map[uint64]string
	documents map[uint32]string
}

// within reports whether everything that was read is what was written.
func (e *everything) within(other *everything) bool {
	return subset(e.commits, other.commits) && subset(e.documents, other.documents)
}

func subset[K comparable](some, all map[K]string) bool {
	for key, value := range maps.All(some) {
		if all[key] != value {
			return false
		}
	}
	return true
}

func write(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "damaged.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLostPages(t *testing.T) {
	t.Parallel()
	whole := sound(t)
	intact := write(t, whole)
	for _, name := range []string{"commits", "object", "sqlite_autoindex_object_1", "object_mail", "snapshot"} {
		pages := leaves(t, intact, name)
		if len(pages) < 2 {
			t.Fatalf("%s has %d pages, too few to lose one", name, len(pages))
		}
		data := slices.Clone(whole)
		at := pages[len(pages)/2]
		clear(data[at : at+pageSize])
		path := write(t, data)
		_, err := readAll(open(t, path))
		if !errors.Is(err, store.ErrDamaged) {
			t.Errorf("without a page of %s, reading all answers %v", name, err)
			continue
		}
		wantError(t, err, path, "damaged", "keep a copy", "restore a backup")
	}
}

func TestChangedDocument(t *testing.T) {
	t.Parallel()
	data := bytes.ReplaceAll(sound(t), []byte(`"usageLocation":"DE"`), []byte(`"usageLocation":"DK"`))
	_, err := readAll(open(t, write(t, data)))
	if !errors.Is(err, store.ErrDamaged) {
		t.Errorf("a document that was changed behind the store's back answers %v", err)
	}
	wantError(t, err, "object", "checksum")
}

// A value of another type than what was written is damage, too.
func TestChangedTypes(t *testing.T) {
	t.Parallel()
	for _, change := range []string{
		"UPDATE commits SET format = 'x'", "UPDATE commits SET seq = 'x'", "UPDATE object SET seq = 'x'", "UPDATE snapshot SET data = 'x'",
		"UPDATE tenant SET seq = 'x'", "UPDATE tenant SET id = 'x'",
	} {
		path := filepath.Join(t.TempDir(), "x.db")
		s := openWithTenant(t, path)
		commits, rows := []store.Commit{commitWith(1, "effects")}, []store.Object{userRow(1, "a")}
		err := storetest.Append(t.Context(), s, firstTenant, commits, rows)
		if err == nil {
			err = s.SaveParts(t.Context(), firstTenant, []store.Part{{Name: "part0", Data: make([]byte, 3000)}}, time.Now())
		}
		if err == nil {
			_, err = s.writer.Exec(change)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Place(t.Context(), firstTenant)
		_, all := readAll(s)
		if err = errors.Join(err, all); !errors.Is(err, store.ErrDamaged) || s.Damage() == nil {
			t.Errorf("after %q reading answers %v", change, err)
		}
	}
}

// TestChangedNumbers changes columns that are not in the checksum while they have their default
// value.
func TestChangedNumbers(t *testing.T) {
	t.Parallel()
	for _, change := range []string{
		"UPDATE commits SET format = 1", "UPDATE commits SET format = 3", "UPDATE object SET seq = 0", "UPDATE object SET seq = 8",
		"UPDATE object SET seq = 0, deleted = seq",
	} {
		path := filepath.Join(t.TempDir(), "x.db")
		s := openWithTenant(t, path)
		commit, row := commitWith(1, "effects"), userRow(1, "a")
		commit.Format, row.Seq = 2, 7
		commits := []store.Commit{commit}
		if err := storetest.Append(t.Context(), s, firstTenant, commits, []store.Object{row}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.writer.Exec(change); err != nil {
			t.Fatal(err)
		}
		query := users()
		query.Ordinals = []uint32{1}
		_, err := s.Objects(t.Context(), firstTenant, query)
		err = errors.Join(err, s.Commits(t.Context(), firstTenant, 0, func(store.Commit) error { return nil }))
		if !errors.Is(err, store.ErrDamaged) {
			t.Errorf("after %q reading answers %v", change, err)
		}
	}
}

func TestChangedTicket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s := openWithTenant(t, path)
	ticket := store.Ticket{ID: [32]byte{1}, Expires: time.Unix(1_800_000_000, 0).UTC(), Data: []byte("granted: one")}
	if err := s.AddTicket(t.Context(), ticket); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	s = open(t, write(t, bytes.ReplaceAll(contents(t, path), []byte("granted: one"), []byte("granted: all"))))
	_, err := s.Ticket(t.Context(), ticket.ID)
	changed := s.ChangeTicket(t.Context(), ticket)
	if !errors.Is(err, store.ErrDamaged) || !errors.Is(changed, store.ErrDamaged) {
		t.Errorf("a ticket that was changed behind the store's back answers %v, and %v to a change", err, changed)
	}
	wantError(t, err, "ticket", "checksum", "restore a backup")
}

func TestRandomDamage(t *testing.T) {
	t.Parallel()
	whole := sound(t)
	right, err := readAll(open(t, write(t, whole)))
	if err != nil || len(right.documents) != 8*soundCommits || len(right.commits) != soundCommits {
		t.Fatalf("the sound file: %v", err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	for i := range 60 {
		data := slices.Clone(whole)
		at := 100 + random.IntN(len(data)-100)
		for j := range min(1+random.IntN(1000), len(data)-at) {
			data[at+j] = byte(random.Uint32())
		}
		s, err := Open(t.Context(), write(t, data))
		if err == nil {
			var got *everything
			got, err = readAll(s)
			_ = s.Close()
			if !got.within(right) {
				t.Errorf("damage %d at %d: something was read that was never written", i, at)
			}
		}
		if err != nil {
			found++
		}
		if err != nil && !errors.Is(err, store.ErrDamaged) {
			t.Logf("damage %d at %d: %v", i, at, err)
		}
	}
	if found < 40 {
		t.Errorf("only %d of 60 damages were found", found)
	}
}
