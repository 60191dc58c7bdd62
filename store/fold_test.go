package store_test

import (
	"fmt"
	"testing"
	"unicode"
	"unicode/utf8"

	"licensor/store"
)

func ExampleFold() {
	fmt.Println(store.Fold("ÉMILE Straße ΣΊΣΥΦΟΣ \xff"))
	// Output: émile straße σίσυφοσ �
}

func TestFoldKeepsASCIIApart(t *testing.T) {
	t.Parallel()
	for r := range unicode.MaxRune + 1 {
		folded := store.Fold(string(r))
		if letter, _ := utf8.DecodeRuneInString(folded); (letter < utf8.RuneSelf) != (r < utf8.RuneSelf) {
			t.Errorf("%U becomes %U", r, letter)
		}
		if store.Fold(folded) != folded {
			t.Errorf("%U folded twice is another text", r)
		}
	}
}
