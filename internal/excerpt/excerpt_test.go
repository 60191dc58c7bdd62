package excerpt_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"licensor/internal/excerpt"
)

func TestNoCharacterIsCutInHalf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		most int
		want string
	}{
		{"", 3, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "abc…"},
		{"aé", 2, "a…"},
		{"a😀b", 4, "a…"},
		{"a😀b", 5, "a😀…"},
		{"😀", 0, "…"},
		{strings.Repeat("ä", 60), 100, strings.Repeat("ä", 50) + "…"},
		{"\x80\x80\x80", 2, "…"}, // which no character begins with
	} {
		got := excerpt.Of(test.text, test.most)
		if got != test.want || utf8.ValidString(test.text) && !utf8.ValidString(got) {
			t.Errorf("%d bytes of %q are %q, not %q", test.most, test.text, got, test.want)
		}
	}
}
