package odata

import (
	"slices"
	"strings"

	"licensor/internal/fold"
)

// Limits of a filter, beyond which it is refused. Filters in practice are far below them.
const (
	maxLength = 16 << 10 // bytes
	maxTokens = 2000     // names, values, operators and signs
	maxDepth  = 32       // parentheses, negations and lambdas within each other
)

// ParseFilter reads the value of $filter. Errors are *SyntaxError.
func ParseFilter(text string) (*Filter, error) {
	if len(text) > maxLength {
		return nil, &SyntaxError{
			Option: "$filter", Text: text, Want: "a filter has at most 16384 bytes; ask in several requests",
		}
	}
	tokens, err := tokens(text)
	if err != nil {
		return nil, err
	}
	p := &parser{text: text, tokens: tokens}
	root, err := p.condition(p.or)
	if err != nil {
		return nil, err
	}
	if p.kind() != end {
		return nil, p.unexpected("'and', 'or' or the end")
	}
	return &Filter{Text: text, Root: root}, nil
}

// parser iterates over the tokens.
type parser struct {
	text   string
	tokens []token // never empty: the last one, of kind end, is not consumed
	depth  int
}

func (p *parser) kind() kind { return p.tokens[0].kind }

// take consumes the current token.
func (p *parser) take() token {
	t := p.tokens[0]
	if t.kind != end {
		p.tokens = p.tokens[1:]
	}
	return t
}

// expect consumes a token of a kind.
func (p *parser) expect(k kind, want string) error {
	if p.kind() != k {
		return p.unexpected(want)
	}
	p.take()
	return nil
}

func (p *parser) unexpected(want string) error { return p.refuse(p.tokens[0], want) }

func (p *parser) refuse(t token, want string) error {
	return &SyntaxError{Option: "$filter", Text: p.text, Token: t.text, Column: column(p.text, t.at), Want: want}
}

// isWord reports whether the current token is a keyword, in any letter case (P1).
func (p *parser) isWord(text string) bool {
	t := p.tokens[0]
	return t.kind == word && fold.Equal(t.text, text)
}

// condition parses a part that must be true or false.
func (p *parser) condition(part func() (Node, error)) (Node, error) {
	start := p.tokens[0]
	n, err := part()
	if err != nil {
		return nil, err
	}
	return n, p.mustBeCondition(start, n)
}

// mustBeCondition refuses operands that cannot be true or false. It accepts any property, because
// its type is unknown here.
func (p *parser) mustBeCondition(start token, n Node) error {
	switch n := n.(type) {
	case *Literal:
		if _, ok := n.Value.(bool); !ok {
			return p.refuse(start, "a condition")
		}
	case *Path:
		if n.Count {
			return p.unexpected("a comparison, such as 'eq',")
		}
	}
	return nil
}

// nested parses a part one level deeper.
func (p *parser) nested(part func() (Node, error)) (Node, error) {
	if p.depth == maxDepth {
		return nil, p.unexpected("less nesting (a filter has at most 32 levels)")
	}
	p.depth++
	defer func() { p.depth-- }()
	return part()
}

func (p *parser) or() (Node, error)  { return p.logic(OpOr, p.and) }
func (p *parser) and() (Node, error) { return p.logic(OpAnd, p.unary) }

// logic parses one or more conditions joined by an operator. A part in parentheses with the same
// operator is merged into the whole: the tree of "a or (b or c)" is that of "a or b or c".
func (p *parser) logic(op Operator, part func() (Node, error)) (Node, error) {
	start := p.tokens[0]
	first, err := part()
	if err != nil || !p.isWord(op.String()) {
		return first, err
	}
	if err := p.mustBeCondition(start, first); err != nil {
		return nil, err
	}
	args := flatten(op, nil, first)
	for p.isWord(op.String()) {
		p.take()
		arg, err := p.condition(part)
		if err != nil {
			return nil, err
		}
		args = flatten(op, args, arg)
	}
	return &Logic{at(start.at), op, args}, nil
}

func flatten(op Operator, args []Node, arg Node) []Node {
	if l, ok := arg.(*Logic); ok && l.Op == op {
		return append(args, l.Args...)
	}
	return append(args, arg)
}

