package query_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"
	"pgregory.net/rapid"

	"licensor/internal/directory/column"
	"licensor/internal/fold"
	"licensor/internal/query"
)

const (
	department = iota
	name
	enabled
	created
	mails
)

var schema = column.NewSchema(
	column.Column{Number: 1, Name: "department", Kind: column.KindText},
	column.Column{Number: 2, Name: "displayName", Kind: column.KindText, Mostly: true, Words: true},
	column.Column{Number: 3, Name: "accountEnabled", Kind: column.KindBool},
	column.Column{Number: 4, Name: "createdDateTime", Kind: column.KindTime},
	column.Column{Number: 5, Name: "otherMails", Kind: column.KindTexts},
)

// person is a row in the plainest form.
type person struct {
	department, name string
	enabled          column.Truth
	created          int64
	mails            []string
	state            int // 0 live, 1 deleted, 2 purged
}

var words = []string{"", "Sales", "sales", "HR", "Ann Berg", "ann berg", "Öz", "öz", "Bob"}

func randomPeople(t *rapid.T) ([]person, *column.Table) {
	d := column.NewTable(schema).Draft()
	people := make([]person, rapid.SampledFrom([]int{0, 1, 40, 300, 700}).Draw(t, "people"))
	text := rapid.OneOf(rapid.SampledFrom(words), rapid.SampledFrom(words), rapid.String())
	for i := range people {
		p := person{
			department: text.Draw(t, "department"), name: text.Draw(t, "name"),
			enabled: column.Truth(rapid.IntRange(0, 2).Draw(t, "enabled")),
			created: int64(rapid.IntRange(0, 5).Draw(t, "created")),
			mails:   rapid.SliceOfN(rapid.SampledFrom(words[1:]), 0, 2).Draw(t, "mails"),
			state:   rapid.SampledFrom([]int{0, 0, 0, 0, 1, 2}).Draw(t, "state"),
		}
		row := d.AddRow()
		d.Set(row, department, column.Value{Text: p.department})
		d.Set(row, name, column.Value{Text: p.name})
		d.Set(row, enabled, column.Value{Truth: p.enabled})
		d.Set(row, created, column.Value{Time: p.created})
		d.Set(row, mails, column.Value{Texts: p.mails})
		switch p.state {
		case 1:
			d.SetDeleted(row, true)
		case 2:
			d.Purge(row)
		}
		people[i] = p
	}
	return people, d.Finish()
}

// plainly says what the operators mean.
var plainly = map[column.Op]func(folded, asked string) bool{
	column.OpStarts:         strings.HasPrefix,
	column.OpEnds:           strings.HasSuffix,
	column.OpContains:       strings.Contains,
	column.OpLess:           func(folded, asked string) bool { return folded < asked },
	column.OpGreaterOrEqual: func(folded, asked string) bool { return folded >= asked },
	column.OpHasWords: func(folded, asked string) bool {
		return !slices.ContainsFunc(strings.Fields(asked), func(word string) bool { return !hasWord(folded, word) })
	},
}

func hasWord(folded, word string) bool {
	for i := range folded {
		before, _ := utf8.DecodeLastRuneInString(folded[:i])
		if (i == 0 || !unicode.In(before, unicode.L, unicode.M, unicode.N)) && strings.HasPrefix(folded[i:], word) {
			return true
		}
	}
	return false
}

