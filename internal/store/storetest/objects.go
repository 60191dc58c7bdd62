package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

func objectsChange(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	row := object(4_000_000_000, map[string]any{"displayName": "one"})
	steps := []struct {
		name          string
		change        func()
		live, deleted int
	}{
		{"added", func() {}, 1, 0},
		{"replaced", func() { row.Document, row.ID, row.Seq = []byte(`{"displayName":"two"}`), uuid.New(), 1<<40 }, 1, 0},
		{"deleted", func() { row.Deleted = time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC) }, 0, 1},
		{"restored", func() { row.Deleted = time.Time{} }, 1, 0},
		{"purged", func() { row.Purged = true }, 0, 0},
		{"purged again", func() {}, 0, 0},
		{"added again", func() { row.Purged = false }, 1, 0},
	}
	for _, step := range steps {
		step.change()
		mustAppend(t, s, tenant, nil, row)
		live, deleted := users(), users()
		deleted.Deleted = true
		rows := slices.Concat(find(t, s, tenant, live), find(t, s, tenant, deleted))
		if len(rows) != step.live+step.deleted || len(find(t, s, tenant, live)) != step.live {
			t.Errorf("%s: there are %d rows", step.name, len(rows))
		}
		byOrdinal := store.Query{Kind: store.KindUser, Ordinals: []uint32{row.Ordinal}, After: -1}
		got := find(t, s, tenant, byOrdinal)
		if !reflect.DeepEqual(got, rows) || len(got) > 0 && !reflect.DeepEqual(got[0], row) {
			t.Errorf("%s: got %v by its ordinal, want %v", step.name, got, row)
		}
	}
}

func documentsUnchanged(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	for i, document := range []string{
		`{}`,
		`{"b":1,"a":2,  "spaced" : [ 1,2 ]}`,
		`{"number":12345678901234567890.10,"small":1e-7}`,
		`{"text":"\u0041 quote \" back \\ slash \/ null \u0000 emoji 😀 escaped \ud83d\ude00"}`,
		`{"long":"` + strings.Repeat("x", 1<<20) + `"}`,
	} {
		row := object(uint32(i), map[string]any{})
		row.Document = []byte(document)
		mustAppend(t, s, tenant, nil, row)
		got := find(t, s, tenant, store.Query{Kind: store.KindUser, Ordinals: []uint32{row.Ordinal}, After: -1})
		if len(got) != 1 || string(got[0].Document) != document || got[0].ID != row.ID {
			t.Errorf("%.60s came back as %.60v", document, got)
		}
	}
}

func paging(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	var rows []store.Object
	for i := range uint32(100) {
		row := object(i*3, map[string]any{"even": i%2 == 0})
		if i%10 == 0 {
			row.Deleted = time.Unix(1_700_000_000, 0).UTC()
		}
		rows = append(rows, row)
	}
	slices.Reverse(rows) // the result has the order of the ordinals, not that of writing
	mustAppend(t, s, tenant, nil, rows...)
	slices.Reverse(rows)
	for _, query := range []store.Query{
		users(),
		{Kind: store.KindUser, Deleted: true},
		{Kind: store.KindUser, Ordinals: []uint32{9, 3, 6, 30, 1, 270}},
	} {
		for _, size := range []int{1, 7, 50, 1000} {
			query.After, query.Limit = -1, 0
			want := find(t, s, tenant, query)
			if query.Limit = size; !reflect.DeepEqual(pages(t, s, tenant, query), want) {
				t.Errorf("pages of %d of %+v are not the whole", size, query)
			}
		}
	}
	wantOrdinals(t, find(t, s, tenant, store.Query{Kind: store.KindUser, After: 294}), 297)
	size := len(rows[1].Document) + len(rows[2].Document)
	wantOrdinals(t, find(t, s, tenant, store.Query{Kind: store.KindUser, Bytes: size, After: -1}), 3, 6)
	wantOrdinals(t, find(t, s, tenant, store.Query{Kind: store.KindUser, Bytes: size + 1, After: -1}), 3, 6, 9)
	wantOrdinals(t,
		find(t, s, tenant, store.Query{Kind: store.KindUser, Ordinals: []uint32{6, 3, 9}, Bytes: 1, After: -1}), 3)
	wantOrdinals(t, find(t, s, tenant, store.Query{Kind: store.KindUser, After: 1 << 40}))
}

func pages(t *testing.T, s store.Store, tenant uuid.UUID, query store.Query) []store.Object {
	t.Helper()
	var all []store.Object
	for {
		rows := find(t, s, tenant, query)
		if len(rows) > query.Limit {
			t.Fatalf("a page has %d rows, more than %d", len(rows), query.Limit)
		}
		if len(rows) == 0 {
			return all
		}
		all = append(all, rows...)
		query.After = int64(rows[len(rows)-1].Ordinal)
	}
}

