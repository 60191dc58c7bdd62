package column_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"licensor/internal/directory/column"
	"licensor/internal/fold"
)

var schema = column.NewSchema(
	column.Column{Number: 7, Name: "department", Kind: column.KindText},
	column.Column{Number: 1, Name: "displayName", Kind: column.KindText, Mostly: true, Words: true},
	column.Column{Number: 300, Name: "accountEnabled", Kind: column.KindBool},
	column.Column{Number: 4, Name: "createdDateTime", Kind: column.KindTime},
	column.Column{Number: 5, Name: "proxyAddresses", Kind: column.KindTexts, Mostly: true},
	column.Column{Number: 6, Name: "groupTypes", Kind: column.KindTexts},
	column.Column{Number: 8, Name: "identities", Kind: column.KindObjects, Fields: []string{"issuer", "issuerAssignedId"}},
)

// model is what a table should hold, in the plainest way.
type model struct {
	states []byte // l, d, or p
	values map[[2]int]column.Value
}

func (m *model) clone() *model { return &model{slices.Clone(m.states), maps.Clone(m.values)} }

func texts() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"", "Sales", "sales", "SALES", "Ärzte", "ärzte", "Ⱥb", "ⱥB", "a", "b", "ab", "abc", "e-mail ann", "x", "İ"}),
		rapid.StringN(0, 12, 30),
		rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("Person %d", rapid.IntRange(0, 700).Draw(t, "n")) }),
	)
}

func valueOf(t *rapid.T, c column.Column) (v column.Value) {
	valid := func(s string) string { return strings.ToValidUTF8(s, "?") }
	switch c.Kind {
	case column.KindText:
		v.Text = valid(texts().Draw(t, "text"))
	case column.KindBool:
		v.Truth = column.Truth(rapid.IntRange(0, 2).Draw(t, "truth"))
	case column.KindTime:
		v.Time = rapid.SampledFrom([]int64{
			0, 1, 63_000_000_000,
			63_000_000_777, 253402300799 + 62135596800,
		}).Draw(t, "time")
	default:
		for range rapid.IntRange(0, 3).Draw(t, "elements") * max(1, len(c.Fields)) {
			v.Texts = append(v.Texts, valid(texts().Draw(t, "element")))
		}
	}
	return v
}

// step makes some changes to a table and the model.
func step(t *rapid.T, table *column.Table, m *model) (*column.Table, *model) {
	d, m := table.Draft(), m.clone()
	for range rapid.SampledFrom([]int{0, 0, 1, 5, 300}).Draw(t, "added") {
		if row := d.AddRow(); int(row) != len(m.states) {
			t.Fatalf("row %d is added to %d", row, len(m.states))
		}
		m.states = append(m.states, 'l')
	}
	if len(m.states) == 0 {
		return d.Finish(), m
	}
	for range rapid.IntRange(0, 40).Draw(t, "changes") {
		row := rapid.IntRange(0, len(m.states)-1).Draw(t, "row")
		switch kind := rapid.IntRange(0, 20).Draw(t, "kind"); {
		case kind == 0 && m.states[row] != 'p':
			d.Purge(uint32(row))
			m.states[row] = 'p'
			for c := range schema.Columns {
				delete(m.values, [2]int{row, c})
			}
		case kind <= 2 && m.states[row] != 'p':
			is := rapid.Bool().Draw(t, "deleted")
			d.SetDeleted(uint32(row), is)
			m.states[row] = map[bool]byte{true: 'd', false: 'l'}[is]
		case m.states[row] != 'p':
			c := rapid.IntRange(0, len(schema.Columns)-1).Draw(t, "column")
			v := valueOf(t, schema.Columns[c])
			d.Set(uint32(row), c, v)
			m.values[[2]int{row, c}] = v
		}
	}
	return d.Finish(), m
}