func (p *parser) unary() (Node, error) {
	if !p.isWord("not") {
		return p.comparison()
	}
	start := p.take()
	arg, err := p.nested(func() (Node, error) { return p.condition(p.unary) })
	if err != nil {
		return nil, err
	}
	return &Not{at(start.at), arg}, nil
}

var comparisons = []Operator{OpEq, OpNe, OpLt, OpLe, OpGt, OpGe}

// comparison parses an operand and, after an operator, what it is compared with.
func (p *parser) comparison() (Node, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	if p.isWord("in") {
		return p.in(left)
	}
	i := slices.IndexFunc(comparisons, func(op Operator) bool { return p.isWord(op.String()) })
	if i < 0 {
		return left, nil
	}
	operator := p.take()
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	return &Compare{at(operator.at), comparisons[i], left, right}, nil
}

func (p *parser) in(left Node) (Node, error) {
	operator := p.take()
	if err := p.expect(open, "'('"); err != nil {
		return nil, err
	}
	node := &In{at: at(operator.at), Left: left}
	for {
		t := p.tokens[0]
		if err := p.expect(literal, "a value"); err != nil {
			return nil, err
		}
		node.Values = append(node.Values, &Literal{at(t.at), t.value})
		if p.kind() != comma {
			return node, p.expect(closed, "',' or ')'")
		}
		p.take()
	}
}

func (p *parser) operand() (Node, error) {
	switch {
	case p.kind() == open:
		return p.parentheses()
	case p.kind() == word && p.tokens[1].kind == open:
		return p.call()
	}
	return p.value()
}

func (p *parser) parentheses() (Node, error) {
	p.take()
	node, err := p.nested(p.or)
	if err != nil {
		return nil, err
	}
	return node, p.expect(closed, "'and', 'or' or ')'")
}

// value parses a property or a literal.
func (p *parser) value() (Node, error) {
	switch t := p.tokens[0]; t.kind {
	case literal:
		p.take()
		return &Literal{at(t.at), t.value}, nil
	case word:
		return p.path()
	}
	return nil, p.unexpected("a property, a value, a function or '('")
}

var functions = []string{"startswith", "endswith", "contains"}

// call parses a function, whose name may be in any letter case (P37), and its arguments.
func (p *parser) call() (Node, error) {
	name := p.take()
	node := &Call{at: at(name.at), Name: strings.ToLower(name.text)}
	if !slices.Contains(functions, node.Name) {
		return nil, p.refuse(name, "one of the functions startsWith, endsWith, contains")
	}
	p.take()
	var err error
	if node.Args[0], err = p.value(); err != nil {
		return nil, err
	}
	if err := p.expect(comma, "','"); err != nil {
		return nil, err
	}
	if node.Args[1], err = p.value(); err != nil {
		return nil, err
	}
	return node, p.expect(closed, "')'")
}

// path parses names separated by slashes, and any, all or $count at the end.
func (p *parser) path() (Node, error) {
	first := p.take()
	node := &Path{at: at(first.at), Names: []string{first.text}}
	for p.kind() == slash {
		p.take()
		name := p.take()
		switch {
		case name.kind == count:
			node.Count = true
			return node, nil
		case name.kind != word:
			return nil, p.refuse(name, "a property, any, all or $count")
		case p.kind() != open:
			node.Names = append(node.Names, name.text)
		case fold.Equal(name.text, "any"), fold.Equal(name.text, "all"):
			return p.lambda(node, fold.Equal(name.text, "all"))
		default:
			return nil, p.refuse(name, "any or all")
		}
	}
	return node, nil
}

// lambda parses the parentheses of any and all. Only those of any may be empty: an empty all has no
// meaning.
func (p *parser) lambda(path *Path, all bool) (Node, error) {
	node := &Lambda{at: path.at, Path: path, All: all}
	p.take()
	if p.kind() == closed && !all {
		p.take()
		return node, nil
	}
	variable := p.tokens[0]
	if err := p.expect(word, "the name of a variable, such as x in any(x:x eq 'a'),"); err != nil {
		return nil, err
	}
	if err := p.expect(colon, "':'"); err != nil {
		return nil, err
	}
	body, err := p.nested(func() (Node, error) { return p.condition(p.or) })
	if err != nil {
		return nil, err
	}
	node.Variable, node.Body = variable.text, body
	return node, p.expect(closed, "'and', 'or' or ')'")
}