// randomCondition returns a condition and what it should say of a row.
func randomCondition(t *rapid.T, depth int) (*query.Condition, func(row uint32, p person) bool) {
	kind := rapid.IntRange(0, 10).Draw(t, "kind")
	if depth == 0 {
		kind = rapid.IntRange(0, 7).Draw(t, "leaf")
	}
	asked := fold.Text(rapid.OneOf(rapid.SampledFrom(words),
		rapid.SampledFrom([]string{"a", "b", "be", "g", "z"}), rapid.String()).Draw(t, "asked"))
	switch kind {
	case 0:
		return query.Text(department, column.Test{Op: column.OpEqual, Text: asked}), func(_ uint32, p person) bool {
			return asked != "" && fold.Text(p.department) == asked
		}
	case 1:
		place, of := department, func(p person) string { return p.department }
		if rapid.Bool().Draw(t, "of the name") {
			place, of = name, func(p person) string { return p.name }
		}
		op := rapid.SampledFrom(slices.Sorted(maps.Keys(plainly))).Draw(t, "op")
		return query.Text(place, column.Test{Op: op, Text: asked}), func(_ uint32, p person) bool {
			return of(p) != "" && plainly[op](fold.Text(of(p)), asked)
		}
	case 2:
		is := column.Truth(rapid.IntRange(0, 2).Draw(t, "is"))
		return query.Truth(enabled, is), func(_ uint32, p person) bool { return p.enabled == is }
	case 3:
		from := int64(rapid.IntRange(0, 6).Draw(t, "from"))
		return query.Time(created, from, 4), func(_ uint32, p person) bool {
			return p.created != 0 && p.created >= from && p.created <= 4
		}
	case 4:
		element := &column.Element{Join: column.JoinIs, Test: &column.Test{Op: column.OpEqual, Text: asked}}
		return query.Any(mails, element), func(_ uint32, p person) bool {
			return slices.ContainsFunc(p.mails, func(m string) bool { return asked != "" && fold.Text(m) == asked })
		}
	case 5:
		set := roaring.New()
		for range rapid.IntRange(0, 30).Draw(t, "size") {
			set.Add(uint32(rapid.IntRange(0, 1000).Draw(t, "ordinal")))
		}
		return query.Set(set), func(row uint32, _ person) bool { return set.Contains(row) }
	case 6:
		return query.Func(func(row uint32) bool { return row%3 == 0 }), func(row uint32, _ person) bool {
			return row%3 == 0
		}
	case 7:
		if rapid.Bool().Draw(t, "all") {
			return query.All(), func(uint32, person) bool { return true }
		}
		return query.None(), func(uint32, person) bool { return false }
	case 8:
		c, is := randomCondition(t, depth-1)
		return query.Not(c), func(row uint32, p person) bool { return !is(row, p) }
	}
	var args []*query.Condition
	var plain []func(uint32, person) bool
	for range rapid.IntRange(0, 4).Draw(t, "args") {
		c, is := randomCondition(t, depth-1)
		args, plain = append(args, c), append(plain, is)
	}
	if kind == 9 {
		return query.And(args...), func(row uint32, p person) bool {
			return !slices.ContainsFunc(plain, func(is func(uint32, person) bool) bool { return !is(row, p) })
		}
	}
	return query.Or(args...), func(row uint32, p person) bool {
		return slices.ContainsFunc(plain, func(is func(uint32, person) bool) bool { return is(row, p) })
	}
}

func TestFindIsTheNaiveAnswer(t *testing.T) {
	t.Parallel()
	rapid.Check(t, findIsTheNaiveAnswer)
}

func FuzzFind(f *testing.F) { f.Fuzz(rapid.MakeFuzz(findIsTheNaiveAnswer)) }

func findIsTheNaiveAnswer(t *rapid.T) {
	people, table := randomPeople(t)
	for range 5 {
		c, is := randomCondition(t, 3)
		for _, within := range []query.Within{query.WithinLive, query.WithinDeleted} {
			rows, err := c.Find(t.Context(), table, within, nil)
			if err != nil {
				t.Fatal(err)
			}
			var want []uint32
			for row, p := range people {
				if holds := p.state == int(within) && is(uint32(row), p); holds {
					want = append(want, uint32(row))
				}
			}
			if got := rows.After(nil, -1, len(people)); !slices.Equal(got, want) || rows.Count() != len(want) {
				t.Fatalf("found %v (%d), not %v", got, rows.Count(), want)
			}
			if !slices.Equal(rows.Bitmap().ToArray(), roaring.BitmapOf(want...).ToArray()) {
				t.Fatalf("the bitmap is %v, not %v", rows.Bitmap(), want)
			}
			findsParts(t, c, table, within, want)
			if len(people) > 0 {
				row := uint32(rapid.IntRange(0, len(people)-1).Draw(t, "row"))
				if c.Holds(table, within, row) != slices.Contains(want, row) ||
					rows.Has(row) != slices.Contains(want, row) {
					t.Fatalf("of row %d it is not the same alone", row)
				}
			}
		}
	}
}

