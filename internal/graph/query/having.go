package query

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	columns "licensor/internal/query"
)

// having converts a lambda over a collection of licensing: assignedLicenses/any(x:x/skuId eq …).
// Its value is computed here.
func (c *converter) having(n *odata.Lambda, of collection) (*columns.Condition, error) {
	name := of.name
	if n.All {
		return nil, c.unsupported(n, name, nodeText(n), "Supported is any.")
	}
	if of.advanced {
		if err := c.mustBeAdvanced(n, name, name+"/any"); err != nil {
			return nil, err
		}
	}
	if n.Body == nil {
		return c.answeredBy(of, anyElement, nil), nil
	}
	in := lambda{n.Variable, name, of.properties, of.nullable}
	passes, err := c.elementTest(n.Body, in)
	if err != nil {
		return nil, err
	}
	return c.answeredBy(of, passes, c.valuesOf(n.Body, in)), nil
}

// valuesOf returns the values of which the first property of an element must have one for a body to
// be true; nil if the body has other conditions.
func (c *converter) valuesOf(body odata.Node, in lambda) []string {
	var left odata.Node
	var values []*odata.Literal
	switch n := body.(type) {
	case *odata.Compare:
		value, ok := n.Right.(*odata.Literal)
		if !ok || n.Op != odata.OpEq {
			return nil
		}
		left, values = n.Left, []*odata.Literal{value}
	case *odata.In:
		left, values = n.Left, n.Values
	default:
		return nil
	}
	if property, err := c.elementProperty(left, in); err != nil || property != in.properties[0] {
		return nil
	}
	named := make([]string, 0, len(values))
	for _, value := range values {
		text, err := c.elementValue(value, in, in.properties[0])
		if err != nil {
			return nil
		}
		named = append(named, text)
	}
	return named
}

func anyElement(element) bool { return true }

// answeredBy is true for objects with an element that satisfies the test.
func (c *converter) answeredBy(of collection, passes test, named []string) *columns.Condition {
	c.licensing, c.passing = true, c.passing || of.passing
	return columns.Set(of.having(c.Scope, passes, named))
}

// lambda is the context of a test.
type lambda struct {
	variable, collection string
	properties           []string
	nullable             bool
}

// elementTest converts a lambda's body to a test.
func (c *converter) elementTest(n odata.Node, in lambda) (test, error) {
	switch n := n.(type) {
	case *odata.Logic:
		return c.logicTest(n, in)
	case *odata.Not:
		if err := c.mustBeAdvanced(n, in.collection, "not"); err != nil {
			return nil, err
		}
		passes, err := c.elementTest(n.Arg, in)
		return func(e element) bool { return !passes(e) }, err
	case *odata.Compare:
		return c.compareTest(n, in)
	case *odata.In:
		return c.inTest(n, in)
	}
	return nil, c.unsupported(n, in.collection, nodeText(n),
		"Compare a property of "+in.variable+": "+in.variable+"/"+in.properties[0]+" eq 'value'.")
}

func (c *converter) logicTest(n *odata.Logic, in lambda) (test, error) {
	tests := make([]test, len(n.Args))
	for i, arg := range n.Args {
		var err error
		if tests[i], err = c.elementTest(arg, in); err != nil {
			return nil, err
		}
	}
	return func(e element) bool {
		for _, passes := range tests {
			if passes(e) != (n.Op == odata.OpAnd) {
				return n.Op == odata.OpOr
			}
		}
		return n.Op == odata.OpAnd
	}, nil
}

func (c *converter) compareTest(n *odata.Compare, in lambda) (test, error) {
	property, err := c.elementProperty(n.Left, in)
	if err != nil {
		return nil, err
	}
	value, err := c.elementValue(n.Right, in, property)
	if err != nil {
		return nil, err
	}
	switch n.Op {
	case odata.OpEq:
		return func(e element) bool { return e[property] == value }, nil
	case odata.OpNe:
		return func(e element) bool { return e[property] != value }, c.mustBeAdvanced(n, in.collection, "ne")
	}
	return nil, c.unsupported(n, in.collection, n.Op.String(), "Supported are eq, ne, not, in.")
}

