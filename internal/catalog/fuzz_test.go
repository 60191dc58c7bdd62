package catalog

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzRead wants of every file: no panic; what is read is a valid catalog of clean text; reading
// twice reads the same; and every row is taken, or has a problem.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		header + rowA + rowB,
		"\uFEFF" + strings.ReplaceAll(header+rowA, "\n", "\r\n"),
		header + "\"Suite\nA\",SUITE_A," + skuA + ",PLAN_A," + planA + ",\"Plan A\n" + rowB,
		strings.ReplaceAll(header+rowA, ",", ";"),
		"Product name,String ID,GUID,Service plans included\nA,A," + skuA + ",P (" + planA + ")<br>Q (" + planB + ")\n",
		header + "\xe9\u00c3\u00a9," + rowA,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		c, report, err := Read(strings.NewReader(file))
		if report.Skipped > len(report.Problems) || report.Skipped > report.Rows {
			t.Errorf("%d rows, %d left out, %d problems", report.Rows, report.Skipped, len(report.Problems))
		}
		if err != nil {
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		if !utf8.ValidString(outline(c)) {
			t.Errorf("not UTF-8: %q", outline(c))
		}
		again, _, err := Read(strings.NewReader(file))
		if err != nil || outline(again) != outline(c) {
			t.Errorf("read again: %v\n%s\nand before\n%s", err, outline(again), outline(c))
		}
	})
}