func (m *model) check(t *rapid.T, table *column.Table) {
	if int(table.Rows()) != len(m.states) {
		t.Fatalf("%d rows instead of %d", table.Rows(), len(m.states))
	}
	for row, state := range m.states {
		live, deleted := table.Live(row/column.BlockRows), table.Deleted(row/column.BlockRows)
		if live.Has(row%column.BlockRows) != (state == 'l') || deleted.Has(row%column.BlockRows) != (state == 'd') {
			t.Fatalf("row %d is in another state than %c", row, state)
		}
		for c := range schema.Columns {
			got, want := table.Value(uint32(row), c), m.values[[2]int{row, c}]
			if !got.Equal(want) {
				t.Fatalf("row %d column %d is %v, not %v", row, c, got, want)
			}
			if schema.Columns[c].Kind == column.KindText &&
				(table.Text(uint32(row), c) != want.Text || table.Folded(uint32(row), c) != fold.Text(want.Text)) {
				t.Fatalf("row %d column %d is %q (%q), not %q", row, c, table.Text(uint32(row), c), table.Folded(uint32(row), c), want.Text)
			}
		}
	}
}

// differing is Table.Differing in the plainest way.
func (m *model) differing(from *model, columns []int) (rows []uint32) {
	for row, state := range m.states {
		differs := (state == 'l') != (row < len(from.states) && from.states[row] == 'l')
		for _, c := range columns {
			differs = differs || !m.values[[2]int{row, c}].Equal(from.values[[2]int{row, c}])
		}
		if differs {
			rows = append(rows, uint32(row))
		}
	}
	return rows
}

func reload(t *rapid.T, table *column.Table) *column.Table {
	var parts [][]byte
	for n := range table.Parts() {
		parts = append(parts, table.AppendPart(nil, n))
	}
	again, err := column.Decode(schema, parts)
	if err != nil {
		t.Fatal(err)
	}
	for n := range again.Parts() {
		if string(again.AppendPart(nil, n)) != string(parts[n]) && again.Rows() < 3 {
			t.Fatalf("part %d is written differently after it was read", n)
		}
	}
	return again
}

func TestTableHoldsWhatWasSet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		table, m := column.NewTable(schema), &model{values: map[[2]int]column.Value{}}
		type version struct {
			table *column.Table
			model *model
		}
		var versions []version
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			table, m = step(t, table, m)
			if rapid.IntRange(0, 4).Draw(t, "reload") == 0 {
				table = reload(t, table)
			}
			versions = append(versions, version{table, m})
		}
		for i, v := range versions { // also the old ones: nothing of them has changed
			v.model.check(t, v.table)
			from := versions[rapid.IntRange(0, i).Draw(t, "from")]
			columns := rapid.SliceOfN(rapid.IntRange(0, len(schema.Columns)-1), 0, 3).Draw(t, "columns")
			got, want := slices.Collect(v.table.Differing(from.table, columns)), v.model.differing(from.model, columns)
			if !slices.Equal(got, want) {
				t.Fatalf("the rows that differ in columns %v are %v, want %v", columns, got, want)
			}
		}
		checkMatchers(t, table, m)
	})
}

func checkMatchers(t *rapid.T, table *column.Table, m *model) {
	for range 5 {
		c := rapid.IntRange(0, len(schema.Columns)-1).Draw(t, "column")
		matcher, naive := question(t, table, c)
		for block := range table.Blocks() {
			live := table.Live(block)
			found := matcher.Match(block, live)
			for i := range column.BlockRows {
				if row := block*column.BlockRows + i; live.Has(i) && found.Has(i) != naive(m.values[[2]int{row, c}]) {
					t.Fatalf("row %d with %v in %s: %t", row, m.values[[2]int{row, c}], schema.Columns[c].Name, found.Has(i))
				}
			}
		}
	}
}

// question makes a random question about a column, and the plain answer to it.
func question(t *rapid.T, table *column.Table, c int) (column.Matcher, func(column.Value) bool) {
	switch schema.Columns[c].Kind {
	case column.KindText:
		test := randomTest(t)
		return table.MatchText(c, test), func(v column.Value) bool { return plain(test, v.Text) }
	case column.KindBool:
		is := column.Truth(rapid.IntRange(0, 2).Draw(t, "is"))
		return table.MatchTruth(c, is), func(v column.Value) bool { return v.Truth == is }
	case column.KindTime:
		from := rapid.SampledFrom([]int64{0, 1, 63_000_000_000, 63_000_000_001, 315537897600}).Draw(t, "from")
		to := rapid.SampledFrom([]int64{0, 1, 63_000_000_000, 63_000_000_777, 315537897599, 1 << 60}).Draw(t, "to")
		return table.MatchTime(c, from, to), func(v column.Value) bool {
			return v.Time != 0 && v.Time >= from && v.Time <= to
		}
	}
	width := max(1, len(schema.Columns[c].Fields))
	e := randomElement(t, width, 3)
	return table.MatchAny(c, e), func(v column.Value) bool {
		for i := 0; i < len(v.Texts); i += width {
			if plainElement(e, v.Texts[i:i+width]) {
				return true
			}
		}
		return false
	}
}

