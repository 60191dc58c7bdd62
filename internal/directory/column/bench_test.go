package column_test

import (
	"fmt"
	"testing"

	"licensor/internal/directory/column"
)

const million = 1_000_000

func people(b *testing.B) *column.Table {
	b.Helper()
	d := column.NewTable(schema).Draft()
	for i := range million {
		row := d.AddRow()
		d.Set(row, 0, column.Value{Text: fmt.Sprintf("Department %d", i*7919%211)})
		d.Set(row, 1, column.Value{Text: fmt.Sprintf("Ann %x Berg %d", i*2654435761%1000003, i)})
		d.Set(row, 3, column.Value{Time: 63_000_000_000 + int64(i)})
		d.Set(row, 4, column.Value{Texts: []string{fmt.Sprintf("SMTP:ann.%d@contoso.example", i), fmt.Sprintf("smtp:a%d@contoso.example", i)}})
		if i%65536 == 65535 {
			d2 := d.Finish().Draft()
			d = d2
		}
	}
	return d.Finish()
}

func BenchmarkMatch(b *testing.B) {
	t := people(b)
	b.Logf("%d bytes a row", t.Size()/million)
	is := func(test column.Test) column.Matcher {
		return t.MatchAny(4, &column.Element{Join: column.JoinIs, Test: &test})
	}
	for _, c := range []struct {
		name    string
		matcher column.Matcher
	}{
		{"department eq", t.MatchText(0, &column.Test{Op: column.OpEqual, Text: "department 7"})},
		{"displayName eq", t.MatchText(1, &column.Test{Op: column.OpEqual, Text: "ann 7 berg 8"})},
		{"displayName starts", t.MatchText(1, &column.Test{Op: column.OpStarts, Text: "ann 7"})},
		{"displayName ends", t.MatchText(1, &column.Test{Op: column.OpEnds, Text: "77"})},
		{"displayName contains", t.MatchText(1, &column.Test{Op: column.OpContains, Text: "77 berg"})},
		{"displayName words", t.MatchText(1, &column.Test{Op: column.OpHasWords, Text: "ann berg"})},
		{"time", t.MatchTime(3, 63_000_500_000, 1<<60)},
		{"any eq", is(column.Test{Op: column.OpEqual, Text: "smtp:ann.77@contoso.example"})},
		{"any starts", is(column.Test{Op: column.OpStarts, Text: "smtp:ann.77"})},
		{"any ends", is(column.Test{Op: column.OpEnds, Text: "77@contoso.example"})},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for block := range t.Blocks() {
					c.matcher.Match(block, t.Live(block))
				}
			}
		})
	}
	b.Run("write part", func(b *testing.B) {
		for b.Loop() {
			t.AppendPart(nil, 3)
		}
	})
	part := t.AppendPart(nil, 3)
	b.Run("read part", func(b *testing.B) {
		for b.Loop() {
			if _, err := column.Decode(schema, [][]byte{part}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("change one", func(b *testing.B) {
		b.ReportAllocs()
		table, i := t, uint32(0)
		for b.Loop() {
			d := table.Draft()
			i += 7919
			d.Set(i%million, 0, column.Value{Text: "Department 5"})
			table = d.Finish()
		}
	})
	b.Run("change name", func(b *testing.B) {
		b.ReportAllocs()
		table, i := t, uint32(0)
		for b.Loop() {
			d := table.Draft()
			i += 7919
			d.Set(i%million, 1, column.Value{Text: "Bob Vidal"})
			table = d.Finish()
		}
	})
	b.Run("add one", func(b *testing.B) {
		b.ReportAllocs()
		table := t
		for b.Loop() {
			d := table.Draft()
			row := d.AddRow()
			d.Set(row, 0, column.Value{Text: "Department 5"})
			d.Set(row, 1, column.Value{Text: "Bob Vidal"})
			d.Set(row, 3, column.Value{Time: 63_000_000_000})
			d.Set(row, 4, column.Value{Texts: []string{"SMTP:ann.@contoso.example"}})
			table = d.Finish()
		}
	})
}
