package membership

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"licensor/internal/directory/column"
	"licensor/internal/fold"
)

// valueKind is the kind of a value.
type valueKind uint8

const (
	valueText   valueKind = iota + 1
	valueNumber           // with its digits as text, or a bare time
	valueTruth
	valueNull
	valueList
	valueNow  // system.now, with a duration
	valueWord // a bare word, which no property takes (D36)
)

// value is a value in a comparison.
type value struct {
	token token // its first
	kind  valueKind
	text  string
	list  []value
	shift shift
}

// value parses a value (D35 to D38).
func (p *parser) value() (value, error) {
	t := p.tokens[0]
	v := value{token: t, text: t.text}
	switch {
	case t.kind == openList:
		return p.list()
	case t.is("system") && p.tokens[1].kind == dot && p.tokens[2].is("now"):
		return p.now()
	case t.kind == quoted:
		v.kind, v.text = valueText, t.value
	case t.kind == number:
		v.kind = valueNumber
	case t.is("null"), t.is("$null"):
		v.kind = valueNull
	case t.is("true"), t.is("false"):
		v.kind = valueTruth
	case t.kind == word:
		v.kind = valueWord
	default:
		return value{}, p.unexpected("a value")
	}
	p.take()
	return v, nil
}

// list parses ["a","b"] (D37).
func (p *parser) list() (value, error) {
	list := value{token: p.take(), kind: valueList}
	for {
		t := p.tokens[0]
		if t.kind == openList || t.kind == closedList {
			return value{}, p.refuse(KindWrongValue, t, "A list has one or more texts, numbers or null")
		}
		item, err := p.value()
		if err != nil {
			return value{}, err
		}
		if item.kind != valueText && item.kind != valueNull && !item.isNumber() {
			return value{}, p.refuse(KindWrongValue, t,
				"A list has texts in quotation marks, numbers or null, not '%s'", clip(t.text))
		}
		if list.list = append(list.list, item); p.kind() != comma {
			return list, p.expect(closedList, "',' or ']'")
		}
		p.take()
	}
}

// now parses system.now, and the duration that is added or subtracted (D38).
func (p *parser) now() (value, error) {
	v := value{token: p.take(), kind: valueNow}
	p.take()
	p.take()
	plus, minus := p.tokens[0].joins("plus"), p.tokens[0].joins("minus")
	if !plus && !minus {
		return v, nil
	}
	p.take()
	t := p.tokens[0]
	d, ok := parseShift(t.text)
	if !ok {
		return value{}, p.refuse(KindWrongValue, t, "'%s' is not a duration, such as P30D or PT12H", clip(t.text))
	}
	p.take()
	if v.shift = d; minus {
		v.shift = d.negated()
	}
	return v, nil
}

var numbers = regexp.MustCompile(`^[-–—]?\d+(\.\d+)?$`)

func (v *value) isNumber() bool { return v.kind == valueNumber && numbers.MatchString(v.text) }

// asText returns a text or the digits of a number.
func (v *value) asText() (string, bool) {
	switch {
	case v.kind == valueText:
		return v.text, true
	case v.isNumber():
		return strings.NewReplacer("–", "-", "—", "-").Replace(v.text), true
	}
	return "", false
}

// compared parses the value of a comparison, whose operator is the current token, and checks
// whether it suits the type (D73).
func (p *parser) compared(start token, c *compare, t Type, o *operator) (node, error) {
	p.take()
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	c.negative, c.op = o.negative, o.op
	switch {
	case v.kind == valueNull && o.class == equality:
		c.null = true
	case t == TypeBool:
		err = p.truth(c, &v)
	case t == TypeTime:
		err = p.time(c, &v)
	case t == TypeUnknown && v.kind != valueWord && (v.kind == valueList) == (o.class == listing):
		// The type of a directory extension is not known here, and the rule is not served.
	case o.class == listing:
		err = p.texts(c, &v)
	default:
		err = p.textValue(c, &v, o)
	}
	c.span = span{start.at, p.before}
	return c, err
}

func (p *parser) wrongValue(c *compare, v *value, want string) error {
	return p.refuse(KindWrongValue, v.token,
		"'%s' must be compared with %s, not with '%s'", c.name, want, clip(v.token.text))
}

func (p *parser) truth(c *compare, v *value) error {
	isTrue, isFalse := fold.Equal(v.text, "true"), fold.Equal(v.text, "false")
	if v.kind != valueTruth && v.kind != valueText || !isTrue && !isFalse {
		return p.wrongValue(c, v, "true, false or null")
	}
	c.truth = column.TruthOf(isTrue)
	return nil
}

func (p *parser) time(c *compare, v *value) error {
	if v.kind == valueNow {
		c.moment = &moment{now: true, shift: v.shift}
		return nil
	}
	at, ok := parseTime(v.text)
	if !ok || v.kind != valueText && v.kind != valueNumber {
		return p.wrongValue(c, v, "a time, such as 2026-01-31T12:00:00Z or system.now")
	}
	c.moment = &moment{fixed: at}
	return nil
}

// texts makes the test of a list.
func (p *parser) texts(c *compare, v *value) error {
	if v.kind != valueList {
		return p.wrongValue(c, v, "a list, such as [\"a\",\"b\"]")
	}
	c.null = slices.ContainsFunc(v.list, func(item value) bool { return item.kind == valueNull })
	c.test = &column.Test{Op: column.OpIn, Set: map[string]struct{}{}}
	for i := range v.list {
		if text, ok := v.list[i].asText(); ok {
			c.test.Set[fold.Text(text)] = struct{}{}
		}
	}
	return nil
}

// textValue makes the test of a text, or the pattern.
func (p *parser) textValue(c *compare, v *value, o *operator) error {
	text, ok := v.asText()
	switch {
	case !ok && o.class == equality:
		return p.wrongValue(c, v, "a text in quotation marks or null")
	case !ok:
		return p.wrongValue(c, v, "a text in quotation marks")
	case o.class != matching:
		c.test = &column.Test{Op: o.op, Text: fold.Text(text)}
		return nil
	case utf8.RuneCountInString(text) > maxPattern:
		return p.refuse(KindSyntax, v.token, "A pattern has at most %d characters; this one has more", maxPattern)
	}
	pattern, err := CompilePattern(text)
	if err != nil {
		return p.refuse(KindSyntax, v.token, "'%s' is not a pattern: %s", clip(text), reason(err))
	}
	c.pattern = pattern
	return nil
}

// reason returns the innermost message of an error.
func reason(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return clip(err.Error())
}
