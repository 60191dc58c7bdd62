package catalog

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"licensor/internal/licensing"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	header = "Product_Display_Name,String_Id,GUID,Service_Plan_Name,Service_Plan_Id,Service_Plans_Included_Friendly_Names\n"

	skuA  = "11111111-1111-4111-8111-1111111111aa"
	skuB  = "22222222-2222-4222-8222-2222222222bb"
	planA = "33333333-3333-4333-8333-3333333333cc"
	planB = "44444444-4444-4444-8444-4444444444dd"

	rowA = "Suite A,SUITE_A," + skuA + ",PLAN_A," + planA + ",Plan A\n"
	rowB = "Suite B,SUITE_B," + skuB + ",PLAN_B," + planB + ",Plan B\n"
)

// outline is a catalog in a few words: "SUITE_A Suite A: PLAN_A (Plan A)".
func outline(c *licensing.Catalog) string {
	plans := map[string]string{}
	for _, p := range c.ServicePlans {
		plans[p.ID.String()] = fmt.Sprintf("%s (%s)", p.Name, p.DisplayName)
	}
	var lines []string
	for _, p := range c.Products {
		var names []string
		for _, id := range p.ServicePlanIDs {
			names = append(names, plans[id.String()])
		}
		lines = append(lines, fmt.Sprintf("%s %s: %s", p.SKUPartNumber, p.DisplayName, strings.Join(names, ", ")))
	}
	return strings.Join(lines, "\n")
}

const both = "SUITE_A Suite A: PLAN_A (Plan A)\nSUITE_B Suite B: PLAN_B (Plan B)"

func unclosed(line int, row string) string {
	return fmt.Sprintf("line %d: a quotation mark is not closed; the row was read to the end of its line: %s", line, shortened(row))
}

