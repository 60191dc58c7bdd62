package membership

import (
	"context"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory/column"
	"licensor/internal/fold"
	"licensor/internal/query"
)

// Population is all users of a tenant, as of one moment.
type Population struct {
	Table *column.Table // of directory.UserSchema
	Now   time.Time
	// User returns a user, for the properties without a column: objectId and assignedPlans.
	User func(row uint32) User
	// Reports returns the rows of the users with a manager, and Members those of the direct
	// members of a group. The sets must not change afterwards.
	Reports func(manager uuid.UUID) *roaring.Bitmap
	Members func(group uuid.UUID) *roaring.Bitmap
	// Except has users for whom patterns may fail: their results mean nothing then.
	Except []uint32
	// Pause, which may be nil, is called from time to time, so that other work can run.
	Pause func() error
}

// Condition returns the rule as a condition on the live users of a population. Parts with patterns
// that can fail are evaluated at once for all of them, because all parts count (D46) and a
// condition cannot fail later. Errors are *PatternError, those of ctx and of Pause.
func (r *Rule) Condition(ctx context.Context, of *Population) (*query.Condition, error) {
	b := &builder{ctx: ctx, of: of, text: r.text}
	c := b.condition(r.root)
	return c, b.err
}

// Between returns a condition that is true of all users whose result at one time may differ from
// that at another, with the same values.
func (r *Rule) Between(one, other time.Time) *query.Condition {
	var either []*query.Condition
	walk(r.root, func(n node) {
		c, ok := n.(*compare)
		if !ok || c.moment == nil || !c.moment.now {
			return
		}
		if a, b := c.moment.at(one), c.moment.at(other); a != b {
			either = append(either, query.Time(c.property.Column, max(1, min(a, b)), max(a, b)))
		}
	})
	return query.Or(either...)
}

// builder builds the condition of a rule.
type builder struct {
	ctx  context.Context
	of   *Population
	text string
	err  error
	one  evaluation // of holds, for one user after another
}

func (b *builder) condition(n node) *query.Condition {
	switch n := n.(type) {
	case *logic:
		args := make([]*query.Condition, len(n.args))
		for i, arg := range n.args {
			args[i] = b.condition(arg)
		}
		if n.or {
			return query.Or(args...)
		}
		return query.And(args...)
	case *negation:
		return query.Not(b.condition(n.arg))
	case *reports:
		return query.Set(b.of.Reports(n.manager))
	case *memberOf:
		args := make([]*query.Condition, len(n.groups))
		for i, group := range n.groups {
			args[i] = query.Set(b.of.Members(group))
		}
		return query.Or(args...)
	}
	return b.settled(n, b.leaf(n))
}

// settled evaluates a leaf for all live users if a pattern in it can fail.
func (b *builder) settled(n node, c *query.Condition) *query.Condition {
	canFail := false
	walk(n, func(n node) {
		leaf, ok := n.(*compare)
		canFail = canFail || ok && leaf.pattern != nil && leaf.pattern.canFail()
	})
	if !canFail || b.err != nil {
		return c
	}
	rows, err := c.Find(b.ctx, b.of.Table, query.WithinLive, b.of.Pause)
	if b.err == nil {
		b.err = err
	}
	if b.err != nil {
		return query.None()
	}
	return query.Set(rows.Bitmap())
}

func (b *builder) leaf(n node) *query.Condition {
	switch n := n.(type) {
	case *compare:
		if n.property.Column < 0 {
			return b.rowByRow(n)
		}
		if n.negative {
			return query.Not(b.positive(n))
		}
		return b.positive(n)
	case *quantified:
		if n.property.Column < 0 {
			return b.rowByRow(n)
		}
		body := b.element(n.body)
		if n.all {
			return query.Not(query.Any(n.property.Column, without(body)))
		}
		return query.Any(n.property.Column, body)
	}
	return query.None()
}

// rowByRow evaluates a node for one user after another.
func (b *builder) rowByRow(n node) *query.Condition {
	switch n := n.(type) {
	case *compare:
		if n.property.Graph == "id" && n.pattern == nil && n.test == nil {
			return truthOf(n.negative) // objectId -eq null: every user has an id
		}
	case *quantified:
		if n.property.Type == TypePlans {
			return b.byPlans(n)
		}
	}
	return query.Func(func(row uint32) bool { return b.holds(n, row, b.of.User(row)) })
}

// holds evaluates a node for a user.
func (b *builder) holds(n node, row uint32, user User) bool {
	if b.err != nil {
		return false
	}
	e := &b.one
	*e = evaluation{text: b.text, user: user, now: b.of.Now}
	is := e.eval(n, nil)
	if wrong, ok := e.err.(*PatternError); ok && !slices.Contains(b.of.Except, row) {
		wrong.Row, b.err = row, wrong
	}
	return is
}

