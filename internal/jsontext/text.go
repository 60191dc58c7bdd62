package jsontext

import "unicode/utf8"

const hex = "0123456789abcdef"

// plain are the bytes that a JSON text contains unescaped in any context.
var plain = func() (plain [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

// AppendText appends a text. A byte that is not valid UTF-8 becomes U+FFFD. Only characters that
// must be are escaped, so equal texts are equal bytes.
func AppendText(b []byte, text string) []byte {
	b = append(b, '"')
	for text != "" {
		n := 0
		for n < len(text) && plain[text[n]] {
			n++
		}
		b, text = append(b, text[:n]...), text[n:]
		if text != "" {
			b, n = appendCharacter(b, text)
			text = text[n:]
		}
	}
	return append(b, '"')
}

// appendCharacter appends the first character of a text, which is not plain, and returns its length
// in the text.
func appendCharacter(b []byte, text string) ([]byte, int) {
	switch c := text[0]; {
	case c >= utf8.RuneSelf:
		r, size := utf8.DecodeRuneInString(text)
		return utf8.AppendRune(b, r), size // U+FFFD where it is not UTF-8
	case c == '\n':
		return append(b, '\\', 'n'), 1
	case c == '\r':
		return append(b, '\\', 'r'), 1
	case c == '\t':
		return append(b, '\\', 't'), 1
	case c < ' ':
		return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15]), 1
	default:
		return append(b, '\\', c), 1
	}
}

// AppendTextOrNull appends the empty text as null.
func AppendTextOrNull(b []byte, text string) []byte {
	if text == "" {
		return append(b, "null"...)
	}
	return AppendText(b, text)
}
