// Package fold says when two texts are the same to a directory, which does not distinguish letter case.
//
//	fold.Text("Zoë ÖZ") == fold.Text("ZOË öz")
//
// Columns, conditions and the store's names all use this one form, so that they agree.
package fold

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns the folded form of a text: two texts are the same to a filter when their folded forms are. Letters become
// small letters one by one, whatever the language, and bytes that are not UTF-8 become U+FFFD. Letters outside ASCII stay
// outside: the Kelvin sign is not a "k". So a text in ASCII is only equal to texts in ASCII. A text that is folded already
// is returned as it is, without allocation.
func Text(text string) string {
	first := -1 // the first letter to become small
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= utf8.RuneSelf {
			return strings.Map(letter, text)
		}
		if first < 0 && c >= 'A' && c <= 'Z' {
			first = i
		}
	}
	if first < 0 {
		return text
	}
	var folded strings.Builder
	folded.Grow(len(text))
	folded.WriteString(text[:first])
	for i := first; i < len(text); i++ {
		folded.WriteByte(small(text[i]))
	}
	return folded.String()
}

// Equal reports whether two texts have the same folded form, without allocation for ASCII texts.
func Equal(a, b string) bool {
	if len(a) == len(b) {
		same := true
		for i := 0; i < len(a) && same; i++ {
			if a[i] >= utf8.RuneSelf || b[i] >= utf8.RuneSelf {
				return Text(a) == Text(b)
			}
			same = small(a[i]) == small(b[i])
		}
		return same
	}
	return !ASCII(a) && !ASCII(b) && Text(a) == Text(b)
}

func small(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// ASCII reports whether a text is all ASCII, so that folding it keeps the length of every part of it.
func ASCII(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// StartsWord reports whether a text has word where one of its words starts. Both are folded.
func StartsWord(text, word string) bool {
	for from := 0; ; {
		at := strings.Index(text[from:], word)
		if at < 0 {
			return false
		}
		at += from
		before, size := utf8.DecodeLastRuneInString(text[:at])
		if size == 0 || !unicode.In(before, unicode.L, unicode.M, unicode.N) {
			return true
		}
		_, size = utf8.DecodeRuneInString(text[at:])
		if size == 0 {
			return false
		}
		from = at + size
	}
}

func letter(r rune) rune {
	small := unicode.ToLower(r)
	if r >= utf8.RuneSelf && small < utf8.RuneSelf {
		return r
	}
	return small
}