func (c *converter) inTest(n *odata.In, in lambda) (test, error) {
	property, err := c.elementProperty(n.Left, in)
	if err != nil {
		return nil, err
	}
	values := map[string]bool{}
	for _, literal := range n.Values {
		value, err := c.elementValue(literal, in, property)
		if err != nil {
			return nil, err
		}
		values[value] = true
	}
	return func(e element) bool { return values[e[property]] }, nil
}

func (c *converter) elementProperty(n odata.Node, in lambda) (string, error) {
	if p, ok := n.(*odata.Path); ok && len(p.Names) == 2 && fold.Equal(p.Names[0], in.variable) && !p.Count {
		if name, ok := fold.Among(in.properties, p.Names[1]); ok {
			return name, nil
		}
	}
	return "", c.unsupported(n, in.collection, nodeText(n),
		"Properties that can be asked for are "+strings.Join(in.properties, ", ")+", with "+in.variable+"/ in front.")
}

// elementValue returns the text that a property is compared with, in lower case; null is the empty
// text.
func (c *converter) elementValue(n odata.Node, in lambda, property string) (string, error) {
	if literal, ok := n.(*odata.Literal); ok {
		switch v := literal.Value.(type) {
		case nil:
			if !in.nullable {
				return "", c.unsupported(n, in.collection, "null", "It is never null.")
			}
			return "", nil
		case string:
			return strings.ToLower(v), nil
		case uuid.UUID:
			return v.String(), nil
		}
	}
	return "", c.unsupported(n, in.collection+"/"+property, nodeText(n),
		"It is compared with a text in quotation marks or a GUID.")
}

// amongErrors converts hasMembersWithLicenseErrors in (true).
func (c *converter) amongErrors(n *odata.In) (*columns.Condition, error) {
	all := make([]*columns.Condition, len(n.Values))
	for i, value := range n.Values {
		var err error
		if all[i], err = c.withErrors(n, odata.OpEq, value); err != nil {
			return nil, err
		}
	}
	return columns.Or(all...), nil
}

// hasErrors is a property of groups that licensing computes (docs/spec/licensing.md L14).
const hasErrors = "hasMembersWithLicenseErrors"

// asksErrors reports whether a part of a filter names that property, in a list with groups.
func (c *converter) asksErrors(n odata.Node) bool {
	path, ok := n.(*odata.Path)
	return ok && fold.Equal(path.String(), hasErrors) && c.hasGroups()
}

// hasGroups reports whether the list has groups.
func (f *Kind) hasGroups() bool {
	isOfGroups := func(k *Kind) bool { return k.Type == directory.TypeGroup }
	return isOfGroups(f) || slices.ContainsFunc(f.AlsoKnown, isOfGroups)
}

// withErrors converts hasMembersWithLicenseErrors eq true, which scripts use. It is never null.
func (c *converter) withErrors(n odata.Node, op odata.Operator, value odata.Node) (*columns.Condition, error) {
	literal, _ := value.(*odata.Literal)
	var is, ok bool
	if literal != nil {
		is, ok = literal.Value.(bool)
		ok = ok || literal.Value == nil
	}
	if !ok || op != odata.OpEq && op != odata.OpNe {
		return nil, c.unsupported(n, hasErrors, op.String()+" "+nodeText(value),
			"Supported are eq, ne and in, with true, false and null.")
	}
	c.licensing = true
	found := columns.None()
	if c.Type == directory.TypeGroup && literal.Value != nil {
		found = columns.Set(groupsInError(c.Scope, is))
	}
	if op == odata.OpEq {
		return found, nil
	}
	return columns.Not(found), c.mustBeAdvanced(n, hasErrors, "ne")
}
