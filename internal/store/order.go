package store

import (
	"cmp"
	"strings"
	"unicode/utf8"
)

// Compare compares two rows by their keys and ordinals.
func (o *Order) Compare(a, b Object) int {
	order := cmp.Or(strings.Compare(a.Key, b.Key), cmp.Compare(a.Ordinal, b.Ordinal))
	if o.Descending {
		return -order
	}
	return order
}

// Behind returns the first text that sorts after all texts with a prefix; "" if there is none.
func Behind(prefix string) string {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch {
		case last == 0xD7FF: // skip the surrogates, which are not characters
			return prefix + "\uE000"
		case last < utf8.MaxRune:
			return prefix + string(last+1)
		}
	}
	return ""
}
