package catalog

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// windows1252 is what the bytes 0x80 to 0x9F mean in that code page; the five it leaves open stand
// for themselves.
const windows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"

var highRunes = []rune(windows1252)

// readable turns a cell into text: UTF-8, no invisible characters, single blanks. repair says what
// had to be done, and is empty for a good cell.
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

// fromWindows1252 keeps what is valid UTF-8: a file pasted together from two can have both.
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

// unmangled undoes the commonest accident, "â€“" for "–". Text whose characters, as bytes of
// Windows-1252, happen to make valid UTF-8 has had it; people do not write such text.
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

// tidied makes one blank of every run of white space (of any kind: tabs, line breaks, non-breaking
// spaces) and takes out what cannot be seen.
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

// parseGUID reads a GUID as people write it: in braces or quotes, without hyphens, with the dashes
// of a word processor. repaired says that it needed more than a change of case.
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
		return uuid.Nil, false, false // uuid.Parse takes any two characters for braces
	}
	id, err := uuid.Parse(bare)
	return id, !strings.EqualFold(text, id.String()), err == nil && id != uuid.Nil
}