func TestReadOfDirtyFiles(t *testing.T) {
	t.Parallel()
	upperB := strings.ToUpper(strings.TrimSuffix(skuB, "\n"))
	tests := []struct {
		name, file string
		want       string
		problems   []string
	}{
		{"a clean file has no problem", header + rowA + rowB, both, nil},
		{"no line end after the last row", header + rowA + strings.TrimSuffix(rowB, "\n"), both, nil},
		{"a byte order mark and CR LF", "\uFEFF" + strings.ReplaceAll(header+rowA+rowB, "\n", "\r\n"), both, nil},
		{"lines ended by CR alone", strings.ReplaceAll(header+rowA+rowB, "\n", "\r"), both, nil},
		{"semicolons of a European spreadsheet", strings.ReplaceAll(header+rowA+rowB, ",", ";"), both, nil},
		{"semicolons after an empty line", "\n" + strings.ReplaceAll(header+rowA+rowB, ",", ";"), both, nil},
		{"tabs", strings.ReplaceAll(header+rowA+rowB, ",", "\t"), both, nil},
		{"a sep= line", "sep=;\n" + strings.ReplaceAll(header+rowA+rowB, ",", ";"), both, nil},
		{"empty rows and rows of nothing but commas", "\n,,,,,\n" + header + "\n" + rowA + " ,\u00a0,,,,\n" + rowB + "\n", both, nil},
		{"empty cells beyond the header", header + strings.ReplaceAll(rowA+rowB, "\n", ",,,\n"), both, nil},
		{
			"white space, also the non-breaking kind, and invisible characters",
			header + rowA + "\"Suite\u00a0\tB \", SUITE_B\u00a0,\u200b" + skuB + "\u00a0,PLAN_B ," + planB + ",Plan B\n", both,
			[]string{
				`line 3: GUID "` + skuB + `": stray white space or invisible characters taken out`,
				`line 3: String_Id "SUITE_B": stray white space or invisible characters taken out`,
				`line 3: Service_Plan_Name "PLAN_B": stray white space or invisible characters taken out`,
				`line 3: Product_Display_Name "Suite B": stray white space or invisible characters taken out`,
			},
		},
		{
			"a quoted line break", header + "\"Suite\nA\",SUITE_A," + skuA + ",PLAN_A," + planA + ",Plan A\n" + rowB, both,
			[]string{`line 2: Product_Display_Name "Suite A": stray white space or invisible characters taken out`},
		},
		{
			"a quotation mark that is never closed costs its own row at most",
			header + "\"Suite C,SUITE_C," + skuB + ",C," + planB + ",C\n" + rowA + rowB, both,
			[]string{
				unclosed(2, `"Suite C,SUITE_C,`+skuB+",C,"+planB+",C"),
				"line 2: row skipped: GUID is empty",
			},
		},
		{
			"a quotation mark left open in the last cell", header + "Suite A,SUITE_A," + skuA + ",PLAN_A," + planA + ",\"Plan A\n" + rowB, both,
			[]string{unclosed(2, "Suite A,SUITE_A,"+skuA+",PLAN_A,"+planA)},
		},
		{
			"two slips do not make a cell of the rows between them",
			header + "Suite A,SUITE_A," + skuA + ",PLAN_A," + planA + ",\"Plan A\n" + strings.Replace(rowB, "Plan B", "\"Plan B", 1), both,
			[]string{
				unclosed(2, "Suite A,SUITE_A,"+skuA+",PLAN_A,"+planA),
				unclosed(3, "Suite B,SUITE_B,"+skuB+",PLAN_B,"+planB),
			},
		},
		{"quotation marks inside a name", header + "Suite A,SUITE_A," + skuA + ",PLAN_A," + planA + ",The \"A\" Plan\n", `SUITE_A Suite A: PLAN_A (The "A" Plan)`, nil},
		{"GUIDs in capitals", header + rowA + strings.Replace(rowB, skuB, upperB, 1), both, nil},
		{
			"GUIDs as other programs write them",
			header + strings.Replace(rowA, skuA, "{"+skuA+"}", 1) +
				strings.Replace(rowB, skuB, strings.ReplaceAll(skuB, "-", "\u2013"), 1) +
				strings.Replace(rowB, planB, strings.ReplaceAll(planB, "-", ""), 1), both,
			[]string{
				`line 2: GUID "{` + skuA + `}": read as ` + skuA,
				`line 3: GUID "` + strings.ReplaceAll(skuB, "-", "\u2013") + `": read as ` + skuB,
				`line 4: Service_Plan_Id "` + strings.ReplaceAll(planB, "-", "") + `": read as ` + planB,
				"line 4: repeats line 3: plan PLAN_B of product SUITE_B",
			},
		},
		{
			"GUIDs that are none",
			header + strings.Replace(rowA, skuA, skuA[:35], 1) + strings.Replace(rowA, planA, "n/a", 1) +
				strings.Replace(rowA, skuA, "00000000-0000-0000-0000-000000000000", 1) + rowB,
			"SUITE_B Suite B: PLAN_B (Plan B)",
			[]string{
				`line 2: row skipped: GUID "` + skuA[:35] + `" is not a GUID`,
				`line 3: row skipped: Service_Plan_Id "n/a" is not a GUID`,
				`line 4: row skipped: GUID "00000000-0000-0000-0000-000000000000" is not a GUID`,
			},
		},
		{"a repeated row", header + rowA + rowB + rowA, both, []string{"line 4: repeats line 2: plan PLAN_A of product SUITE_A"}},
		{
			"other names for the same ids: the first stays, each other one is noted once",
			header + rowA + "Suite Z,SUITE_Z," + skuA + ",plan_a," + planA + ",PLAN A\n" + "Suite B,SUITE_B," + skuB + ",plan_a," + planA + ",PLAN A\n",
			"SUITE_A Suite A: PLAN_A (Plan A)\nSUITE_B Suite B: PLAN_A (Plan A)",
			[]string{
				`line 3: String_Id of ` + skuA + ` is "SUITE_Z" here and was "SUITE_A" before; the first is kept`,
				`line 3: Product_Display_Name of ` + skuA + ` is "Suite Z" here and was "Suite A" before; the first is kept`,
				`line 3: Service_Plan_Name of ` + planA + ` is "plan_a" here and was "PLAN_A" before; the first is kept`,
				`line 3: Service_Plans_Included_Friendly_Names of ` + planA + ` is "PLAN A" here and was "Plan A" before; the first is kept`,
				"line 3: repeats line 2: plan PLAN_A of product SUITE_A",
			},
		},
		{
			"one name for two ids: both stay", header + rowA + "Suite B,suite_a," + skuB + ",PLAN_A," + planB + ",Plan B\n",
			"SUITE_A Suite A: PLAN_A (Plan A)\nsuite_a Suite B: PLAN_A (Plan B)",
			[]string{
				`line 3: String_Id "suite_a" belongs to ` + skuA + " and to " + skuB + "; both are kept",
				`line 3: Service_Plan_Name "PLAN_A" belongs to ` + planA + " and to " + planB + "; both are kept",
			},
		},
		{
			"names that are missing come from other rows, or from the ids' other name",
			header + ",SUITE_A," + skuA + ",PLAN_A," + planA + ",\n" + "Suite A,," + skuA + ",," + planA + ",Plan A\n" + ",SUITE_B," + skuB + ",PLAN_B," + planB + ",\n",
			"SUITE_A Suite A: PLAN_A (Plan A)\nSUITE_B SUITE_B: PLAN_B (PLAN_B)",
			[]string{"line 3: repeats line 2: plan PLAN_A of product SUITE_A"},
		},
		{
			"names that are missing everywhere", header + "X,," + skuA + ",PLAN_A," + planA + ",\n" + "X,X," + skuA + ",," + planA + ",\n" + rowB,
			"SUITE_B Suite B: PLAN_B (Plan B)",
			[]string{
				"line 2: row skipped: String_Id is empty, and no row above names product " + skuA,
				"line 3: row skipped: Service_Plan_Name is empty, and no row above names plan " + planA,
			},
		},
		{
			"a product without plans", header + "Suite A,SUITE_A," + skuA + ",,,\n", "SUITE_A Suite A: ",
			[]string{"line 2: product " + skuA + " has a row without a service plan"},
		},
		{"a row that is too short", header + "Suite A,SUITE_A\n" + rowB, "SUITE_B Suite B: PLAN_B (Plan B)", []string{"line 2: row skipped: GUID is empty"}},
		{
			"a comma without quotation marks", header + strings.Replace(rowA, "Suite A", "Suite, A", 1) + rowB, "SUITE_B Suite B: PLAN_B (Plan B)",
			[]string{"line 2: row skipped: it has 1 cells more than the header; a name with a comma needs quotation marks"},
		},
		{
			"columns in another order, with other names and one more",
			"serviceplanid,SkuId,Notes,Service Plan Name,STRING ID,Product name\n" + planA + "," + skuA + ",x,PLAN_A,SUITE_A,Suite A\n", "SUITE_A Suite A: PLAN_A (PLAN_A)",
			[]string{`line 1: column "Notes" is not known and was not read`},
		},
		{
			"a duplicate column", strings.Replace(header, "\n", ",GUID\n", 1) + strings.Replace(rowA, "\n", ",x\n", 1), "SUITE_A Suite A: PLAN_A (Plan A)",
			[]string{`line 1: duplicate column "GUID"; the first one was read`},
		},
		{
			"the older layout with all plans in a cell",
			"Product name,String ID,GUID,Service plans included,Service plans included (friendly names)\n" +
				"Suite A,SUITE_A," + skuA + ",PLAN_A (" + planA + ")<br/>PLAN_B (" + strings.ToUpper(planB) + "),\"Plan (A) (" + planA + ")\nPlan B (" + planB + ")\"\n",
			"SUITE_A Suite A: PLAN_A (Plan (A)), PLAN_B (Plan B)",
			[]string{`line 2: Service_Plans_Included_Friendly_Names "Plan (A) (` + planA + `) Plan B (` + planB[:24] + `…": stray white space or invisible characters taken out`},
		},
		{
			"the older layout with something else in the cell",
			"Product name,String ID,GUID,Service plans included\nSuite A,SUITE_A," + skuA + ",PLAN_A (" + planA + ") and more\nSuite B,SUITE_B," + skuB + ",PLAN_B (" + planB + ")\n",
			"SUITE_B Suite B: PLAN_B (PLAN_B)",
			[]string{`line 2: row skipped: "and more" in Service plans included is not a NAME (GUID)`},
		},
		{
			"Windows-1252 among UTF-8", header + strings.Replace(rowA, "Plan A", "Plan \x96 A\u2019s", 1), "SUITE_A Suite A: PLAN_A (Plan – A’s)",
			[]string{`line 2: Service_Plans_Included_Friendly_Names "Plan – A’s": not UTF-8, read as Windows-1252`},
		},
		{
			"UTF-8 taken for Windows-1252", header + strings.Replace(rowA, "Plan A", "Plan\u00c2\u00a0\u00e2\u20ac\u201c A", 1), "SUITE_A Suite A: PLAN_A (Plan – A)",
			[]string{`line 2: Service_Plans_Included_Friendly_Names "Plan – A": UTF-8 that had been taken for Windows-1252, turned back`},
		},
		{"letters that only look like an accident", header + strings.Replace(rowA, "Plan A", "Pläne für Ärzte à 5 €", 1), "SUITE_A Suite A: PLAN_A (Pläne für Ärzte à 5 €)", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, report, err := Read(strings.NewReader(test.file))
			if err != nil {
				t.Fatal(err)
			}
			if err := got.Validate(); err != nil {
				t.Error(err)
			}
			if outline(got) != test.want {
				t.Errorf("read\n%s\nwant\n%s", outline(got), test.want)
			}
			checkProblems(t, report, test.problems)
		})
	}
}

