package membership

import (
	"slices"
	"unicode/utf8"

	"github.com/google/uuid"

	"licensor/internal/fold"
	"licensor/internal/guid"
)

// Limits of a rule, beyond which it is refused (D39, D62, D77, D78).
const (
	maxLength  = 3072 // characters, which is room for 341 comparisons
	maxDepth   = 50   // parentheses within each other
	maxSources = 50   // groups of a memberOf rule
	maxPattern = 1000 // characters
)

// Parse parses a rule and checks it. Errors are *RefusalError.
func Parse(text string) (*Rule, error) {
	if n := utf8.RuneCountInString(text); n > maxLength {
		at := 0
		for range maxLength {
			_, size := utf8.DecodeRuneInString(text[at:])
			at += size
		}
		return nil, refusal(KindTooLong, text, at, "It has %d characters and may have %d", n, maxLength)
	}
	tokens, err := tokens(text)
	if err != nil {
		return nil, err
	}
	p := &parser{text: text, tokens: tokens}
	root, err := p.rule()
	if err != nil {
		return nil, err
	}
	if p.unserved != nil {
		return nil, p.unserved
	}
	return newRule(text, root), nil
}

// parser iterates over the tokens.
type parser struct {
	text     string
	tokens   []token // never empty: the last one, of kind end, is not consumed
	before   int     // the end of the last token that was consumed
	depth    int
	scope    string        // of the first property: user or device
	sources  *memberOf     // that was found
	unserved *RefusalError // of something valid that is not served
}

func (p *parser) kind() kind { return p.tokens[0].kind }

