package graph

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// The writers of JSON append to a slice that comes from a pool: no reflection, no copy (P23 says
// what values look like).

// plainBytes are those that stand in a JSON text as they are.
var plainBytes = func() (plain [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

func appendText(b []byte, text string) []byte {
	b = append(b, '"')
	for text != "" {
		n := 0
		for n < len(text) && plainBytes[text[n]] {
			n++
		}
		b, text = append(b, text[:n]...), text[n:]
		if text != "" {
			b, n = appendEscaped(b, text)
			text = text[n:]
		}
	}
	return append(b, '"')
}

// appendEscaped writes the first character of a text, which may need escaping, and returns its
// length in the text.
func appendEscaped(b []byte, text string) ([]byte, int) {
	const hex = "0123456789abcdef"
	c := text[0]
	if c >= utf8.RuneSelf {
		r, size := utf8.DecodeRuneInString(text)
		return utf8.AppendRune(b, r), size // U+FFFD where it is no UTF-8
	}
	if c < ' ' {
		return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15]), 1
	}
	return append(b, '\\', c), 1
}

// appendTextOrNull writes the empty text as null.
func appendTextOrNull(b []byte, text string) []byte {
	if text == "" {
		return append(b, "null"...)
	}
	return appendText(b, text)
}

// appendID writes a GUID in lower case.
func appendID(b []byte, id uuid.UUID) []byte {
	return append(appendBareID(append(b, '"'), id), '"')
}

func appendBareID(b []byte, id uuid.UUID) []byte {
	const hex = "0123456789abcdef"
	for i, c := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, hex[c>>4], hex[c&15])
	}
	return b
}

// appendTime writes a time in UTC with whole seconds, the zero time as null.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	if year < 0 || year > 9999 {
		return append(b, "null"...) // JSON has no way to say it that clients read
	}
	b = append(b, '"', byte('0'+year/1000), byte('0'+year/100%10))
	b = appendTwo(appendTwo(appendTwo(b, year%100, '-'), int(month), '-'), day, 'T')
	return append(appendTwo(appendTwo(appendTwo(b, hour, ':'), minute, ':'), second, 'Z'), '"')
}

// appendTwo writes a number of two digits and what follows it. Times are most of what a user with
// many plans is made of, and AppendFormat takes four times as long.
func appendTwo(b []byte, n int, then byte) []byte {
	return append(b, byte('0'+n/10), byte('0'+n%10), then)
}

func appendBool(b []byte, is bool) []byte { return strconv.AppendBool(b, is) }

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

// appendList writes a list of what write appends for each element.
func appendList[T any](b []byte, list []T, write func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, element := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = write(b, element)
	}
	return append(b, ']')
}

// appendName begins a member: a comma when it is not the first, then the name and a colon. Names
// are ours, so nothing in them wants escaping.
func appendName(b []byte, name string) []byte {
	if last := b[len(b)-1]; last != '{' {
		b = append(b, ',')
	}
	b = append(append(b, '"'), name...)
	return append(b, '"', ':')
}
