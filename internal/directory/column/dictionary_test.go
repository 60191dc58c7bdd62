package column_test

import (
	"fmt"
	"testing"

	"licensor/internal/directory/column"
)

// TestSmallTableWithDifferentTexts: there is no dictionary for its only block. Larger ones have the
// texts that their other blocks share.
func TestSmallTableWithDifferentTexts(t *testing.T) {
	t.Parallel()
	size := func(rows, different int) int {
		d := column.NewTable(schema).Draft()
		for i := range rows {
			d.Set(d.AddRow(), 0, column.Value{Text: fmt.Sprintf("Building %d", i%different)})
		}
		table := d.Finish()
		for i := range rows {
			if got, want := table.Text(uint32(i), 0), fmt.Sprintf("Building %d", i%different); got != want {
				t.Fatalf("row %d of %d is %q, not %q", i, rows, got, want)
			}
		}
		return table.Size()
	}
	if small := size(100, 100); small > 100*40 {
		t.Errorf("100 rows with 100 texts take %d bytes", small)
	}
	const rows, words = 50_000, 5000
	if large := size(rows, words); large > rows*3+words*140+20_000 {
		t.Errorf("%d rows with %d texts take %d bytes", rows, words, large)
	}
}
