package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"licensor/store"
	"licensor/store/storetest"
)

// A dough is what a fuzzer's bytes are made into filters and documents from.
type dough struct {
	data []byte
	text string
}

func (d *dough) next(n int) int {
	if len(d.data) == 0 {
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	return int(b) % n
}

var (
	somePaths = []string{"displayName", "userPrincipalName", "mail", "city", "age", "created", "tags", "address/city", "address", ""}
	someTexts = []string{"", "a", "É", "Straße", "ПЕТР", "O'Brien", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.10Z", "10", "\x00"}
)

func (d *dough) words() string {
	switch d.next(4) {
	case 0:
		return d.text
	case 1:
		return strings.ToUpper(d.text)
	case 2:
		return d.text[len(d.text)/2:]
	}
	return someTexts[d.next(len(someTexts))]
}

func (d *dough) value() any {
	switch d.next(8) {
	case 0:
		return nil
	case 1:
		return d.next(2) == 0
	case 2:
		return int64(d.next(5)) - 2
	case 3:
		return time.Date(2024, 1, 1, 0, 0, d.next(12), d.next(11)*1e8/10, time.UTC)
	}
	return d.words()
}

func (d *dough) filter(depth int, inside bool) *store.Filter {
	op := store.Op(1 + d.next(int(store.Any)))
	if depth == 0 && (op <= store.Not || op == store.Any) || inside && op == store.Any {
		op = store.Contains
	}
	f := &store.Filter{Op: op}
	switch op {
	case store.And, store.Or:
		f.Args = []*store.Filter{d.filter(depth-1, inside), d.filter(depth-1, inside)}
	case store.Not:
		f.Args = []*store.Filter{d.filter(depth-1, inside)}
	case store.Any:
		f.Property, f.Args = somePaths[d.next(len(somePaths)-1)], []*store.Filter{d.filter(depth-1, true)}
	default:
		f.Property, f.Value = somePaths[d.next(len(somePaths))], d.value()
		if inside && d.next(2) == 0 {
			f.Property = ""
		}
		if d.next(40) != 1 {
			d.sense(f, inside)
		}
	}
	return f
}

// sense makes a comparison one that is not refused, as most should be.
func (d *dough) sense(f *store.Filter, inside bool) {
	if f.Property == "" && !inside {
		f.Property = "city"
	}
	switch f.Value.(type) {
	case nil, bool:
		f.Op = store.Eq + f.Op%2
	case int64, time.Time:
		f.Op = store.Eq + f.Op%6
	}
}

func (d *dough) document() []byte {
	document := map[string]any{}
	for _, path := range somePaths[:7] {
		switch d.next(5) {
		case 0:
		case 1:
			document[path] = []any{d.value(), d.words(), map[string]any{"city": d.words()}}
		case 2:
			document[path] = float64(d.next(50)) / 8
		default:
			document[path] = d.value()
		}
	}
	document["address"] = map[string]any{"city": d.value()}
	text, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	return text
}

// FuzzFilter compares what SQLite finds with what the filter means. A filter that makes no sense must be refused as such; no
// other error may come.
func FuzzFilter(f *testing.F) {
	for i := range 40 {
		seed := []byte(strings.Repeat(fmt.Sprint(i*i*7919), 12))
		for j := range seed {
			seed[j] = seed[j]*byte(i+1) + byte(j*j)
		}
		f.Add(seed, someTexts[i%len(someTexts)], "city")
	}
	f.Add([]byte{3, 8, 0}, "x", "ci'ty")
	s := openWithTenant(f, filepath.Join(f.TempDir(), "x.db"))
	f.Fuzz(func(t *testing.T, data []byte, text, property string) {
		d := &dough{data, text}
		filter := d.filter(4, false)
		if d.next(3) == 0 {
			filter = &store.Filter{Op: store.And, Args: []*store.Filter{filter, {Op: store.Ne, Property: property, Value: d.value()}}}
		}
		var rows []store.Object
		for i := range uint32(8) {
			row := userRow(i, "x")
			row.Document = d.document()
			rows = append(rows, row)
		}
		if err := s.Append(context.Background(), firstTenant, nil, rows); err != nil {
			t.Fatal(err)
		}
		compareWithMatches(t, s, rows, filter)
	})
}

func compareWithMatches(t *testing.T, s *Store, rows []store.Object, filter *store.Filter) {
	query := users()
	query.Where = filter
	found, err := s.Objects(context.Background(), firstTenant, query)
	if errors.Is(err, store.ErrFilter) {
		return
	} else if err != nil {
		t.Fatalf("%s: %v", storetest.Describe(filter), err)
	}
	for _, row := range rows {
		got := slices.ContainsFunc(found, func(o store.Object) bool { return o.Ordinal == row.Ordinal })
		if want := storetest.Matches(row.Document, filter); got != want {
			t.Errorf("%s is %t in SQL and means %t for %s", storetest.Describe(filter), got, want, row.Document)
		}
	}
}

// TestFiltersUseIndexes keeps SQLite to the way in that makes filters on names quick with a million users.
func TestFiltersUseIndexes(t *testing.T) {
	t.Parallel()
	s := openWithTenant(t, filepath.Join(t.TempDir(), "x.db"))
	for _, c := range []struct {
		query store.Query
		want  string
	}{
		{store.Query{Where: &store.Filter{Op: store.Eq, Property: "mail", Value: "a"}}, "COVERING INDEX object_mail (tenant=? AND kind=? AND mail=?"},
		{store.Query{Where: &store.Filter{Op: store.StartsWith, Property: "displayName", Value: "É"}}, "COVERING INDEX object_display_name (tenant=? AND kind=? AND display_name>? AND display_name<?)"},
		{store.Query{Where: &store.Filter{Op: store.Eq, Property: "userPrincipalName", Value: "a"}}, "object USING INDEX sqlite_autoindex_object_1 (tenant=? AND kind=? AND ordinal=?)"},
		{store.Query{Ordinals: []uint32{1, 2}}, "object USING INDEX sqlite_autoindex_object_1 (tenant=? AND kind=? AND ordinal=?)"},
		{store.Query{Deleted: true}, "INDEX object_deleted (tenant=? AND kind=? AND ordinal>?)"},
	} {
		if plan := plan(t, s, c.query); !strings.Contains(plan, c.want) || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%+v is answered by\n%swant %s", c.query, plan, c.want)
		}
	}
}

func plan(t *testing.T, s *Store, query store.Query) string {
	t.Helper()
	w, err := conditions(1, query, -1)
	if err != nil {
		t.Fatal(err)
	}
	return explained(t, s, columns+w.text()+" ORDER BY ordinal", w.args)
}

func explained(t *testing.T, s *Store, text string, args []any) string {
	t.Helper()
	rows, err := s.reader.Query("EXPLAIN QUERY PLAN "+text, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var steps strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&steps, step)
	}
	return steps.String()
}

