// Package excerpt shortens the input that messages repeat.
package excerpt

import "unicode/utf8"

// Of returns at most the given number of bytes from the beginning of a text, without splitting a
// character, followed by "…" if the text is longer.
func Of(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}