// findsParts asks for parts of the set that a condition finds.
func findsParts(t *rapid.T, c *query.Condition, table *column.Table, within query.Within, want []uint32) {
	behind := int64(rapid.IntRange(-1, 800).Draw(t, "behind"))
	n := rapid.SampledFrom([]int{1, 3, 100, 1000}).Draw(t, "n")
	rows, all, err := c.FindSome(t.Context(), table, within, behind, n, nil)
	if err != nil {
		t.Fatal(err)
	}
	rest := slices.DeleteFunc(slices.Clone(want), func(row uint32) bool { return int64(row) <= behind })
	if got := rows.After(nil, behind, n); !slices.Equal(got, rest[:min(n, len(rest))]) {
		t.Fatalf("%d behind %d are %v, not of %v", n, behind, got, rest)
	}
	if got := rows.After(nil, behind, len(want)+1); all && !slices.Equal(got, rest) {
		t.Fatalf("behind %d all are said to be %v, not %v", behind, got, rest)
	}

	among := slices.Collect(maps.Keys(rapid.MapOf(rapid.Uint32Range(0, 1000), rapid.Just(true)).Draw(t, "among")))
	slices.Sort(among)
	of := slices.DeleteFunc(slices.Clone(want), func(row uint32) bool { return !slices.Contains(among, row) })
	some := c.FindAmong(table, within, among)
	if got := some.After(nil, -1, len(among)); !slices.Equal(got, of) || some.Count() != len(of) {
		t.Fatalf("among %v are %v (%d), not %v", among, got, some.Count(), of)
	}
	if !slices.Equal(some.Bitmap().ToArray(), roaring.BitmapOf(of...).ToArray()) {
		t.Fatalf("the bitmap of some is %v, not %v", some.Bitmap(), of)
	}
	for _, row := range among {
		if some.Has(row) != slices.Contains(of, row) {
			t.Fatalf("among %v it is wrong whether there is %d", among, row)
		}
	}

	if place, start, ok := c.Start(); ok {
		for _, row := range want {
			if !strings.HasPrefix(table.Folded(row, place), start) {
				t.Fatalf("row %d has %q, which does not start with %q", row, table.Folded(row, place), start)
			}
		}
	}
}

func TestFirstIsTheBeginningOfASortedList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		people, table := randomPeople(t)
		o := query.Order{
			Column:     rapid.SampledFrom([]int{department, name, created}).Draw(t, "column"),
			Descending: rapid.Bool().Draw(t, "descending"),
		}
		key := func(row uint32) string {
			if moved, ok := o.Moved[row]; ok {
				return moved
			}
			p := people[row]
			text := map[int]string{department: p.department, name: p.name}[o.Column]
			if o.Column == created && p.created != 0 {
				text = column.AsTime(p.created).Format(time.RFC3339)
			}
			if text == "" {
				return ""
			}
			return "=" + fold.Text(text)
		}
		if o.Column != created && len(people) > 3 && rapid.Bool().Draw(t, "moved") {
			o.Moved = map[uint32]string{1: "=bob", 3: ""}
		}
		below := uint32(rapid.IntRange(0, 800).Draw(t, "below"))
		rows, err := query.All().Find(t.Context(), table, query.WithinLive, nil)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "few") {
			rows = query.All().FindAmong(table, query.WithinLive, rows.After(nil, -1, len(people)))
		}
		var want []query.Place
		for row, p := range people {
			if p.state == 0 && uint32(row) < below {
				want = append(want, query.Place{Key: key(uint32(row)), Row: uint32(row)})
			}
		}
		slices.SortFunc(want, func(a, b query.Place) int {
			order := strings.Compare(a.Key, b.Key)
			if order == 0 {
				order = int(a.Row) - int(b.Row)
			}
			if o.Descending {
				return -order
			}
			return order
		})
		n := rapid.IntRange(1, 50).Draw(t, "n")
		var got []query.Place
		var after *query.Place
		for {
			page := o.First(table, rows, after, below, n)
			if got = append(got, page...); len(page) < n {
				break
			}
			after = &page[len(page)-1]
		}
		if !slices.Equal(got, want) {
			t.Fatalf("in order %v:\n%v\nnot\n%v", o, got, want)
		}
	})
}

func TestFindEndsWithItsContext(t *testing.T) {
	t.Parallel()
	d := column.NewTable(schema).Draft()
	d.AddRow()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := query.Truth(enabled, column.TruthTrue).Find(ctx, d.Finish(), query.WithinLive, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func TestManyEqualitiesOfAColumnCostAsOne(t *testing.T) {
	t.Parallel()
	var all []*query.Condition
	for i := range 500 {
		all = append(all, query.Text(department, column.Test{Op: column.OpEqual, Text: fmt.Sprint(i)}))
	}
	table := column.NewTable(schema)
	d := table.Draft()
	d.AddRow()
	table = d.Finish()
	if many, one := query.Or(all...).Cost(table), all[0].Cost(table); many != one {
		t.Errorf("500 cost %s, one %s", many, one)
	}
}
