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

func foldLetter(r rune) rune {
	small := unicode.ToLower(r)
	if r >= utf8.RuneSelf && small < utf8.RuneSelf {
		return r
	}
	return small
}