// take consumes the current token.
func (p *parser) take() token {
	t := p.tokens[0]
	if t.kind != end {
		p.tokens = p.tokens[1:]
		p.before = t.end()
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

func (p *parser) unexpected(want string) error {
	t := p.tokens[0]
	if t.kind == end {
		return p.refuse(KindSyntax, t, "The rule ends where %s is expected", want)
	}
	return p.refuse(KindSyntax, t, "Found '%s' where %s is expected", clip(t.text), want)
}

func (p *parser) refuse(k Kind, t token, format string, args ...any) error {
	return refusal(k, p.text, t.at, format, args...)
}

// rule parses a whole rule: one of those that stand alone, or an expression (D30).
func (p *parser) rule() (node, error) {
	if p.isReports() {
		return p.reports()
	}
	root, err := p.or(p.comparison)
	if err != nil {
		return nil, err
	}
	if p.kind() != end {
		if p.sources != nil || p.isReports() {
			return nil, p.notAlone(p.tokens[0])
		}
		return nil, p.unexpected("-and, -or or the end")
	}
	if p.sources != nil && root != node(p.sources) {
		return nil, refusal(KindNotAlone, p.text, p.sources.from, "%s", standsAlone)
	}
	return root, nil
}

const standsAlone = "'Direct Reports for' and 'memberOf' cannot be combined with other conditions"

func (p *parser) notAlone(t token) error { return p.refuse(KindNotAlone, t, "%s", standsAlone) }

func (p *parser) isReports() bool {
	return p.tokens[0].is("Direct") && p.tokens[1].is("Reports")
}

// reports parses Direct Reports for "{id}" (D54).
func (p *parser) reports() (node, error) {
	start := p.take()
	p.take()
	if !p.tokens[0].is("for") {
		return nil, p.refuse(KindNotAlone, p.tokens[0], "'Direct Reports' must be followed by 'for'")
	}
	p.take()
	t := p.tokens[0]
	id, ok := guid.Parse(t.value)
	if t.kind != quoted || !ok {
		return nil, p.refuse(KindNotAlone, t,
			"'Direct Reports for' must be followed by the id of a user in quotation marks")
	}
	p.take()
	if p.kind() != end {
		return nil, p.notAlone(p.tokens[0])
	}
	return &reports{span{start.at, p.before}, id}, nil
}

// part parses a part of a rule.
type part func() (node, error)

// or parses conditions joined by -or, and those joined by -and within them (D31, D33). A leaf is
// what they join: a comparison of the user, or of an element.
func (p *parser) or(leaf part) (node, error) {
	return p.joined("or", func() (node, error) {
		return p.joined("and", func() (node, error) { return p.not(leaf) })
	})
}

func (p *parser) joined(connector string, part part) (node, error) {
	start := p.tokens[0].at
	first, err := part()
	if err != nil || !p.tokens[0].joins(connector) {
		return first, err
	}
	all := &logic{or: connector == "or", args: []node{first}}
	for p.tokens[0].joins(connector) {
		p.take()
		arg, err := part()
		if err != nil {
			return nil, err
		}
		all.args = append(all.args, arg)
	}
	all.span = span{start, p.before}
	return all, nil
}

// not parses a condition with any number of -not before it.
func (p *parser) not(leaf part) (node, error) {
	var starts []int
	for p.tokens[0].joins("not") {
		starts = append(starts, p.take().at)
	}
	n, err := p.primary(leaf)
	if err != nil {
		return nil, err
	}
	for _, start := range slices.Backward(starts) {
		n = &negation{span{start, p.before}, n}
	}
	return n, nil
}

func (p *parser) primary(leaf part) (node, error) {
	if p.kind() == open {
		return p.parentheses(leaf)
	}
	return leaf()
}

func (p *parser) parentheses(leaf part) (node, error) {
	if p.depth == maxDepth {
		return nil, p.refuse(KindSyntax, p.tokens[0],
			"A rule has at most %d levels of parentheses; there are more", maxDepth)
	}
	p.take()
	p.depth++
	defer func() { p.depth-- }()
	n, err := p.or(leaf)
	if err != nil {
		return nil, err
	}
	if p.sources != nil && p.kind() != closed && p.kind() != end {
		return nil, p.notAlone(p.tokens[0])
	}
	return n, p.expect(closed, "-and, -or or ')'")
}

// comparison parses a comparison of a property of the user, or a condition on its elements.
func (p *parser) comparison() (node, error) {
	start := p.tokens[0]
	name, property, err := p.property()
	if err != nil {
		return nil, err
	}
	t := p.tokens[0]
	if t.joins("not") {
		return nil, p.refuse(KindWrongOperands, t, "-not. It negates a condition and cannot compare '%s'", name)
	}
	o, ok := operatorOf(&t)
	switch {
	case !ok:
		return nil, p.unexpected("an operator, such as -eq,")
	case property.Type == TypeGroups && o.name == "any":
		p.take()
		return p.memberOf(start)
	case o.class == quantifying && property.Type != TypeGroups && !slices.Contains(classes[property.Type], quantifying):
		return nil, p.refuse(KindWrongOperands, t, "-%s. The property '%s' is not a collection", o.name, name)
	case !slices.Contains(classes[property.Type], o.class):
		return nil, p.refuse(KindWrongOperator, t, "The property '%s' supports only %s", name, supported(property.Type))
	case o.class == quantifying:
		p.take()
		return p.quantified(start, property, o)
	}
	return p.compared(start, &compare{name: name, property: property, field: -1}, property.Type, o)
}

// property parses user.name or device.name. It returns the name as written, too (D34).
func (p *parser) property() (string, *Property, error) {
	object := p.tokens[0]
	isUser, isDevice := object.is("user"), object.is("device")
	switch {
	case p.isReports():
		return "", nil, p.notAlone(object)
	case object.kind != word || object.is("and") || object.is("or"):
		return "", nil, p.unexpected("a property, such as user.department,")
	case !isUser && !isDevice || p.tokens[1].kind != dot:
		return "", nil, p.refuse(KindNoObject, object,
			" is given for the property '%s'. Write user.%[1]s instead of the name alone", clip(object.text))
	case p.scope != "" && !fold.Equal(p.scope, object.text):
		return "", nil, p.refuse(KindMixed, object, "A rule is about users or about devices, and this one has both")
	}
	p.scope = object.text
	p.take()
	p.take()
	name := p.tokens[0]
	if err := p.expect(word, "the name of a property"); err != nil {
		return "", nil, err
	}
	if isDevice {
		return p.deviceProperty(object, name)
	}
	if extension.MatchString(name.text) {
		p.notServed(object, "Directory extensions in rules are not served. The rule mentions '%s'", name.text)
		return name.text, &Property{Name: name.text, Type: TypeUnknown, Column: -1}, nil
	}
	property, ok := userProperties.Find(name.text)
	if !ok {
		return "", nil, p.wrongProperty(name, "User")
	}
	return name.text, property, nil
}

func (p *parser) deviceProperty(object, name token) (string, *Property, error) {
	property, ok := deviceProperties.Find(name.text)
	if !ok {
		return "", nil, p.wrongProperty(name, "Device")
	}
	p.notServed(object, "Rules about devices are not served. The rule mentions '%s'", object.text+"."+name.text)
	return name.text, property, nil
}

func (p *parser) wrongProperty(name token, object string) error {
	return p.refuse(KindWrongProperty, name, "'%s' cannot be applied to object '%s'", clip(name.text), object)
}

// notServed notes the first part of a valid rule that is not served (D52, D53).
func (p *parser) notServed(t token, format string, args ...any) {
	if p.unserved == nil {
		p.unserved = refusal(KindNotImplemented, p.text, t.at, format, args...)
	}
}

// quantified parses the body of -any or -all: a condition in parentheses, or one comparison (D33).
func (p *parser) quantified(start token, property *Property, o *operator) (node, error) {
	if k := p.kind(); k != open && k != word || p.tokens[0].joins("and") || p.tokens[0].joins("or") {
		return nil, p.refuse(KindWrongOperands, p.tokens[0],
			"-%s. A condition on the elements must follow, such as (_ -eq \"x\")", o.name)
	}
	body, err := p.primary(func() (node, error) { return p.element(property) })
	if err != nil {
		return nil, err
	}
	return &quantified{span{start.at, p.before}, property, o.name == "all", body}, nil
}

// element parses a comparison of an element: _ of texts, assignedPlan.name of assignedPlans.
func (p *parser) element(of *Property) (node, error) {
	start := p.tokens[0]
	c := &compare{property: of, name: start.text}
	if of.Type != TypePlans {
		if start.text != "_" {
			return nil, p.unexpected("_, which is an element of the collection,")
		}
		p.take()
	} else {
		name, err := p.item("assignedPlan")
		if err != nil {
			return nil, err
		}
		c.name += "." + name.text
		c.field = slices.IndexFunc(planFields, func(field string) bool { return fold.Equal(field, name.text) })
		if c.field < 0 {
			return nil, p.wrongProperty(name, "AssignedPlan")
		}
	}
	t := p.tokens[0]
	o, ok := operatorOf(&t)
	switch {
	case t.joins("not"):
		return nil, p.refuse(KindWrongOperands, t, "-not. It negates a condition and cannot compare '%s'", c.name)
	case !ok:
		return nil, p.unexpected("an operator, such as -eq,")
	case !slices.Contains(classes[TypeText], o.class):
		return nil, p.refuse(KindWrongOperator, t, "The property '%s' supports only %s", c.name, supported(TypeText))
	}
	return p.compared(start, c, TypeText, o)
}

// item parses object.name and returns the name.
func (p *parser) item(object string) (token, error) {
	if !p.tokens[0].is(object) || p.tokens[1].kind != dot {
		return token{}, p.unexpected(object + ". and the name of a property")
	}
	p.take()
	p.take()
	name := p.tokens[0]
	return name, p.expect(word, "the name of a property")
}

// memberOf parses (group.objectId -in ['{id}', …]) after user.memberOf -any (D55).
func (p *parser) memberOf(start token) (node, error) {
	inParentheses := p.kind() == open
	if inParentheses {
		p.take()
	}
	name, err := p.item("group")
	switch {
	case err != nil:
		return nil, err
	case !fold.Equal(name.text, "objectId"):
		return nil, p.wrongProperty(name, "Group")
	case !p.tokens[0].joins("in"):
		return nil, p.refuse(KindWrongOperator, p.tokens[0],
			"The property 'objectId' of a group supports only -in")
	}
	p.take()
	n := &memberOf{}
	if n.groups, err = p.groups(); err != nil {
		return nil, err
	}
	if inParentheses {
		if p.tokens[0].joins("and") || p.tokens[0].joins("or") {
			return nil, p.notAlone(p.tokens[0])
		}
		if err := p.expect(closed, "')'"); err != nil {
			return nil, err
		}
	}
	n.span, p.sources = span{start.at, p.before}, n
	return n, nil
}

func (p *parser) groups() ([]uuid.UUID, error) {
	t := p.tokens[0]
	v, err := p.value()
	switch {
	case err != nil:
		return nil, err
	case v.kind != valueList:
		return nil, p.refuse(KindWrongValue, t, "A list of ids of groups, such as ['{id}'], must follow -in")
	}
	var groups []uuid.UUID
	for _, item := range v.list {
		id, ok := guid.Parse(item.text)
		switch {
		case !ok || item.kind != valueText:
			return nil, p.refuse(KindNotAlone, item.token, "'%s' is not the id of a group", clip(item.token.text))
		case !slices.Contains(groups, id) && len(groups) == maxSources:
			return nil, p.refuse(KindNotAlone, item.token,
				"A rule can name at most %d groups; there are more", maxSources)
		case !slices.Contains(groups, id):
			groups = append(groups, id)
		}
	}
	return groups, nil
}