func checkProblems(t *testing.T, report *Report, want []string) {
	t.Helper()
	var got []string
	for _, p := range report.Problems {
		got = append(got, p.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("problems\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReadRefusesWhatIsNoTable(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, file, want string }{
		{"nothing", "", "the file is empty"},
		{"another table", "id,name\n1,x\n", "line 1 is not the header of the product table"},
		{"a page", "<!DOCTYPE html>\n<html>", "is not the header"},
		{"only a header", header, "a header and no rows"},
		{"no usable row", header + "a,b,c,d,e,f\n", "no row of the file could be used; the first problem: line 2: "},
		{"UTF-16", "\xff\xfeP\x00r\x00", `save it as "CSV UTF-8"`},
		{"a workbook", "PK\x03\x04", `save the sheet as "CSV UTF-8"`},
		{"an endless line", header + strings.Repeat("x", maxLine+1), "line 2 is longer than"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, report, err := Read(strings.NewReader(test.file))
			if got != nil || report == nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Read: %v, %v, %v; want an error with %q", got, report, err, test.want)
			}
		})
	}
}

func TestReadPassesReadErrorsOn(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	_, _, err := Read(iotest.ErrReader(broken))
	if !errors.Is(err, broken) {
		t.Errorf("Read: %v; want %v", err, broken)
	}
}

