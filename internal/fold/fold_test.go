package fold_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"licensor/internal/fold"
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

func TestTextIsEachLetterByItself(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		for c := range 256 {
			text := strings.Repeat("x", n) + string([]byte{byte(c)}) + "@[Z`{aAz" + strings.Repeat("Q", 39-n)
			want := ""
			for _, r := range text {
				want += fold.Text(string(r))
			}
			if got := fold.Text(text); got != want {
				t.Fatalf("%q becomes %q, not %q", text, got, want)
			}
			folded, capitals, ok := fold.Apart([]byte(text))
			if ok != (c < 128) || ok && (folded != want || together(folded, capitals) != text) {
				t.Fatalf("Apart(%q) is %q and %x, %t", text, folded, capitals, ok)
			}
		}
	}
}

// together puts together what Apart has taken apart.
func together(folded string, capitals []uint64) string {
	written := []byte(folded)
	for i := range written {
		if capitals != nil && capitals[i/64]>>(i%64)&1 != 0 {
			written[i] -= 'a' - 'A'
		}
	}
	return string(written)
}

func TestApartOfLongTexts(t *testing.T) {
	t.Parallel()
	for n := range 200 {
		text := strings.Repeat("aB9 ", n)[:4*n-n%3*min(n, 1)]
		folded, capitals, ok := fold.Apart([]byte(text))
		if !ok || folded != strings.ToLower(text) || together(folded, capitals) != text {
			t.Fatalf("Apart(%q) is %q and %x, %t", text, folded, capitals, ok)
		}
		if _, _, ok := fold.Apart([]byte(text + "é")); ok {
			t.Fatalf("Apart(%q) takes what is not ASCII", text+"é")
		}
	}
}
