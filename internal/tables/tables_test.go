package tables_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
	"pgregory.net/rapid"

	"licensor/internal/tables"
)

var columns = []tables.Column{
	{Title: "USER", Name: "userPrincipalName"},
	{Title: "SEATS", Name: "seats", Right: true},
	{Title: "REASON", Name: "reason", Notes: "remedies"},
	{Title: "ID", Name: "id", Whole: true, Extra: true},
}

// printed returns what a table prints.
func printed(t *testing.T, format tables.Format, look tables.Look) string {
	t.Helper()
	var out strings.Builder
	w := tables.NewWriter(&out, format, look, columns...)
	w.Member("commit", 7)
	var missing *string
	for _, err := range []error{
		w.Noted(2, []string{"Buy one"}, json.RawMessage(`{"a":"<1>"}`), "ann@contoso.example", 5, tables.Cell{Value: "No seat of ENTERPRISEPACK\x1b is free", Sign: tables.Bad}, "5a1f0d4e-3c6b-4b8e-9a52-0f6e4e7d2c11"),
		w.Row(map[string]string{"b": "&"}, "=1+2", -12, missing, nil),
		w.End(true),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func TestForms(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		format tables.Format
		look   tables.Look
		want   string
	}{
		{"a file", tables.Text, tables.Look{}, "" +
			"USER                 SEATS  REASON                              ID\n" +
			"ann@contoso.example      5  No seat of ENTERPRISEPACK  is free  5a1f0d4e-3c6b-4b8e-9a52-0f6e4e7d2c11\n" +
			"                            → Buy one\n" +
			"=1+2                   -12\n"},
		{"a wide terminal", tables.Text, tables.Look{Width: 90}, "" +
			"USER                 SEATS  REASON                    ID\n" +
			"ann@contoso.example      5  No seat of ENTERPRISEPA…  5a1f0d4e-3c6b-4b8e-9a52-0f6e4e7d2c11\n" +
			"                            → Buy one\n" +
			"=1+2                   -12\n"},
		{"a narrow terminal", tables.Text, tables.Look{Width: 36}, "" +
			"USER           SEATS  REASON\n" +
			"ann@contoso.…      5  No seat of EN…\n" +
			"                      → Buy one\n" +
			"=1+2             -12\n"},
		{"a terminal with colors", tables.Text, tables.Look{Width: 60, Color: true}, "" +
			"\x1b[1mUSER\x1b[0m                 \x1b[1mSEATS\x1b[0m  \x1b[1mREASON\x1b[0m\n" +
			"ann@contoso.example      5  \x1b[31mNo seat of ENTERPRISEPACK  is f…\x1b[0m\n" +
			"                            → Buy one\n" +
			"=1+2                   -12\n"},
		{"CSV", tables.CSV, tables.Look{}, "" +
			"userPrincipalName,seats,reason,remedies,id\n" +
			"ann@contoso.example,5,No seat of ENTERPRISEPACK\x1b is free,Buy one,5a1f0d4e-3c6b-4b8e-9a52-0f6e4e7d2c11\n" +
			"'=1+2,-12,,,\n"},
		{"JSON", tables.JSON, tables.Look{}, "{\n  \"commit\": 7,\n  \"value\": [\n    {\n      \"a\": \"<1>\"\n    },\n    {\n      \"b\": \"&\"\n    }\n  ],\n  \"more\": true\n}\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := printed(t, test.format, test.look); got != test.want {
				t.Errorf("it prints\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestSentencesAreBelowRowsOfNarrowTerminals(t *testing.T) {
	t.Parallel()
	for width, want := range map[int]string{
		60: "USER  REASON\nann   No seat of ENTERPRISEPACK is free: 1 of 1 are taken.\n      → Buy one\nben   b\n",
		32: "USER\nann\n    No seat of ENTERPRISEPACK is\n    free: 1 of 1 are taken.\n    → Buy one\nben\n    b\n",
	} {
		var out strings.Builder
		w := tables.NewWriter(&out, tables.Text, tables.Look{Width: width},
			tables.Column{Title: "USER"}, tables.Column{Title: "REASON", Below: true})
		err := errors.Join(w.Noted(1, []string{"Buy one"}, nil, "ann", "No seat of ENTERPRISEPACK is free: 1 of 1 are taken."),
			w.Row(nil, "ben", "b"), w.End(false))
		if err != nil || out.String() != want {
			t.Errorf("%d characters: %s\nwant %s", width, out.String(), want)
		}
	}
}

// A table with many columns that cannot be shortened fits, too: those at the end are left out.
func TestManyColumnsFitIntoATerminal(t *testing.T) {
	t.Parallel()
	for width := 12; width < 120; width++ {
		some, cells := []tables.Column{{Title: "TIME", Name: "time", Whole: true}}, []any{"2026-01-31"}
		for range 6 {
			some = append(some, tables.Column{Title: "AMOUNT", Name: "n", Right: true}, tables.Column{Title: "NAME", Name: "name"})
			cells = append(cells, "1234567.00", "A name of a product")
		}
		var out strings.Builder
		w := tables.NewWriter(&out, tables.Text, tables.Look{Width: width}, some...)
		if err := errors.Join(w.Row(nil, cells...), w.End(false)); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "2026-01-31") {
			t.Errorf("at %d, the first column is left out: %q", width, out.String())
		}
		for line := range strings.Lines(out.String()) {
			if wide := uniseg.StringWidth(strings.TrimSuffix(line, "\n")); wide > width {
				t.Errorf("at %d, a line is %d wide: %q", width, wide, line)
			}
		}
	}
}

func TestATableWithoutRows(t *testing.T) {
	t.Parallel()
	for format, want := range map[tables.Format]string{
		tables.Text: "There is nothing.\n", tables.CSV: "userPrincipalName,seats,reason,remedies,id\n", tables.JSON: "{\n  \"value\": [],\n  \"more\": false\n}\n",
	} {
		var out strings.Builder
		w := tables.NewWriter(&out, format, tables.Look{}, columns...)
		w.None = "There is nothing."
		if err := w.End(false); err != nil || out.String() != want {
			t.Errorf("%v: %q, %v", format, out.String(), err)
		}
	}
}

// Whatever is in the cells, no line of a terminal is wider than it, JSON and CSV can be read, and
// no text gets lost outside a terminal.
func TestAnyCells(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.SliceOfN(rapid.String(), 3, 3), 0, 8).Draw(t, "rows")
		if rapid.Bool().Draw(t, "many") && len(list) > 0 {
			for len(list) < 1500 {
				list = append(list, list[0])
			}
		}
		width := rapid.IntRange(40, 120).Draw(t, "width")
		some := []tables.Column{
			{Title: "A", Name: "a"},
			{Title: "B", Name: "b", Below: rapid.Bool().Draw(t, "below")},
			{Title: "C", Name: "c", Extra: true},
		}
		for _, format := range []tables.Format{tables.Text, tables.CSV, tables.JSON} {
			var out strings.Builder
			w := tables.NewWriter(&out, format, tables.Look{Width: width}, some...)
			for _, row := range list {
				if err := w.Row(row, row[0], row[1], row[2]); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.End(false); err != nil {
				t.Fatal(err)
			}
			switch format {
			case tables.Text:
				for line := range strings.Lines(out.String()) {
					if wide := uniseg.StringWidth(strings.TrimSuffix(line, "\n")); wide > width {
						t.Fatalf("a line is %d wide: %q", wide, line)
					}
				}
			case tables.CSV:
				got, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
				if err != nil || len(got) != len(list)+1 {
					t.Fatalf("%d rows become %d lines, %v", len(list), len(got), err)
				}
			default:
				var got struct{ Value [][]string }
				if err := json.Unmarshal([]byte(out.String()), &got); err != nil || len(got.Value) != len(list) {
					t.Fatalf("%d rows become %d, %v", len(list), len(got.Value), err)
				}
			}
		}
	})
}

func TestWhereColorsAre(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		system, env string
		want        bool
	}{
		{"linux", "", true},
		{"linux", "TERM=xterm", true},
		{"linux", "TERM=dumb", false},
		{"linux", "TERM=xterm NO_COLOR=1", false},
		{"windows", "", false},
		{"windows", "WT_SESSION=1", true},
		{"windows", "WT_SESSION=1 NO_COLOR=1", false},
	} {
		got := tables.Colored(test.system, func(name string) string {
			for pair := range strings.FieldsSeq(test.env) {
				if key, value, _ := strings.Cut(pair, "="); key == name {
					return value
				}
			}
			return ""
		})
		if got != test.want {
			t.Errorf("%s with %q has colors: %t", test.system, test.env, got)
		}
	}
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if look := tables.LookOf(file, os.Getenv); look != (tables.Look{}) {
		t.Errorf("a file looks like %v", look)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestAFullDiskStopsTheRows(t *testing.T) {
	t.Parallel()
	for _, format := range []tables.Format{tables.Text, tables.CSV, tables.JSON} {
		w := tables.NewWriter(full{}, format, tables.Look{}, columns...)
		n := 0
		for n < 10_000 && w.Row("x", strings.Repeat("x", 100), 1, "", "") == nil {
			n++
		}
		if err := w.End(false); n == 10_000 || err == nil {
			t.Errorf("%v: %d rows were written, %v", format, n, err)
		}
	}
}

func TestANameIsOneLineInItsOwnDirection(t *testing.T) {
	t.Parallel()
	for of, want := range map[string]string{
		"Ann Abel": "Ann Abel", "Ann\r\nAbel": "Ann  Abel", "nnA\u202elebA": "nnA lebA", "\u2066a\u2069": " a ",
		"שלום": "שלום",
	} {
		if got := tables.OneLine(of); got != want {
			t.Errorf("%q becomes %q, want %q", of, got, want)
		}
	}
}
