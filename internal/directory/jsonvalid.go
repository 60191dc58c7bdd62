package directory

// deepest is how deep arrays and objects may be nested, as in encoding/json.
const deepest = 10_000

// valid is json.Valid, which takes three times as long.
func valid(text []byte) bool {
	var few [16]byte
	open := few[:0] // the brackets
	at := afterSpace(text, 0)
	for at >= 0 && at < len(text) {
		switch text[at] {
		case '{', '[':
			if len(open) == deepest {
				return false
			}
			open = append(open, text[at])
			at = afterSpace(text, at+1)
			if at < len(text) && closes(open, text[at]) {
				break // it is empty
			}
			if open[len(open)-1] == '{' {
				at = afterName(text, at)
			}
			continue
		default:
			if at = afterScalar(text, at); at < 0 {
				return false
			}
		}
		at = afterSpace(text, at)
		for len(open) > 0 && at < len(text) && closes(open, text[at]) {
			open = open[:len(open)-1]
			at = afterSpace(text, at+1)
		}
		switch {
		case len(open) == 0:
			return at == len(text)
		case at == len(text) || text[at] != ',':
			return false
		}
		if at = afterSpace(text, at+1); open[len(open)-1] == '{' {
			at = afterName(text, at)
		}
	}
	return false
}

// closes reports whether a character is the counterpart of the last bracket, which it follows in
// ASCII after one other character.
func closes(open []byte, c byte) bool { return c == open[len(open)-1]+2 }

// The functions below return the position after what is at a position of a text, or -1 if that is
// not valid.

func afterSpace(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r') {
		at++
	}
	return at
}

// afterName is for the name of a member and the colon.
func afterName(text []byte, at int) int {
	if at == len(text) || text[at] != '"' {
		return -1
	}
	if at = afterText(text, at+1); at < 0 {
		return -1
	}
	if at = afterSpace(text, at); at == len(text) || text[at] != ':' {
		return -1
	}
	return afterSpace(text, at+1)
}

func afterScalar(text []byte, at int) int {
	switch text[at] {
	case '"':
		return afterText(text, at+1)
	case 't':
		return afterWord(text, at, "true")
	case 'f':
		return afterWord(text, at, "false")
	case 'n':
		return afterWord(text, at, "null")
	}
	return afterNumber(text, at)
}

func afterWord(text []byte, at int, word string) int {
	if end := at + len(word); end <= len(text) && string(text[at:end]) == word {
		return end
	}
	return -1
}

// afterText is for what follows the first quotation mark.
func afterText(text []byte, at int) int {
	for {
		for at < len(text) && plain[text[at]] {
			at++
		}
		switch {
		case at == len(text):
			return -1
		case text[at] == '"':
			return at + 1
		case text[at] != '\\':
			return -1
		}
		if at = afterEscape(text, at+1); at < 0 {
			return -1
		}
	}
}

// plain are the bytes that a text contains unescaped.
var plain = func() (plain [256]bool) {
	for c := range plain {
		plain[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return plain
}()

// afterEscape is for what follows the backslash.
func afterEscape(text []byte, at int) int {
	if at == len(text) {
		return -1
	}
	switch text[at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return at + 1
	case 'u':
	default:
		return -1
	}
	end := at + 5
	if end > len(text) {
		return -1
	}
	for _, c := range text[at+1 : end] {
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return -1
		}
	}
	return end
}

func afterNumber(text []byte, at int) int {
	if text[at] == '-' {
		at++
	}
	if at < len(text) && text[at] == '0' {
		at++
	} else if at = afterDigits(text, at); at < 0 {
		return -1
	}
	if at < len(text) && text[at] == '.' {
		if at = afterDigits(text, at+1); at < 0 {
			return -1
		}
	}
	if at < len(text) && text[at]|0x20 == 'e' {
		if at++; at < len(text) && (text[at] == '+' || text[at] == '-') {
			at++
		}
		return afterDigits(text, at)
	}
	return at
}

// afterDigits is for one digit or more.
func afterDigits(text []byte, at int) int {
	begin := at
	for at < len(text) && isDigit(text[at]) {
		at++
	}
	if at == begin {
		return -1
	}
	return at
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
