package membership

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"licensor/internal/fold"
)

// kind is the kind of a token.
type kind uint8

const (
	end       kind = iota
	word           // user, department, null, $null, _, eq
	operation      // -eq: a word after a hyphen; value has it without
	quoted         // value has the text
	number         // anything that starts with a digit: 500, 2026-06-10T18:13:20Z
	open
	closed
	openList
	closedList
	comma
	dot
)

// token is a piece of a rule.
type token struct {
	kind  kind
	at    int    // byte offset in the text
	text  string // as written
	value string
}

func (t *token) end() int { return t.at + len(t.text) }

// lexer splits a rule into tokens.
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
		if all = append(all, t); t.kind == end {
			return all, nil
		}
	}
}

var punctuation = map[rune]kind{'(': open, ')': closed, '[': openList, ']': closedList, ',': comma, '.': dot}

// next returns the next token. White space separates tokens and has no other meaning (D39).
func (l *lexer) next() (token, error) {
	l.pos += len(l.text[l.pos:]) - len(strings.TrimLeftFunc(l.text[l.pos:], unicode.IsSpace))
	c, size := utf8.DecodeRuneInString(l.text[l.pos:])
	if size == 0 {
		return token{kind: end, at: l.pos}, nil
	}
	if k, ok := punctuation[c]; ok {
		return l.take(k, size), nil
	}
	switch {
	case c == '"', c == '\'':
		return l.quoted(c)
	case c == '`' && strings.HasPrefix(l.text[l.pos:], "`\""):
		return l.inBackticks()
	case isDigit(c):
		return l.take(number, l.run(0, isNumberPart)), nil
	case isDash(c):
		return l.afterDash(size)
	case c == '$', isWordPart(c):
		return l.take(word, l.run(size, isWordPart)), nil
	}
	return token{}, l.fail(l.pos, "Unexpected '%c'", c)
}

func (l *lexer) fail(at int, format string, args ...any) error {
	return refusal(KindSyntax, l.text, at, format, args...)
}

// take returns the next n bytes as a token.
func (l *lexer) take(k kind, n int) token {
	t := token{kind: k, at: l.pos, text: l.text[l.pos : l.pos+n]}
	l.pos += n
	return t
}

// run returns the length of the characters after the first n bytes that satisfy a condition, and of
// those bytes.
func (l *lexer) run(n int, is func(rune) bool) int {
	rest := l.text[l.pos+n:]
	return n + len(rest) - len(strings.TrimLeftFunc(rest, is))
}

// afterDash reads an operator or a negative number. Dashes of typographers are hyphens (D32).
func (l *lexer) afterDash(dash int) (token, error) {
	next, _ := utf8.DecodeRuneInString(l.text[l.pos+dash:])
	switch {
	case isDigit(next):
		return l.take(number, l.run(dash, isNumberPart)), nil
	case unicode.IsLetter(next):
		t := l.take(operation, l.run(dash, isWordPart))
		t.value = t.text[dash:]
		return t, nil
	}
	return token{}, l.fail(l.pos, "An operator, such as -eq, must follow the hyphen")
}

// quoted reads a text in quotation marks (D35). In double ones, a backtick escapes a double quote
// and a backtick, and a backslash only a double quote: patterns need all others. A single quote in
// single quotes is doubled.
func (l *lexer) quoted(mark rune) (token, error) {
	var b strings.Builder
	rest := l.text[l.pos+1:]
	for i := 0; i < len(rest); i++ {
		pair := rest[i:min(i+2, len(rest))]
		switch {
		case mark == '"' && (pair == "`\"" || pair == "``" || pair == `\"`), mark == '\'' && pair == "''":
			i++
		case rest[i] == byte(mark):
			t := l.take(quoted, i+2)
			t.value = b.String()
			return t, nil
		}
		b.WriteByte(rest[i])
	}
	return token{}, l.fail(l.pos, "The closing quotation mark (%c) is missing for the text", mark)
}

// inBackticks reads `"text`", a text that includes its quotation marks (D35).
func (l *lexer) inBackticks() (token, error) {
	const mark = "`\""
	length := strings.Index(l.text[l.pos+len(mark):], mark)
	if length < 0 {
		return token{}, l.fail(l.pos, "The closing quotation mark (`\") is missing for the text")
	}
	t := l.take(quoted, len(mark)+length+len(mark))
	t.value = `"` + t.text[len(mark):len(mark)+length] + `"`
	return t, nil
}

func isDigit(c rune) bool    { return c >= '0' && c <= '9' }
func isDash(c rune) bool     { return c == '-' || c == '–' || c == '—' }
func isWordPart(c rune) bool { return c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c) }
func isNumberPart(c rune) bool {
	return c < utf8.RuneSelf && (isWordPart(c) || strings.ContainsRune(":+-.", c))
}

// is reports whether a token is a keyword, in any letter case.
func (t *token) is(keyword string) bool { return t.kind == word && fold.Equal(t.text, keyword) }

// joins reports whether a token is a connector or an operator, which needs no hyphen (D32).
func (t *token) joins(name string) bool {
	return t.is(name) || t.kind == operation && fold.Equal(t.value, name)
}
