// Package fold says when two texts are the same to a directory, which does not distinguish letter
// case.
//
//	fold.Text("Zoë ÖZ") == fold.Text("ZOË öz")
//
// Columns, conditions and the store's names all use this one form, so that they agree.
package fold

import (
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns the folded form of a text: two texts are the same to a filter when their folded
// forms are. Letters become small letters one by one, whatever the language, and bytes that are not
// UTF-8 become U+FFFD. Letters outside ASCII stay outside: the Kelvin sign is not a "k". So a text
// in ASCII is only equal to texts in ASCII. A text that is folded already is returned as it is,
// without allocation.
func Text(text string) string {
	ascii, capitals := scan(text)
	switch {
	case !ascii:
		return strings.Map(letter, text)
	case !capitals:
		return text
	}
	var folded strings.Builder
	folded.Grow(len(text))
	var eight [8]byte
	for ; len(text) >= 8; text = text[8:] {
		w := word(text)
		binary.LittleEndian.PutUint64(eight[:], w|capital(w)>>2)
		folded.Write(eight[:])
	}
	for i := range len(text) {
		folded.WriteByte(small(text[i]))
	}
	return folded.String()
}

// every is a byte in each place of a word.
const every = 0x0101010101010101

// word is the first eight bytes of a text.
func word(t string) uint64 {
	_ = t[7]
	return uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
		uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
}

// capital has the highest bit of each byte of a word that is a capital; all bytes are ASCII.
func capital(w uint64) uint64 {
	return (w + (0x80-'A')*every) &^ (w + (0x80-'Z'-1)*every) & (0x80 * every)
}

// Apart takes a text of ASCII apart into its folded form and what tells how it was written: a bit
// for each byte that was a capital, nil when none was. It returns false for other texts.
func Apart(written []byte) (folded string, capitals []uint64, ok bool) {
	var small strings.Builder
	small.Grow(len(written))
	var chunk [64]byte
	for at := 0; at < len(written); at += len(chunk) {
		n := copy(chunk[:], written[at:])
		clear(chunk[n:])
		high, bits := uint64(0), uint64(0)
		for i := 0; i < len(chunk); i += 8 {
			w := binary.LittleEndian.Uint64(chunk[i:])
			c := capital(w)
			high |= w
			bits |= c >> 7 * gather >> 56 << i
			binary.LittleEndian.PutUint64(chunk[i:], w|c>>2)
		}
		if high&(0x80*every) != 0 {
			return "", nil, false
		}
		small.Write(chunk[:n])
		if bits != 0 {
			if capitals == nil {
				capitals = make([]uint64, (len(written)+63)/64)
			}
			capitals[at/64] = bits
		}
	}
	return small.String(), capitals, true
}

// gather, by which a word of ones and zeros is multiplied, puts its bytes side by side as the bits
// of the highest byte.
const gather = 0x0102040810204080

// scan says whether a text is all ASCII, and then whether it has capitals.
func scan(text string) (ascii, capitals bool) {
	high, upper := uint64(0), uint64(0)
	for ; len(text) >= 8; text = text[8:] {
		w := word(text)
		high |= w
		upper |= capital(w)
	}
	for i := range len(text) {
		high |= uint64(text[i])
		if text[i] >= 'A' && text[i] <= 'Z' {
			upper = 1
		}
	}
	return high&(0x80*every) == 0, upper != 0
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
	aIs, _ := scan(a)
	bIs, _ := scan(b)
	return !aIs && !bIs && Text(a) == Text(b)
}

func small(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
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
