// Package fold compares texts as a directory does, which does not distinguish letter case.
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

// Text returns the folded form of a text: two texts are equal to a filter if their folded forms
// are. Each letter becomes a lower-case letter, whatever the language, and bytes that are not UTF-8
// become U+FFFD. Letters outside ASCII stay outside: the Kelvin sign is not a "k". So an ASCII text
// equals only ASCII texts. A text that is folded already is returned without allocation.
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

// every has the same byte in each place of a word.
const every = 0x0101010101010101

// word returns the first eight bytes of a text.
func word(t string) uint64 {
	_ = t[7]
	return uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
		uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
}

// capital has the highest bit of each byte of a word that is a capital letter; all bytes must be
// ASCII.
func capital(w uint64) uint64 {
	return (w + (0x80-'A')*every) &^ (w + (0x80-'Z'-1)*every) & (0x80 * every)
}

// Apart splits an ASCII text into its folded form and a bit for each byte that was a capital
// letter; the bits are nil if there was none. It returns false for other texts.
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

// gather is a factor: a word of ones and zeros that is multiplied by it has its bytes as the bits
// of the highest byte.
const gather = 0x0102040810204080

// scan reports whether a text is all ASCII, and if so, whether it has capital letters.
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

// StartsWord reports whether one of the words of a text starts with word. Both must be folded.
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
