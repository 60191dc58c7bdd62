package fold_test

import (
	"fmt"
	"testing"
	"unicode"
	"unicode/utf8"

	"licensor/fold"
)

func ExampleText() {
	fmt.Println(fold.Text("ÉMILE Straße ΣΊΣΥΦΟΣ \xff"))
	// Output: émile straße σίσυφοσ �
}

func TestFoldKeepsASCIIApart(t *testing.T) {
	t.Parallel()
	for r := range unicode.MaxRune + 1 {
		folded := fold.Text(string(r))
		if letter, _ := utf8.DecodeRuneInString(folded); (letter < utf8.RuneSelf) != (r < utf8.RuneSelf) {
			t.Errorf("%U becomes %U", r, letter)
		}
		if fold.Text(folded) != folded {
			t.Errorf("%U folded twice is another text", r)
		}
	}
}

func TestEqualIsEqualFolding(t *testing.T) {
	t.Parallel()
	texts := []string{"", "a", "A", "ab", "Ab", "\u212a", "k", "K", "É", "é", "\xff", "\ufffd", "Straße", "STRASSE", "Ⱥ", "ⱥ", "a@b", "A`B"}
	for _, a := range texts {
		for _, b := range texts {
			if got, want := fold.Equal(a, b), fold.Text(a) == fold.Text(b); got != want {
				t.Errorf("Equal(%q, %q) is %t", a, b, got)
			}
		}
	}
}