func randomTest(t *rapid.T) *column.Test {
	test := &column.Test{
		Op:   column.Op(rapid.IntRange(int(column.OpPresent), int(column.OpHolds)).Draw(t, "op")),
		Text: fold.Text(strings.ToValidUTF8(texts().Draw(t, "asked"), "?")),
	}
	test.Set = map[string]struct{}{test.Text: {}, "sales": {}}
	delete(test.Set, "")
	test.Func = func(folded string) bool { return len(folded)%2 == 0 }
	return test
}

func plain(test *column.Test, written string) bool {
	text := fold.Text(written)
	if text == "" {
		return false
	}
	switch test.Op {
	case column.OpPresent:
		return true
	case column.OpEqual:
		return text == test.Text
	case column.OpIn:
		return text == test.Text && test.Text != "" || text == "sales"
	case column.OpLess:
		return text < test.Text
	case column.OpLessOrEqual:
		return text <= test.Text
	case column.OpGreater:
		return text > test.Text
	case column.OpGreaterOrEqual:
		return text >= test.Text
	case column.OpStarts:
		return strings.HasPrefix(text, test.Text)
	case column.OpEnds:
		return strings.HasSuffix(text, test.Text)
	case column.OpContains:
		return strings.Contains(text, test.Text)
	case column.OpHasWords:
		return !slices.ContainsFunc(strings.Fields(test.Text), func(word string) bool {
			return !fold.StartsWord(text, word)
		})
	}
	return len(text)%2 == 0
}

func randomElement(t *rapid.T, width, depth int) *column.Element {
	join := column.Join(rapid.IntRange(int(column.JoinAny), int(column.JoinNot)).Draw(t, "join"))
	if depth == 0 {
		join = column.JoinIs
	}
	e := &column.Element{Join: join}
	switch join {
	case column.JoinIs:
		e.Field, e.Test = rapid.IntRange(0, width-1).Draw(t, "field"), randomTest(t)
	case column.JoinNot:
		e.Args = []*column.Element{randomElement(t, width, depth-1)}
	case column.JoinAnd, column.JoinOr:
		for range rapid.IntRange(1, 3).Draw(t, "args") {
			e.Args = append(e.Args, randomElement(t, width, depth-1))
		}
	}
	return e
}

func plainElement(e *column.Element, fields []string) bool {
	switch e.Join {
	case column.JoinAny:
		return true
	case column.JoinIs:
		return plain(e.Test, fields[e.Field])
	case column.JoinNot:
		return !plainElement(e.Args[0], fields)
	}
	for _, arg := range e.Args {
		if plainElement(arg, fields) != (e.Join == column.JoinAnd) {
			return e.Join == column.JoinOr
		}
	}
	return e.Join == column.JoinAnd
}

func TestChangesAreReadAsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var changes []column.Change
		for range rapid.IntRange(0, 10).Draw(t, "changes") {
			c := rapid.IntRange(0, len(schema.Columns)-1).Draw(t, "column")
			changes = append(changes, column.Change{Column: c, Value: valueOf(t, schema.Columns[c])})
		}
		got, err := schema.ReadChanges(schema.AppendChanges(nil, changes))
		if err != nil || len(got) != len(changes) {
			t.Fatalf("%v, %v", got, err)
		}
		for i := range got {
			if got[i].Column != changes[i].Column || !got[i].Value.Equal(changes[i].Value) {
				t.Fatalf("%v instead of %v", got[i], changes[i])
			}
		}
	})
}