func byOrdinals(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	var rows []store.Object
	for i := range uint32(2000) {
		rows = append(rows, object(i, map[string]any{"even": i%2 == 0}))
	}
	rows[5].Deleted = time.Unix(1_700_000_000, 0).UTC()
	mustAppend(t, s, tenant, nil, rows...)
	query := users()
	for _, c := range []struct{ ask, want []uint32 }{
		{[]uint32{}, nil},
		{[]uint32{7}, []uint32{7}},
		{[]uint32{5}, []uint32{5}},
		{[]uint32{4000}, nil},
		{[]uint32{9, 5, 9, 0, 4000}, []uint32{0, 5, 9}},
	} {
		query.Ordinals = c.ask
		wantOrdinals(t, find(t, s, tenant, query), c.want...)
	}
	query = store.Query{Kind: store.KindUser, Ordinals: []uint32{3}, After: 3}
	wantOrdinals(t, find(t, s, tenant, query))
	for i := range uint32(store.MaxOrdinals) {
		query.Ordinals = append(query.Ordinals, i)
	}
	if _, err := s.Objects(t.Context(), tenant, query); !errors.Is(err, store.ErrQuery) {
		t.Errorf("asking for %d ordinals answers %v, want ErrQuery", len(query.Ordinals), err)
	}
	query.Ordinals, query.After = query.Ordinals[1:], -1
	if got := find(t, s, tenant, query); len(got) != len(rows) {
		t.Errorf("got %d rows for %d ordinals, want %d", len(got), store.MaxOrdinals, len(rows))
	}
}

func apart(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	other := uuid.New()
	if err := s.CreateTenant(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	group := object(0, map[string]any{"displayName": "group"})
	group.Kind = store.KindGroup
	mustAppend(t, s, tenant, []store.Commit{commit(1)}, object(0, map[string]any{"displayName": "user"}), group)
	mustAppend(t, s, other, []store.Commit{commit(1), commit(2)}, object(0, map[string]any{"displayName": "other"}))
	purged := object(0, map[string]any{})
	purged.Purged = true
	for _, c := range []struct {
		tenant uuid.UUID
		kind   store.Kind
		name   string
	}{{tenant, store.KindUser, "user"}, {tenant, store.KindGroup, "group"}, {other, store.KindUser, "other"}} {
		got := find(t, s, c.tenant, store.Query{Kind: c.kind, After: -1})
		if want := `{"displayName":"` + c.name + `"}`; len(got) != 1 || string(got[0].Document) != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
	mustAppend(t, s, other, nil, purged)
	if len(find(t, s, tenant, users())) != 1 || len(find(t, s, other, users())) != 0 {
		t.Error("purging a tenant's user changed another's")
	}
}

func readsAreCancelled(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	mustAppend(t, s, tenant, []store.Commit{commit(1)}, object(0, map[string]any{}))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, page := s.Objects(ended, tenant, users())
	_, one := s.Objects(ended, tenant, store.Query{Kind: store.KindUser, Ordinals: []uint32{0}, After: -1})
	commits := s.Commits(ended, tenant, 0, func(store.Commit) error { return nil })
	write := s.Append(ended, tenant, store.Place{Seq: 1}, []store.Commit{commit(2)}, nil)
	for name, err := range map[string]error{"a page": page, "one": one, "commits": commits, "append": write} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s with an ended context answers %v", name, err)
		}
	}
	if got := len(allCommits(t, s, tenant, 0)); got != 1 {
		t.Errorf("there are %d commits, want 1", got)
	}
}

func readersSeeWhole(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	readWhileWriting(t, tenant, s, s)
}

// readWhileWriting reads through one store while another replaces the rows, one in each append.
func readWhileWriting(t *testing.T, tenant uuid.UUID, reader, writer store.Store) {
	t.Helper()
	const rows = 20
	write := func(step int) {
		var objects []store.Object
		for i := range uint32(rows) {
			objects = append(objects, object(i, map[string]any{"step": step, "displayName": fmt.Sprint("step ", step)}))
		}
		mustAppend(t, writer, tenant, nil, objects...)
	}
	write(0)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					wantOneStep(t, reader, tenant, rows)
				}
			}
		})
	}
	for step := range 30 {
		write(step)
	}
	close(done)
	readers.Wait()
}

func wantOneStep(t *testing.T, s store.Store, tenant uuid.UUID, rows int) {
	found, err := s.Objects(t.Context(), tenant, users())
	if err != nil || len(found) != rows {
		t.Errorf("got %d rows, %v", len(found), err)
		return
	}
	for _, row := range found {
		if !bytesEqual(row.Document, found[0].Document) {
			t.Errorf("one read has %s and %s", found[0].Document, row.Document)
		}
	}
}

func bytesEqual(a, b json.RawMessage) bool { return string(a) == string(b) }
