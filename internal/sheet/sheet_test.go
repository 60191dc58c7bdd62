package sheet_test

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"licensor/internal/sheet"
)

// read returns the rows of a file, an unclosed quotation mark as "!", each with the number of its
// first line.
func read(t *testing.T, file string, lazy bool) (rows []string, lines []int) {
	t.Helper()
	r := sheet.NewReader(bufio.NewScanner(strings.NewReader(file)), 3)
	r.Lazy = lazy
	for {
		first, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, lines
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, r.Line())
		var cells []string
		fits := func(row string) bool {
			cells, _, err = r.Split(row)
			return err == nil
		}
		if !r.Row(first, fits) {
			cells = []string{"!"}
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, file string
		lazy       bool
		rows       []string
		lines      []int
	}{
		{"plain", "a,b\nc,d\n", false, []string{"a|b", "c|d"}, []int{1, 2}},
		{"a cell with line breaks", "\"a\n\nb\",c\nd,e\n", false, []string{"a\n\nb|c", "d|e"}, []int{1, 4}},
		{"a quotation mark that is never closed", "a,\"b\nc,d\ne,f\n", false, []string{"!", "c|d", "e|f"}, []int{1, 2, 3}},
		{"more lines than a row may have", "a,\"b\n1\n2\n3\n4\"\nc,d\n", false, []string{"!", "1", "2", "3", "!", "c|d"}, []int{1, 2, 3, 4, 5, 6}},
		{"a quotation mark out of place", "a,b\"c\"\n", false, []string{"!"}, []int{1}},
		{"the same read lazily", "a,b\"c\"\n", true, []string{`a|b"c"`}, []int{1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rows, lines := read(t, test.file, test.lazy)
			if !slices.Equal(rows, test.rows) || !slices.Equal(lines, test.lines) {
				t.Errorf("got %q at %d, want %q at %d", rows, lines, test.rows, test.lines)
			}
		})
	}
}

func TestSeparator(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]rune{"a": ',', "a,b": ',', "a;b,c;d": ';', "a\tb": '\t'} {
		if got := sheet.Separator(header); got != want {
			t.Errorf("%q is separated by %q, want %q", header, got, want)
		}
	}
}

// TestRowsWithoutQuotationMarks: they are cut as encoding/csv does it.
func TestRowsWithoutQuotationMarks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := sheet.NewReader(bufio.NewScanner(strings.NewReader("")), 3)
		r.Comma = rapid.SampledFrom([]rune{',', ';', '\t', '|', '"', ' '}).Draw(rt, "separator")
		row := rapid.StringOfN(rapid.SampledFrom([]rune(",;\t|\" \r\nabä#")), 0, 12, -1).Draw(rt, "row")
		want := csv.NewReader(strings.NewReader(row))
		want.Comma, want.FieldsPerRecord = r.Comma, -1
		wanted, err := want.Read()
		cells, whole, got := r.Split(row)
		if err == nil && !slices.Equal(cells, wanted) || (got == nil) != (err == nil) {
			rt.Fatalf("%q is %q, %v; want %q, %v", row, cells, got, wanted, err)
		}
		if _, err := want.Read(); got == nil && whole != errors.Is(err, io.EOF) {
			rt.Errorf("%q: all was used: %v; then comes %v", row, whole, err)
		}
	})
}
