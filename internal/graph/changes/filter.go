package changes

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/guid"
	"licensor/internal/outcome"
)

// condition is a condition on what happens to users.
type condition = func(outcome.What) bool

// conditionOf converts $filter.
func conditionOf(f *odata.Filter, p *preview) (condition, error) {
	if f == nil {
		return func(outcome.What) bool { return true }, nil
	}
	return converter{f, p}.condition(f.Root)
}

type converter struct {
	filter *odata.Filter
	of     *preview
}

func (c converter) refuse(n odata.Node) error { return notSupported(c.filter.Column(n)) }

func (c converter) condition(n odata.Node) (condition, error) {
	switch n := n.(type) {
	case *odata.Logic:
		return c.logic(n)
	case *odata.Not:
		is, err := c.condition(n.Arg)
		return func(w outcome.What) bool { return !is(w) }, err
	case *odata.Compare:
		if literal, ok := n.Right.(*odata.Literal); ok && (n.Op == odata.OpEq || n.Op == odata.OpNe) {
			is, err := c.among(n.Left, literal)
			return func(w outcome.What) bool { return is(w) == (n.Op == odata.OpEq) }, err
		}
	case *odata.In:
		return c.among(n.Left, n.Values...)
	}
	return nil, c.refuse(n)
}

func (c converter) logic(n *odata.Logic) (condition, error) {
	parts := make([]condition, len(n.Args))
	for i, arg := range n.Args {
		var err error
		if parts[i], err = c.condition(arg); err != nil {
			return nil, err
		}
	}
	if n.Op == odata.OpAnd {
		return func(w outcome.What) bool {
			return !slices.ContainsFunc(parts, func(is condition) bool { return !is(w) })
		}, nil
	}
	return func(w outcome.What) bool {
		return slices.ContainsFunc(parts, func(is condition) bool { return is(w) })
	}, nil
}

// among returns the condition that a property has one of some values.
func (c converter) among(left odata.Node, values ...*odata.Literal) (condition, error) {
	path, ok := left.(*odata.Path)
	if !ok {
		return nil, c.refuse(left)
	}
	switch strings.ToLower(path.String()) {
	case "outcome":
		return c.ofKinds(values)
	case "skuid":
		ids, err := c.ids(left, values)
		return func(w outcome.What) bool { return slices.Contains(ids, w.SKUID) }, err
	case "group":
		if slices.ContainsFunc(values, func(v *odata.Literal) bool { return v.Value == nil }) {
			return c.direct(left, values)
		}
		ids, err := c.ids(left, values)
		return c.ofGroups(ids), err
	}
	return nil, c.refuse(left)
}

func (c converter) ofKinds(values []*odata.Literal) (condition, error) {
	var kinds []outcome.Kind
	for _, v := range values {
		name, _ := v.Value.(string)
		kind, ok := outcome.KindOf(name)
		if !ok {
			return nil, problem.Refuse("%s is not an outcome: use 'gain', 'lose', 'fail', 'clear' or 'change'.",
				problem.Clip(v.String()))
		}
		kinds = append(kinds, kind)
	}
	return func(w outcome.What) bool { return slices.Contains(kinds, w.Kind) }, nil
}

// ids returns values that are ids, as texts or not.
func (c converter) ids(n odata.Node, values []*odata.Literal) (ids []uuid.UUID, err error) {
	for _, v := range values {
		id, ok := v.Value.(uuid.UUID)
		if text, is := v.Value.(string); is {
			id, ok = guid.Parse(text)
		}
		if !ok {
			return nil, problem.Refuse("The value %s at position %d of $filter is not an id.",
				problem.Clip(v.String()), c.filter.Column(n))
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// direct returns the condition that no license of a group changes, or one of some groups.
func (c converter) direct(n odata.Node, values []*odata.Literal) (condition, error) {
	ids, err := c.ids(n, slices.DeleteFunc(slices.Clone(values), func(v *odata.Literal) bool { return v.Value == nil }))
	of := c.ofGroups(ids)
	return func(w outcome.What) bool { return len(w.Groups) == 0 || of(w) }, err
}

// ofGroups returns the condition that licenses of one of the groups change.
func (c converter) ofGroups(ids []uuid.UUID) condition {
	var groups []uint32
	for _, id := range ids {
		if group, ok := c.of.after.Directory.GroupByID(id); ok {
			groups = append(groups, group)
		} else if group, ok := c.of.before.Directory.GroupByID(id); ok {
			groups = append(groups, group)
		}
	}
	return func(w outcome.What) bool {
		return slices.ContainsFunc(w.Groups, func(g uint32) bool { return slices.Contains(groups, g) })
	}
}
