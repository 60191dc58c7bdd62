package catalog

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// windows1252 maps the bytes 0x80 to 0x9F of that code page; its five undefined bytes are kept.
const windows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"

var highRunes = []rune(windows1252)

// readable turns a cell into text: UTF-8, no invisible characters, single spaces. repair describes
// the repairs, and is empty for a valid cell.
func readable(raw string) (text, repair string) {
	text = raw
	if !utf8.ValidString(text) {
		text, repair = fromWindows1252(text), "not UTF-8, read as Windows-1252"
	} else if mended, ok := unmangled(text); ok {
		text, repair = mended, "UTF-8 that had been taken for Windows-1252, turned back"
	}
	if tidy := tidied(text); tidy != text {
		text = tidy
		if repair == "" {
			repair = "stray white space or invisible characters taken out"
		}
	}
	if repair == "" && strings.ContainsRune(text, utf8.RuneError) {
		repair = "a character was lost (\uFFFD) before this file was written"
	}
	return text, repair
}

// fromWindows1252 keeps valid UTF-8: a file pasted together from two files can contain both
// encodings.
func fromWindows1252(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			r = fromByte(text[i])
		}
		b.WriteRune(r)
		i += size
	}
	return b.String()
}

func fromByte(b byte) rune {
	if b >= 0x80 && b <= 0x9f {
		return highRunes[b-0x80]
	}
	return rune(b)
}

// unmangled repairs the most common damage, "â€“" for "–". Text whose characters, as bytes of
// Windows-1252, are valid UTF-8 has that damage; people do not write such text.
func unmangled(text string) (string, bool) {
	raw := make([]byte, 0, len(text))
	for _, r := range text {
		b, ok := toByte(r)
		if !ok {
			return "", false
		}
		raw = append(raw, b)
	}
	return string(raw), len(raw) < len(text) && utf8.Valid(raw)
}

func toByte(r rune) (byte, bool) {
	if r < 0x80 || (r >= 0xa0 && r <= 0xff) {
		return byte(r), true
	}
	for i, high := range highRunes {
		if r == high {
			return byte(0x80 + i), true
		}
	}
	return 0, false
}

// tidied replaces every run of white space (including tabs, line breaks and non-breaking spaces) by
// one space and removes invisible characters.
func tidied(text string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r): // Cf: zero-width spaces and joiners, byte order marks
			return -1
		}
		return r
	}, text)), " ")
}

// parseGUID parses a GUID in the forms that people write: in braces or quotes, without hyphens,
// with the dashes of a word processor. repaired reports whether more than the letter case was
// changed.
func parseGUID(text string) (id uuid.UUID, repaired, ok bool) {
	bare := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Pd, r):
			return '-'
		case unicode.IsSpace(r):
			return -1
		}
		return r
	}, text)
	bare = strings.TrimPrefix(strings.ToLower(strings.Trim(bare, `{}()"'.,;`)), "urn:uuid:")
	if len(bare) != 36 && len(bare) != 32 {
		return uuid.Nil, false, false // uuid.Parse accepts any two characters as braces
	}
	id, err := uuid.Parse(bare)
	return id, !strings.EqualFold(text, id.String()), err == nil && id != uuid.Nil
}