// TestOrdersUseIndexes: pages in order are read from an index, without sorting.
func TestOrdersUseIndexes(t *testing.T) {
	t.Parallel()
	s := openWithTenant(t, filepath.Join(t.TempDir(), "x.db"))
	for _, c := range []struct {
		order *store.Order
		after int64
		want  string
	}{
		{&store.Order{Property: "displayName"}, -1, "INDEX object_display_name (tenant=? AND kind=? AND display_name>?)"},
		{&store.Order{Property: "displayName", After: "=x"}, 7, "INDEX object_display_name (tenant=? AND kind=? AND (display_name,ordinal)>(?,?))"},
		{&store.Order{Property: "createdDateTime", After: "=x", Descending: true}, 7, "INDEX object_created (tenant=? AND kind=? AND (created,ordinal)<(?,?))"},
		{&store.Order{Property: "mail", After: ""}, 7, "INDEX object_mail (tenant=? AND kind=? AND mail=? AND ordinal>?)"},
	} {
		query := store.Query{Kind: store.KindUser, After: c.after, Order: c.order, Below: 9}
		all := spans(query)
		at := 0
		if c.after < 0 {
			at = len(all) - 1
		}
		text, args, err := orderedText(1, query, strings.ReplaceAll(stayed, "COLUMN", ordering[c.order.Property]), all[at])
		if err != nil {
			t.Fatal(err)
		}
		if plan := explained(t, s, text, args); !strings.Contains(plan, c.want) || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%+v is answered by\n%swant %s", c.order, plan, c.want)
		}
	}
}
