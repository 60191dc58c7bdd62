package own

import (
	"slices"
	"strings"

	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
)

// driftCondition is a condition on rows of drift.
type driftCondition struct {
	holds func(*DriftRow) bool
	kinds driftSet // of the rows that can satisfy it
	pure  bool     // it depends on the kind alone
}

// driftConditionOf converts $filter (docs/spec/licensing.md L86): the kind, and what errors can be
// compared by.
func driftConditionOf(r *wire.Request, filter *odata.Filter) (*driftCondition, error) {
	if filter == nil {
		return &driftCondition{holds: func(*DriftRow) bool { return true }, kinds: everyKind}, nil
	}
	c := &driftConverter{errorConverter{request: r, image: r.Image, filter: filter, of: "drift"}}
	return c.condition(filter.Root)
}

type driftConverter struct{ errors errorConverter }

func (c *driftConverter) refuse(n odata.Node) error {
	return problem.RefuseCondition(c.errors.filter, n, "drift")
}

func (c *driftConverter) condition(n odata.Node) (*driftCondition, error) {
	switch n := n.(type) {
	case *odata.Logic:
		return c.logic(n)
	case *odata.Not:
		return opposite(c.condition(n.Arg))
	case *odata.Compare:
		value, ok := n.Right.(*odata.Literal)
		if ok && n.Op == odata.OpEq {
			return c.equal(n, n.Left, []*odata.Literal{value})
		}
		if ok && n.Op == odata.OpNe {
			return opposite(c.equal(n, n.Left, []*odata.Literal{value}))
		}
	case *odata.In:
		return c.equal(n, n.Left, n.Values)
	case *odata.Call:
		return c.ofErrors(c.errors.startsWith(n))
	}
	return nil, c.refuse(n)
}

func opposite(c *driftCondition, err error) (*driftCondition, error) {
	if err != nil {
		return nil, err
	}
	kinds := everyKind
	if c.pure {
		kinds = everyKind &^ c.kinds
	}
	return &driftCondition{func(row *DriftRow) bool { return !c.holds(row) }, kinds, c.pure}, nil
}

func (c *driftConverter) logic(n *odata.Logic) (*driftCondition, error) {
	parts := make([]*driftCondition, len(n.Args))
	joined := &driftCondition{pure: true}
	if n.Op == odata.OpAnd {
		joined.kinds = everyKind
	}
	for i, arg := range n.Args {
		var err error
		if parts[i], err = c.condition(arg); err != nil {
			return nil, err
		}
		joined.pure = joined.pure && parts[i].pure
		if n.Op == odata.OpAnd {
			joined.kinds &= parts[i].kinds
		} else {
			joined.kinds |= parts[i].kinds
		}
	}
	joined.holds = func(row *DriftRow) bool {
		for _, part := range parts {
			if part.holds(row) != (n.Op == odata.OpAnd) {
				return n.Op == odata.OpOr
			}
		}
		return n.Op == odata.OpAnd
	}
	return joined, nil
}

// equal converts a comparison with values, one of which must be equal.
func (c *driftConverter) equal(n, left odata.Node, values []*odata.Literal) (*driftCondition, error) {
	path, ok := left.(*odata.Path)
	if !ok || !fold.Equal(path.String(), "kind") {
		return c.ofErrors(c.errors.equal(n, left, values))
	}
	found := &driftCondition{pure: true}
	for _, value := range values {
		name, _ := odata.TextOf(value)
		at := slices.IndexFunc(driftNames[:], func(known string) bool { return strings.EqualFold(known, name) })
		if at < 0 {
			return nil, problem.Refuse("%s is not a kind of drift: the kinds are %s.", problem.Clip(value.String()),
				problem.Quoted(driftNames[:]))
		}
		found.kinds |= 1 << at
	}
	found.holds = func(row *DriftRow) bool { return found.kinds.has(row.Kind) }
	return found, nil
}

// ofErrors converts a condition on errors to one on rows.
func (c *driftConverter) ofErrors(inner errorCondition, err error) (*driftCondition, error) {
	if err != nil {
		return nil, err
	}
	return &driftCondition{
		holds: func(row *DriftRow) bool { return inner.holds(row.User, &row.Entry) }, kinds: everyKind,
	}, nil
}
