package sqlite

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"licensor/fold"
	"licensor/store"
)

// A compiler turns a filter into SQL. Values and paths become parameters; the text it writes is made of its own words only.
//
// SQL knows a third value, NULL, where a filter knows true and false. A condition that must hold may be NULL instead of false,
// since AND, OR and WHERE take both for false; so only negation needs care. The compiler pushes it down to the comparisons,
// where IS NOT TRUE has two values.
type compiler struct {
	*where
	conditions int
}

// compile answers the condition that filter is.
func compile(w *where, filter *store.Filter) (string, error) {
	c := &compiler{where: w}
	text, err := c.condition(filter, document{}, true, store.MaxDepth)
	if err != nil {
		return "", fmt.Errorf("%w: %w", store.ErrFilter, err)
	}
	return text, nil
}

// condition is true when filter's truth is what holds says.
func (c *compiler) condition(f *store.Filter, of subject, holds bool, depth int) (string, error) {
	c.conditions++
	if f == nil {
		return "", fmt.Errorf("a condition is missing")
	} else if c.conditions > store.MaxConditions || depth == 0 {
		return "", fmt.Errorf("it has more than %d conditions, or more than %d inside one another: ask in several queries", store.MaxConditions, store.MaxDepth)
	}
	switch f.Op {
	case store.And, store.Or:
		return c.several(f, of, holds, depth)
	case store.Not:
		if len(f.Args) != 1 {
			return "", fmt.Errorf("not has %d conditions instead of one", len(f.Args))
		}
		return c.condition(f.Args[0], of, !holds, depth-1)
	case store.Any:
		return c.any(f, of, holds, depth)
	case store.Ne:
		return c.comparison(&store.Filter{Op: store.Eq, Property: f.Property, Value: f.Value}, of, !holds)
	}
	return c.comparison(f, of, holds)
}

// several joins conditions by AND or OR; by De Morgan each becomes the other when it must not hold.
func (c *compiler) several(f *store.Filter, of subject, holds bool, depth int) (string, error) {
	if len(f.Args) == 0 {
		return "", fmt.Errorf("and, or without conditions")
	}
	parts := make([]string, len(f.Args))
	for i, arg := range f.Args {
		text, err := c.condition(arg, of, holds, depth-1)
		if err != nil {
			return "", err
		}
		parts[i] = text
	}
	if (f.Op == store.And) == holds {
		return balanced(parts, " AND "), nil
	}
	return balanced(parts, " OR "), nil
}

// balanced joins parts so that the tree SQLite makes of a thousand is ten deep and not a thousand, which it refuses.
func balanced(parts []string, by string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	half := len(parts) / 2
	return "(" + balanced(parts[:half], by) + by + balanced(parts[half:], by) + ")"
}

func (c *compiler) any(f *store.Filter, of subject, holds bool, depth int) (string, error) {
	if _, inside := of.(element); inside || len(f.Args) != 1 {
		return "", fmt.Errorf("any takes one condition, and no other any inside")
	}
	path, err := c.path(f.Property)
	if err != nil {
		return "", err
	}
	inner, err := c.condition(f.Args[0], element{}, true, depth-1)
	if err != nil {
		return "", err
	}
	text := "(json_type(document, " + path + ") = 'array' AND EXISTS (SELECT 1 FROM json_each(document, " + path + ") AS e WHERE " + inner + "))"
	return orNot(text, holds), nil
}

func (c *compiler) comparison(f *store.Filter, of subject, holds bool) (string, error) {
	var text string
	var err error
	switch value := f.Value.(type) {
	case string:
		text, err = c.compareText(f, of, fold.Text(value))
	case nil:
		text, err = c.compareNull(f, of)
	case bool:
		text, err = c.compareBool(f, of, value)
	case int64:
		text, err = c.compareNumber(f, of, value)
	case time.Time:
		text, err = c.compareTime(f, of, value.UTC())
	default:
		err = fmt.Errorf("%s is compared with a %T", f.Property, f.Value)
	}
	if err != nil {
		return "", err
	}
	return orNot(text, holds), nil
}

func orNot(text string, holds bool) string {
	if holds {
		return text
	}
	return "((" + text + ") IS NOT TRUE)"
}

var comparators = map[store.Op]string{store.Eq: " = ", store.Lt: " < ", store.Le: " <= ", store.Gt: " > ", store.Ge: " >= "}

func (c *compiler) compareNull(f *store.Filter, of subject) (string, error) {
	value, _, err := of.read(c, f.Property)
	if err == nil && f.Op != store.Eq {
		err = fmt.Errorf("%s is compared with null, which is only equal to something or not", f.Property)
	}
	return "(" + value + " IS NULL)", err
}

func (c *compiler) compareBool(f *store.Filter, of subject, value bool) (string, error) {
	_, kind, err := of.read(c, f.Property)
	if err == nil && f.Op != store.Eq {
		err = fmt.Errorf("%s is compared with %t, which is only equal to something or not", f.Property, value)
	}
	return fmt.Sprintf("(%s = '%t')", kind, value), err
}

func (c *compiler) compareNumber(f *store.Filter, of subject, number int64) (string, error) {
	value, kind, err := of.read(c, f.Property)
	comparator, ok := comparators[f.Op]
	if err == nil && !ok {
		err = fmt.Errorf("%s is searched for text in %d, which is a number", f.Property, number)
	}
	return "(" + kind + " IN ('integer', 'real') AND " + value + comparator + c.bind(number) + ")", err
}

