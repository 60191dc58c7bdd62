// Package excerpt shortens what messages repeat of what somebody has sent.
package excerpt

import "unicode/utf8"

// Of returns the first bytes of a text, at most so many and no half of a character, with "…" behind
// them when there are more.
func Of(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}
