package framing

import (
	"strings"
	"testing"
)

// BenchmarkHead clears the head of a usual request, with a token.
func BenchmarkHead(b *testing.B) {
	head := []byte("GET /v1.0/users?$top=1&$select=id HTTP/1.1\r\nHost: licensor.example.com\r\nUser-Agent: benchmark\r\nAccept: application/json\r\n" +
		"Authorization: Bearer " + strings.Repeat("eyJhbGciOi", 100) + "\r\nAccept-Encoding: gzip\r\n\r\n")
	s := stream{most: 64 << 10}
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		if n, refusal := s.clear(head); n != len(head) || refusal != nil {
			b.Fatal(n, refusal)
		}
	}
}

func TestEveryControlCharacterIsFound(t *testing.T) {
	t.Parallel()
	for at := range 20 {
		for b := range 256 {
			text := []byte("a value \t with 20 b\xc3\xbc")
			text[at] = byte(b)
			want := b < ' ' && b != '\t' || b == 0x7f
			if hasControl(text) != want {
				t.Errorf("%q: %v", text, !want)
			}
		}
	}
}