// insignificant are the characters at the end of a time that say nothing: without them 10:00:00Z and 10:00:00.000Z are the
// same text, and the order of texts is that of times.
const insignificant = "Z0."

func (c *compiler) compareTime(f *store.Filter, of subject, at time.Time) (string, error) {
	value, kind, err := of.read(c, f.Property)
	comparator, ok := comparators[f.Op]
	if err == nil && (!ok || at.Year() < 0 || at.Year() > 9999) {
		err = fmt.Errorf("%s cannot be compared with the time %s in this way", f.Property, at)
	}
	const digits = "[0-9][0-9]"
	const pattern = digits + digits + "-" + digits + "-" + digits + "T" + digits + ":" + digits + ":" + digits
	text := strings.TrimRight(at.Format(time.RFC3339Nano), insignificant)
	return "(" + kind + " = 'text' AND (" + value + " GLOB '" + pattern + "Z' OR " + value + " GLOB '" + pattern + ".[0-9]*Z') AND rtrim(" +
		value + ", '" + insignificant + "')" + comparator + c.bind(text) + ")", err
}

// indexed are the properties that have a column of their own with an index: text with small letters, or NULL.
var indexed = map[string]string{"userPrincipalName": "user_principal_name", "displayName": "display_name", "mail": "mail"}

func (c *compiler) compareText(f *store.Filter, of subject, text string) (string, error) {
	if column, ok := indexed[f.Property]; ok && of == (document{}) {
		return c.compareColumn(f, column, text)
	}
	value, kind, err := of.read(c, f.Property)
	if err != nil {
		return "", err
	}
	folded := "lower(" + value + ")" // does for ASCII what fold does and is quicker
	if strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		folded = "fold(" + value + ")"
	}
	condition, err := c.match(f, folded, text)
	return "(" + kind + " = 'text' AND " + condition + ")", err
}

// compareColumn finds by the index where that finds few rows among many. They come as a set of ordinals, so that pages stay in
// order and no row is read in vain; SQLite by itself would either sort all rows it finds or look at each one of the tenant's. Where
// rows are read along that index anyway, it is a stretch of it.
func (c *compiler) compareColumn(f *store.Filter, column, text string) (string, error) {
	const in = "(ordinal IN (SELECT ordinal FROM object WHERE tenant = ?1 AND kind = ?2 AND ordinal > ?3 AND "
	switch {
	case f.Op == store.Eq:
		return in + column + " = " + c.bind(text) + "))", nil
	case f.Op == store.HasWord: // an index is shorter to go through than the rows
		const from = "(ordinal IN (SELECT ordinal FROM object INDEXED BY object_"
		condition, err := c.match(f, column, text)
		return from + column + " WHERE tenant = ?1 AND kind = ?2 AND ordinal > ?3 AND " + condition + "))", err
	case f.Op == store.StartsWith && text != "" && column == c.along:
		return "(" + column + " >= " + c.bind(text) + " AND " + column + " < " + c.bind(following(text)) + ")", nil
	case f.Op == store.StartsWith && text != "":
		return in + column + " >= " + c.bind(text) + " AND " + column + " < " + c.bind(following(text)) + "))", nil
	}
	condition, err := c.match(f, column, text)
	return "(" + condition + ")", err
}

// following answers the least text that is greater than all that start with prefix. It may be no UTF-8: SQLite compares bytes.
func following(prefix string) string {
	last := len(prefix) - 1
	return prefix[:last] + string([]byte{prefix[last] + 1}) // UTF-8 has no byte 0xff
}

// match compares folded text in SQL with text, of which all searches find the empty one.
func (c *compiler) match(f *store.Filter, folded, text string) (string, error) {
	value := c.bind(text)
	if comparator, ok := comparators[f.Op]; ok {
		return folded + comparator + value, nil
	}
	switch {
	case f.Op == store.Contains, f.Op == store.EndsWith && text == "":
		return "instr(" + folded + ", " + value + ") > 0", nil
	case f.Op == store.HasWord:
		return "instr(" + folded + ", " + value + ") > 0 AND starts_word(" + folded + ", " + value + ")", nil
	case f.Op == store.StartsWith:
		return "instr(" + folded + ", " + value + ") = 1", nil
	case f.Op == store.EndsWith:
		return fmt.Sprintf("substr(CAST(%s AS BLOB), -%d) = CAST(%s AS BLOB)", folded, len(text), value), nil
	}
	return "", fmt.Errorf("unknown operator %d on %s", f.Op, f.Property)
}

// A subject is what has the properties: the document, or an element of a collection in it. read answers the SQL of a
// property's value and of its JSON type, which is NULL when it is missing.
type subject interface {
	read(c *compiler, property string) (value, kind string, err error)
}

type document struct{}

func (document) read(c *compiler, property string) (value, kind string, err error) {
	path, err := c.path(property)
	return "json_extract(document, " + path + ")", "json_type(document, " + path + ")", err
}

type element struct{}

func (element) read(c *compiler, property string) (value, kind string, err error) {
	if property == "" {
		return "e.value", "e.type", nil
	}
	path, err := c.path(property)
	const object = "(CASE e.type WHEN 'object' THEN e.value END, " // the value of other types is no JSON
	return "json_extract" + object + path + ")", "json_type" + object + path + ")", err
}

var properties = regexp.MustCompile(`^[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*$`)

// path makes a property a JSON path and a parameter.
func (c *compiler) path(property string) (string, error) {
	if !properties.MatchString(property) {
		return "", fmt.Errorf("%q is no name of a property", property)
	}
	return c.bind(`$."` + strings.ReplaceAll(property, "/", `"."`) + `"`), nil
}
