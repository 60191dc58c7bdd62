package odata

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/fold"
	"licensor/internal/guid"
)

// kind is the kind of a token.
type kind uint8

const (
	end kind = iota
	word
	literal // value has it
	open
	closed
	comma
	slash
	colon
	count // $count
)

// token is a piece of a filter.
type token struct {
	kind  kind
	at    int    // byte offset in the text
	text  string // as written
	value any    // of a literal
}

// lexer splits a filter into tokens.
type lexer struct {
	text string
	pos  int
}

// tokens splits the whole text; the last token is of kind end.
func tokens(text string) ([]token, error) {
	l := &lexer{text: text}
	all := make([]token, 0, 16)
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		if len(all) == maxTokens {
			return nil, l.fail(t.at, t.text, "the end (a filter has at most 2000 words; ask in several requests)")
		}
		if all = append(all, t); t.kind == end {
			return all, nil
		}
	}
}

func (l *lexer) fail(at int, found, want string) error {
	return &SyntaxError{Option: "$filter", Text: l.text, Token: found, Column: column(l.text, at), Want: want}
}

var punctuation = map[byte]kind{'(': open, ')': closed, ',': comma, '/': slash, ':': colon}

func (l *lexer) next() (token, error) {
	for l.pos < len(l.text) && (l.text[l.pos] == ' ' || l.text[l.pos] == '\t') {
		l.pos++
	}
	if l.pos == len(l.text) {
		return token{kind: end, at: l.pos}, nil
	}
	c := l.text[l.pos]
	if k, ok := punctuation[c]; ok {
		return l.take(k, 1, nil), nil
	}
	switch {
	case c == '\'':
		return l.quoted(l.pos, "")
	case c == '$' && l.pos+len("$count") <= len(l.text) && fold.Equal(l.text[l.pos:l.pos+len("$count")], "$count"):
		return l.take(count, len("$count"), nil), nil
	case isHex(c) && l.guidLength() > 0:
		return l.guid(), nil
	case isDigit(c) || c == '-':
		return l.number()
	case isLetter(c):
		return l.word()
	}
	return token{}, l.fail(l.pos, l.character(), "a property, a value or an operator")
}

// take returns the next n bytes as a token.
func (l *lexer) take(k kind, n int, value any) token {
	t := token{kind: k, at: l.pos, text: l.text[l.pos : l.pos+n], value: value}
	l.pos += n
	return t
}

// character returns the character at the current position, which may have several bytes.
func (l *lexer) character() string {
	for _, r := range l.text[l.pos:] {
		return string(r)
	}
	return ""
}

// quoted reads a text in quotation marks, in which doubled ones represent one (P37); an enum is
// preceded by the name of its type.
func (l *lexer) quoted(start int, enum string) (token, error) {
	var b strings.Builder
	for i := l.pos + 1; i < len(l.text); i++ {
		if l.text[i] != '\'' {
			b.WriteByte(l.text[i])
			continue
		}
		if i+1 < len(l.text) && l.text[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		t := token{kind: literal, at: start, text: l.text[start : i+1], value: b.String()}
		if enum != "" {
			t.value = Enum{enum, b.String()}
		}
		l.pos = i + 1
		return t, nil
	}
	return token{}, l.fail(start, l.text[start:], "a closing quotation mark (')")
}

// word reads a name, keyword or the value of an enum.
func (l *lexer) word() (token, error) {
	n := l.run(func(c byte) bool { return isLetter(c) || isDigit(c) || c == '.' })
	text := l.text[l.pos : l.pos+n]
	if strings.Contains(text, ".") && l.pos+n < len(l.text) && l.text[l.pos+n] == '\'' {
		start := l.pos
		l.pos += n
		return l.quoted(start, text)
	}
	t := l.take(word, n, nil)
	switch {
	case fold.Equal(text, "null"):
		t.kind = literal
	case fold.Equal(text, "true"), fold.Equal(text, "false"):
		t.kind, t.value = literal, fold.Equal(text, "true")
	}
	return t, nil
}

// guidLength returns 36 if a bare GUID starts here, otherwise 0.
func (l *lexer) guidLength() int {
	const length = 36
	rest := l.text[l.pos:]
	if len(rest) < length || rest[8] != '-' || (len(rest) > length && isWordPart(rest[length])) {
		return 0
	}
	if _, ok := guid.Parse(rest[:length]); !ok {
		return 0
	}
	return length
}

func (l *lexer) guid() token {
	id := uuid.MustParse(l.text[l.pos : l.pos+36])
	return l.take(literal, 36, id)
}

// number reads a whole number, a decimal, a day or a time.
func (l *lexer) number() (token, error) {
	n := l.run(func(c byte) bool { return isWordPart(c) || c == ':' || c == '+' || c == '.' })
	text := l.text[l.pos : l.pos+n]
	if value, ok := parseNumber(text); ok {
		return l.take(literal, n, value), nil
	}
	return token{}, l.fail(l.pos, text, "a number, a date (2026-01-31), a time (2026-01-31T12:00:00Z) or a GUID")
}

func parseNumber(text string) (any, bool) {
	if v, err := strconv.ParseInt(text, 10, 64); err == nil && text != "-" {
		return v, true
	}
	if len(text) >= len("2026-01-31") && text[4] == '-' {
		if _, err := time.Parse(time.DateOnly, text); err == nil {
			return Date(text), true
		}
		t, err := time.Parse(time.RFC3339, strings.ToUpper(text))
		return t.UTC(), err == nil
	}
	if strings.Trim(text, "-0123456789.") != "" {
		return nil, false
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}

// run returns how many bytes from here on satisfy a condition.
func (l *lexer) run(is func(byte) bool) int {
	n := 0
	for l.pos+n < len(l.text) && is(l.text[l.pos+n]) {
		n++
	}
	return n
}

func isDigit(c byte) bool    { return c >= '0' && c <= '9' }
func isHex(c byte) bool      { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
func isLetter(c byte) bool   { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func isWordPart(c byte) bool { return isLetter(c) || isDigit(c) || c == '-' }
