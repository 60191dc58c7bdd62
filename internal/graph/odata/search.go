package odata

import (
	"strconv"
	"strings"
)

// Search is a node of a parsed $search: a term, or several joined by OpAnd or OpOr.
type Search struct {
	Op   Operator  // OpAnd or OpOr; 0 for a term
	Args []*Search // of OpAnd and OpOr
	// Property and Text are those of a term "property:text". Column is its position, in characters,
	// the first is 1.
	Property, Text string
	Column         int
}

// String formats the search in its canonical form.
func (s *Search) String() string {
	if s.Op == 0 {
		return strconv.Quote(s.Property + ":" + s.Text)
	}
	args := make([]string, len(s.Args))
	for i, arg := range s.Args {
		args[i] = arg.String()
	}
	return "(" + strings.Join(args, " "+strings.ToUpper(s.Op.String())+" ") + ")"
}

// ParseSearch reads the value of $search: terms in double quotes, joined by AND and OR in capitals
// and by parentheses; AND has higher precedence, and also joins adjacent terms. Within the quotes
// \" and \\ are escapes.
func ParseSearch(text string) (*Search, error) {
	s := &searcher{text: text}
	if len(text) > maxLength {
		return nil, &SyntaxError{
			Option: "$search", Text: text, Want: "a search has at most 16384 bytes; ask in several requests",
		}
	}
	node, err := s.or()
	if err != nil {
		return nil, err
	}
	if s.skip(); s.pos < len(text) {
		return nil, s.unexpected("AND, OR or the end")
	}
	return node, nil
}

// maxTerms limits the terms of a search.
const maxTerms = 50

type searcher struct {
	text  string
	pos   int
	depth int
	terms int
}

// unexpected refuses the character at the current position.
func (s *searcher) unexpected(want string) error { return s.refuse(s.pos, want) }

func (s *searcher) refuse(at int, want string) error {
	found := ""
	for _, r := range s.text[at:] {
		found = string(r)
		break
	}
	return &SyntaxError{Option: "$search", Text: s.text, Token: found, Column: column(s.text, at), Want: want}
}

func (s *searcher) skip() {
	for s.pos < len(s.text) && (s.text[s.pos] == ' ' || s.text[s.pos] == '\t') {
		s.pos++
	}
}

// takes consumes a word that is followed by a space, a quotation mark or a parenthesis.
func (s *searcher) takes(word string) bool {
	s.skip()
	rest, ok := strings.CutPrefix(s.text[s.pos:], word)
	if !ok || rest != "" && !strings.ContainsRune(" \t\"()", rune(rest[0])) {
		return false
	}
	s.pos += len(word)
	return true
}

func (s *searcher) or() (*Search, error) {
	return s.several(OpOr, s.and, func() bool { return s.takes("OR") })
}

func (s *searcher) and() (*Search, error) {
	return s.several(OpAnd, s.operand, func() bool {
		return s.takes("AND") || s.pos < len(s.text) && (s.text[s.pos] == '"' || s.text[s.pos] == '(')
	})
}

// several parses parts as long as there are more.
func (s *searcher) several(op Operator, part func() (*Search, error), more func() bool) (*Search, error) {
	first, err := part()
	if err != nil {
		return nil, err
	}
	node := &Search{Op: op, Args: []*Search{first}, Column: first.Column}
	for more() {
		arg, err := part()
		if err != nil {
			return nil, err
		}
		node.Args = append(node.Args, arg)
	}
	if len(node.Args) == 1 {
		return first, nil
	}
	return node, nil
}

func (s *searcher) operand() (*Search, error) {
	s.skip()
	switch {
	case s.pos < len(s.text) && s.text[s.pos] == '(':
		return s.parentheses()
	case s.pos < len(s.text) && s.text[s.pos] == '"':
		return s.term()
	}
	return nil, s.unexpected(`a term in double quotes, such as "displayName:ann",`)
}

func (s *searcher) parentheses() (*Search, error) {
	if s.depth == maxDepth {
		return nil, s.unexpected("less nesting (a search has at most 32 levels)")
	}
	s.depth++
	s.pos++
	node, err := s.or()
	if err != nil {
		return nil, err
	}
	s.depth--
	if s.skip(); s.pos == len(s.text) || s.text[s.pos] != ')' {
		return nil, s.unexpected("AND, OR or ')'")
	}
	s.pos++
	return node, nil
}

// term parses "property:text".
func (s *searcher) term() (*Search, error) {
	start := s.pos
	inner, err := s.quoted()
	if err != nil {
		return nil, err
	}
	property, text, ok := strings.Cut(inner, ":")
	property = strings.TrimSpace(property)
	switch {
	case !ok || !isPath(property) || property == "*":
		return nil, s.refuse(start, `a term with a property, such as "displayName:ann",`)
	case strings.TrimSpace(text) == "":
		return nil, s.refuse(start, `a term with something to search for, such as "displayName:ann",`)
	}
	if s.terms++; s.terms > maxTerms {
		return nil, s.refuse(start, "the end (a search has at most 50 terms; ask in several requests)")
	}
	return &Search{Property: property, Text: text, Column: column(s.text, start)}, nil
}

// quoted parses a text between quotation marks.
func (s *searcher) quoted() (string, error) {
	var b strings.Builder
	start := s.pos
	for i := start + 1; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			s.pos = i + 1
			return b.String(), nil
		case c == '\\' && i+1 < len(s.text) && (s.text[i+1] == '"' || s.text[i+1] == '\\'):
			i++
			b.WriteByte(s.text[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", s.refuse(start, `a closing quotation mark (")`)
}
