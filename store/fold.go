package store

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fold answers text such that two texts are the same to a Filter when their folded forms are: letters become small letters
// one by one, whatever the language, and bytes that are no UTF-8 become U+FFFD. Letters outside ASCII stay outside: the
// Kelvin sign is no "k". So a text in ASCII is only equal to texts in ASCII, and a database whose lower() knows no other
// letters can answer for it.
func Fold(text string) string {
	return strings.Map(foldLetter, text)
}

// StartsWord says whether a text has word where one of its words starts. Both are folded.
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

func foldLetter(r rune) rune {
	small := unicode.ToLower(r)
	if r >= utf8.RuneSelf && small < utf8.RuneSelf {
		return r
	}
	return small
}
