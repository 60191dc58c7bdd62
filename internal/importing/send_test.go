package importing

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sizes is an API that records the size of each piece.
type sizes struct{ rows, bytes []int }

func (s *sizes) Import(_ context.Context, _ url.Values, lines []byte, _ any) error {
	s.rows, s.bytes = append(s.rows, bytes.Count(lines, []byte("\n"))), append(s.bytes, len(lines))
	return nil
}

// Pieces are larger if the API is in the same process, except the first, and never larger than an
// import may be, which is 32 MB.
func TestSizesOfPieces(t *testing.T) {
	t.Parallel()
	short, long := `{"userPrincipalName":"a"}`+"\n", `{"userPrincipalName":"`+strings.Repeat("a", maxRow-100)+`"}`+"\n"
	for _, test := range []struct {
		name, row string
		rows      int
		options   Options
		want      []int
	}{
		{"to a server", short, 25_000, Options{}, []int{10_000, 10_000, 5000}},
		{"in the same process", short, 350_000, Options{Local: true}, []int{10_000, 300_000, 40_000}},
		{"until a row is refused", short, 2500, Options{Local: true, Stop: true}, []int{1000, 1000, 500}},
		{"long rows", long, 12, Options{Local: true}, []int{5, 7}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			name := filepath.Join(t.TempDir(), "users.json")
			if err := os.WriteFile(name, []byte(strings.Repeat(test.row, test.rows)), 0o600); err != nil {
				t.Fatal(err)
			}
			files, err := Open([]string{name}, "", nil)
			defer Close(files)
			if err != nil {
				t.Fatal(err)
			}
			var got sizes
			result, err := Import(t.Context(), &got, files[0], test.options)
			if err != nil || result.Rows != test.rows || !slices.Equal(got.rows, test.want) {
				t.Errorf("%d rows in pieces of %v, want %v; %v", result.Rows, got.rows, test.want, err)
			}
			if largest := slices.Max(got.bytes); largest > 32<<20 {
				t.Errorf("a piece has %d bytes", largest)
			}
		})
	}
}