func TestReadTakesASlowReader(t *testing.T) {
	t.Parallel()
	got, _, err := Read(iotest.OneByteReader(strings.NewReader(strings.ReplaceAll(header+rowA+rowB, "\n", "\r\n"))))
	if err != nil || outline(got) != both {
		t.Errorf("Read: %v, %v", got, err)
	}
}

// specification is the folder of the specification, for tests that compare with it.
func specification(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("LICENSOR_SPEC")
	if dir == "" {
		t.Skip("LICENSOR_SPEC is not set to the specification folder")
	}
	return dir
}

func readPublished(t *testing.T) (*licensing.Catalog, *Report) {
	t.Helper()
	file, err := os.Open(filepath.Join(specification(t), "catalog", "product-names-and-service-plans.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c, report, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return c, report
}

// TestReadOfThePublishedTable compares with a summary: how much was read, and how many problems of
// each kind there were.
func TestReadOfThePublishedTable(t *testing.T) {
	t.Parallel()
	c, report := readPublished(t)
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	names := regexp.MustCompile(`"[^"]*"|[0-9a-f]{8}-[0-9a-f-]{27}|line [0-9]+|plan .* of product .*`)
	kinds := map[string]int{}
	for _, p := range report.Problems {
		kinds[names.ReplaceAllString(p.Text, "…")]++
	}
	got := fmt.Sprintf("%d rows, %d left out\n%d products, %d service plans\n", report.Rows, report.Skipped, len(c.Products), len(c.ServicePlans))
	for _, kind := range sortedKeys(kinds) {
		got += fmt.Sprintf("%4d × %s\n", kinds[kind], kind)
	}
	golden(t, "published.golden", got)
}

func sortedKeys(m map[string]int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it anew):\n%s\nwant\n%s", path, got, want)
	}
}

func BenchmarkRead(b *testing.B) {
	var file strings.Builder
	file.WriteString(header)
	for i := range 6000 {
		fmt.Fprintf(&file, "Suite,SUITE_%d,11111111-1111-4111-8111-%012x,PLAN_%d,33333333-3333-4333-8333-%012x,Plan\n", i/10, i/10, i%800, i%800)
	}
	b.SetBytes(int64(file.Len()))
	for b.Loop() {
		if _, _, err := Read(strings.NewReader(file.String())); err != nil {
			b.Fatal(err)
		}
	}
}
