package membership

import (
	"slices"
	"strings"
	"time"

	"licensor/internal/directory/column"
	"licensor/internal/fold"
)

// Detail is the result of a part of a rule for one user (D82).
type Detail struct {
	Expression string // the text, without parentheses around it
	Result     bool
	Property   *PropertyValue // of a comparison
	Parts      []Detail       // one for each operand, or for each element of a collection
}

// PropertyValue is what a comparison compares.
type PropertyValue struct {
	Name  string  // as written, without user.
	Value *string // nil for null; the elements of a collection are joined
}

// evaluation is an evaluation for one user. All parts are evaluated, none is skipped (D46), but
// after an error the result means nothing, and no other pattern is matched.
type evaluation struct {
	text    string
	user    User
	now     time.Time
	element []string      // the texts of the current element, in the body of -any and -all
	spent   time.Duration // in patterns that can fail
	err     error
}

// eval evaluates a node and describes it in d, which may be nil.
func (e *evaluation) eval(n node, d *Detail) bool {
	is := n.holds(e, d)
	if d != nil {
		s := n.at()
		d.Expression, d.Result = e.text[s.from:s.to], is
	}
	return is
}

// parts makes room for the details of n parts.
func (d *Detail) parts(n int) {
	if d != nil {
		d.Parts = make([]Detail, n)
	}
}

func (d *Detail) part(i int) *Detail {
	if d == nil {
		return nil
	}
	return &d.Parts[i]
}

func (n *logic) holds(e *evaluation, d *Detail) bool {
	d.parts(len(n.args))
	is := !n.or
	for i, arg := range n.args {
		one := e.eval(arg, d.part(i))
		if n.or {
			is = is || one
		} else {
			is = is && one
		}
	}
	return is
}

func (n *negation) holds(e *evaluation, d *Detail) bool {
	d.parts(1)
	return !e.eval(n.arg, d.part(0))
}

func (n *reports) holds(e *evaluation, _ *Detail) bool { return e.user.ReportsTo(n.manager) }

func (n *memberOf) holds(e *evaluation, _ *Detail) bool {
	return slices.ContainsFunc(n.groups, e.user.IsMember)
}

// holds of a quantified condition is false with -any and true with -all for an empty collection
// (D44).
func (n *quantified) holds(e *evaluation, d *Detail) bool {
	elements := e.elements(n.property)
	d.parts(len(elements))
	is := n.all
	for i, element := range elements {
		e.element = element
		one := e.eval(n.body, d.part(i))
		if n.all {
			is = is && one
		} else {
			is = is || one
		}
	}
	e.element = nil
	return is
}

// elements returns the texts of each element of a collection.
func (e *evaluation) elements(p *Property) [][]string {
	var all [][]string
	if p.Type == TypePlans {
		for _, plan := range e.user.Plans() {
			all = append(all, plan.texts())
		}
		return all
	}
	for text := range slices.Chunk(e.user.Value(p).Texts, 1) {
		all = append(all, text)
	}
	return all
}

func (c *compare) holds(e *evaluation, d *Detail) bool {
	v := c.value(e)
	if d != nil {
		d.Property = &PropertyValue{c.name, c.shown(v)}
	}
	return c.positive(e, v) != c.negative
}

// value returns the value that is compared.
func (c *compare) value(e *evaluation) column.Value {
	if c.field >= 0 {
		return column.Value{Text: e.element[c.field]}
	}
	v := e.user.Value(c.property)
	if c.property.derived != nil {
		return column.Value{Text: c.property.derived.of(v.Texts)}
	}
	return v
}

// positive evaluates the comparison as if it were not negative (D42, D43, D45).
func (c *compare) positive(e *evaluation, v column.Value) bool {
	t := c.property.Type
	switch {
	case c.field >= 0 || t == TypeText:
		return c.matches(e, fold.Text(v.Text))
	case t == TypeBool:
		return v.Truth == c.truth
	case t == TypeTime:
		return c.compares(v.Time, e.now)
	}
	is := c.null && len(v.Texts) == 0
	for _, text := range v.Texts {
		one := text != "" && c.matches(e, fold.Text(text))
		is = is || one
	}
	return is
}

// matches compares a folded text; "" is null.
func (c *compare) matches(e *evaluation, folded string) bool {
	switch {
	case folded == "":
		return c.null
	case c.test != nil:
		return c.test.Match(folded)
	case c.pattern == nil || e.err != nil:
		return false
	}
	is, err := e.match(c.pattern, folded)
	if err != nil {
		e.err = &PatternError{Property: c.name, Pattern: c.pattern.text, Err: err}
	}
	return is
}

// match matches a pattern. All patterns of a user together can take as long as one (D64).
func (e *evaluation) match(p *Pattern, folded string) (bool, error) {
	if !p.canFail() {
		return p.Match(folded)
	}
	began := time.Now()
	is, err := p.Match(folded)
	if e.spent += time.Since(began); err == nil && e.spent > 2*maxMatchTime {
		err = errSlow
	}
	return is, err
}

// compares compares times to the second; 0 is null.
func (c *compare) compares(at int64, now time.Time) bool {
	if c.moment == nil || at == 0 {
		return c.moment == nil && at == 0
	}
	switch other := c.moment.at(now); c.op {
	case column.OpLessOrEqual:
		return at <= other
	case column.OpGreaterOrEqual:
		return at >= other
	default:
		return at == other
	}
}

// shown returns a value as text.
func (c *compare) shown(v column.Value) *string {
	text := v.Text
	switch {
	case c.field >= 0 || c.property.Type == TypeText:
	case c.property.Type == TypeTexts:
		text = strings.Join(v.Texts, ", ")
		return &text
	case v.Truth != column.TruthNull:
		text = map[column.Truth]string{column.TruthTrue: "true", column.TruthFalse: "false"}[v.Truth]
	case v.Time != 0:
		text = column.AsTime(v.Time).Format(time.RFC3339)
	}
	if text == "" {
		return nil
	}
	return &text
}