func TestDraftsOfOneTableAreApart(t *testing.T) {
	t.Parallel()
	d := column.NewTable(schema).Draft()
	for range 1000 {
		d.Set(d.AddRow(), 0, column.Value{Text: "Sales"})
	}
	base := d.Finish()
	var wait sync.WaitGroup
	for n := range 8 {
		wait.Go(func() {
			table := base
			for i := range 200 {
				d := table.Draft()
				row := d.AddRow()
				d.Set(row, 0, column.Value{Text: fmt.Sprintf("Team %d of %d", i, n)})
				d.Set(uint32(i), 1, column.Value{Text: fmt.Sprintf("Ann %d", n)})
				table = d.Finish()
				if table.Text(row, 0) != fmt.Sprintf("Team %d of %d", i, n) || table.Text(uint32(i), 1) != fmt.Sprintf("Ann %d", n) {
					t.Errorf("row %d is %q, %q", row, table.Text(row, 0), table.Text(uint32(i), 1))
				}
			}
		})
	}
	wait.Wait()
	if base.Rows() != 1000 || base.Text(5, 1) != "" {
		t.Error("the table that the drafts were made of has changed")
	}
}

// TestFullDictionary fills a dictionary past its bound.
func TestFullDictionary(t *testing.T) {
	t.Parallel()
	d := column.NewTable(schema).Draft()
	const rows = 70_000
	for i := range uint32(rows) {
		d.Set(d.AddRow(), 0, column.Value{Text: fmt.Sprintf("Room %d", i)})
	}
	table := d.Finish()
	var parts [][]byte
	for n := range table.Parts() {
		parts = append(parts, table.AppendPart(nil, n))
	}
	again, err := column.Decode(schema, parts)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []*column.Table{table, again} {
		for i := range uint32(rows) {
			if got, want := table.Text(i, 0), fmt.Sprintf("Room %d", i); got != want {
				t.Fatalf("row %d is %q, not %q", i, got, want)
			}
		}
		d := table.Draft()
		d.Set(3, 0, column.Value{Text: "Another"})
		d.Set(rows-1, 0, column.Value{Text: "Room 1"})
		if next := d.Finish(); next.Text(3, 0) != "Another" || next.Text(rows-1, 0) != "Room 1" || next.Text(4, 0) != "Room 4" {
			t.Error("values of a full dictionary cannot be changed")
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{
		{},
		time.Unix(0, 0).UTC(), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC),
	} {
		if got := column.AsTime(column.TimeOf(at)); !got.Equal(at) {
			t.Errorf("%s becomes %s", at, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	d := column.NewTable(schema).Draft()
	for i := range 20 {
		row := d.AddRow()
		d.Set(row, 0, column.Value{Text: []string{"Sales", "HR"}[i%2]})
		d.Set(row, 1, column.Value{Text: fmt.Sprint("Ännä ", i)})
		d.Set(row, 2, column.Value{Truth: column.Truth(i % 3)})
		d.Set(row, 3, column.Value{Time: int64(i) * 1e9})
		d.Set(row, 4, column.Value{Texts: []string{"smtp:a@b", fmt.Sprint(i)}})
		d.Set(row, 6, column.Value{Texts: []string{"contoso", fmt.Sprint(i)}})
	}
	f.Add(d.Finish().AppendPart(nil, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := column.Decode(schema, [][]byte{data})
		if err != nil {
			return
		}
		for c := range schema.Columns {
			for row := range table.Rows() {
				table.Value(row, c)
				table.Folded(row, c)
			}
		}
		for block := range table.Blocks() {
			table.MatchText(0, &column.Test{Op: column.OpContains, Text: "a"}).Match(block, table.Live(block))
			table.MatchText(1, &column.Test{Op: column.OpHasWords, Text: "a"}).Match(block, table.Live(block))
			table.MatchTime(3, 1, 1e9).Match(block, table.Live(block))
			table.MatchAny(6,
				&column.Element{Join: column.JoinIs, Field: 1, Test: &column.Test{Op: column.OpEnds, Text: "1"}}).
				Match(block, table.Live(block))
		}
		table.AppendPart(nil, 0)
	})
}

func FuzzReadChanges(f *testing.F) {
	f.Add(schema.AppendChanges(nil, []column.Change{
		{Column: 0, Value: column.Value{Text: "Sales"}},
		{Column: 6, Value: column.Value{Texts: []string{"a", "b"}}},
	}))
	f.Fuzz(func(t *testing.T, data []byte) {
		changes, err := schema.ReadChanges(data)
		if err != nil {
			return
		}
		again, err := schema.ReadChanges(schema.AppendChanges(nil, changes))
		if err != nil || len(again) != len(changes) {
			t.Fatalf("%v: %v", changes, err)
		}
	})
}