// byPlans evaluates a condition on assigned plans once for each list that users share.
func (b *builder) byPlans(n *quantified) *query.Condition {
	type list struct {
		first *Plan
		plans int
	}
	results := map[list]bool{}
	return query.Func(func(row uint32) bool {
		user := b.of.User(row)
		plans := user.Plans()
		key := list{plans: len(plans)}
		if len(plans) > 0 {
			key.first = &plans[0]
		}
		is, ok := results[key]
		if !ok {
			is = b.holds(n, row, user)
			results[key] = is
		}
		return is
	})
}

func truthOf(is bool) *query.Condition {
	if is {
		return query.All()
	}
	return query.None()
}

// lastTime is after all times in a column.
const lastTime = 1 << 60

// positive is compare.positive of all users.
func (b *builder) positive(c *compare) *query.Condition {
	place := c.property.Column
	switch c.property.Type {
	case TypeBool:
		return query.Truth(place, c.truth)
	case TypeTime:
		if c.moment == nil {
			return query.Not(query.Time(place, 1, lastTime))
		}
		at := c.moment.at(b.of.Now)
		switch c.op {
		case column.OpLessOrEqual:
			return query.Time(place, 1, at)
		case column.OpGreaterOrEqual:
			return query.Time(place, at, lastTime)
		}
		return query.Time(place, at, at)
	}
	var either []*query.Condition
	if test := b.test(c); test != nil {
		either = append(either, b.having(c.property, test))
	}
	if c.null {
		either = append(either, query.Not(b.having(c.property, &column.Test{Op: column.OpPresent})))
	}
	return query.Or(either...)
}

// having is true of users with a text that satisfies a test.
func (b *builder) having(p *Property, test *column.Test) *query.Condition {
	switch {
	case p.derived != nil:
		return query.And(
			query.Any(p.Column, &column.Element{Join: column.JoinIs, Test: &p.derived.narrow}),
			query.Func(func(row uint32) bool {
				return test.Match(fold.Text(p.derived.of(b.of.Table.Value(row, p.Column).Texts)))
			}),
		)
	case p.Type == TypeTexts:
		return query.Any(p.Column, &column.Element{Join: column.JoinIs, Test: test})
	}
	return query.Text(p.Column, *test)
}

// element is a condition on the elements of a collection.
func (b *builder) element(n node) *column.Element {
	switch n := n.(type) {
	case *logic:
		e := &column.Element{Join: column.JoinAnd}
		if n.or {
			e.Join = column.JoinOr
		}
		for _, arg := range n.args {
			e.Args = append(e.Args, b.element(arg))
		}
		return e
	case *negation:
		return without(b.element(n.arg))
	}
	c := n.(*compare)
	e := &column.Element{Join: column.JoinOr}
	if test := b.test(c); test != nil {
		e.Args = append(e.Args, &column.Element{Join: column.JoinIs, Field: c.field, Test: test})
	}
	if c.null {
		present := &column.Element{Join: column.JoinIs, Field: c.field, Test: &column.Test{Op: column.OpPresent}}
		e.Args = append(e.Args, without(present))
	}
	if c.negative {
		return without(e)
	}
	return e
}

func without(e *column.Element) *column.Element {
	return &column.Element{Join: column.JoinNot, Args: []*column.Element{e}}
}

// test returns the test of a text; nil if the comparison has only null.
func (b *builder) test(c *compare) *column.Test {
	if c.pattern == nil {
		return c.test
	}
	return &column.Test{Op: column.OpHolds, Func: func(folded string) bool {
		if b.err != nil {
			return false
		}
		if c.pattern.canFail() { // then each match can take long
			if b.err = b.ctx.Err(); b.err != nil {
				return false
			}
		}
		is, err := c.pattern.Match(folded)
		if err != nil {
			b.fail(c, folded, err)
		}
		return is
	}}
}

// fail notes that a pattern failed on a text, unless no live user has the text: columns also have
// texts of deleted users, and texts that users had before.
func (b *builder) fail(c *compare, folded string, cause error) {
	if b.err = b.ctx.Err(); b.err != nil {
		return
	}
	has := b.having(c.property, &column.Test{Op: column.OpEqual, Text: folded})
	most := 1 + len(b.of.Except)
	rows, _, err := has.FindSome(b.ctx, b.of.Table, query.WithinLive, -1, most, nil)
	if err != nil {
		b.err = err
		return
	}
	for _, row := range rows.After(nil, -1, most) {
		if !slices.Contains(b.of.Except, row) {
			b.err = &PatternError{Property: c.name, Pattern: c.pattern.text, Row: row, Err: cause}
			return
		}
	}
}
