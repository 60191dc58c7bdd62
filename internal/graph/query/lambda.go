package query

import (
	"slices"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	columns "licensor/internal/query"
)

// lambda converts a condition on the elements of a collection:
// proxyAddresses/any(p:startsWith(p,'smtp:')).
func (c *converter) lambda(n *odata.Lambda) (*columns.Condition, error) {
	about, err := c.property(n.Path)
	if err != nil {
		return nil, err
	}
	if !about.Kind.Collection() {
		return nil, c.unsupported(n, about.Path, n.Path.String()+"/any", "It is not a collection.")
	}
	if n.All || n.Body == nil {
		return nil, c.unsupported(n, about.Path, nodeText(n),
			"Supported is any with a condition: "+about.Path+"/any(x:x eq 'value').")
	}
	body, err := c.element(n.Body, elementScope{n.Variable, about})
	if err != nil {
		return nil, err
	}
	if about.Column < 0 { // there are no elements
		return columns.None(), nil
	}
	return columns.Any(about.Column, body), nil
}

// elementScope is the context of a condition on an element.
type elementScope struct {
	variable string
	about    *directory.Asked // the collection
}

// element converts a condition on one element.
func (c *converter) element(n odata.Node, in elementScope) (*column.Element, error) {
	switch n := n.(type) {
	case *odata.Logic:
		return c.elements(n, in)
	case *odata.Not:
		if err := c.mustBeAdvanced(n, in.about.Path, "not"); err != nil {
			return nil, err
		}
		arg, err := c.element(n.Arg, in)
		return &column.Element{Join: column.JoinNot, Args: []*column.Element{arg}}, err
	case *odata.Compare:
		return c.compareElement(n, in)
	case *odata.In:
		return c.inElement(n, in)
	case *odata.Call:
		return c.callElement(n, in)
	case *odata.Lambda:
		return nil, c.unsupported(n, in.about.Path, n.Path.String()+"/any", "any cannot stand within any.")
	case *odata.Path:
		return nil, c.unsupported(n, n.String(), n.String(), "Compare it with a value, such as "+n.String()+" eq true.")
	}
	return nil, c.unsupported(n, "", nodeText(n), "Compare a property with it.")
}

func (c *converter) elements(n *odata.Logic, in elementScope) (*column.Element, error) {
	e := &column.Element{Join: column.JoinOr, Args: make([]*column.Element, len(n.Args))}
	if n.Op == odata.OpAnd {
		e.Join = column.JoinAnd
	}
	for i, arg := range n.Args {
		var err error
		if e.Args[i], err = c.element(arg, in); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// field returns the place of the field that a node names; in a collection of texts, that of the
// element itself.
func (c *converter) field(n odata.Node, in elementScope) (int, error) {
	path, ok := n.(*odata.Path)
	if !ok {
		return 0, c.unsupported(n, "", nodeText(n),
			sidesText)
	}
	if in.about.Kind == directory.KindStringCollection {
		if !fold.Equal(path.Names[0], in.variable) || len(path.Names) > 1 || path.Count {
			return 0, c.unsupported(n, in.about.Path, path.String(),
				"Within any, only "+in.variable+" itself can be compared.")
		}
		return 0, nil
	}
	if fold.Equal(path.Names[0], in.variable) && len(path.Names) == 2 && !path.Count {
		at := slices.IndexFunc(in.about.Fields, func(f string) bool { return fold.Equal(f, path.Names[1]) })
		if at >= 0 {
			return at, nil
		}
	}
	return 0, c.unsupported(n, in.about.Path, path.String(),
		"Within any, a property of "+in.variable+" is compared: "+strings.Join(in.about.Fields, ", ")+".")
}

func (c *converter) compareElement(n *odata.Compare, in elementScope) (*column.Element, error) {
	field, err := c.field(n.Left, in)
	if err != nil {
		return nil, err
	}
	if _, ok := textOperators[n.Op]; !ok {
		return nil, c.unsupported(n, in.about.Path, n.Op.String(), "Supported are eq, ne, not, ge, le, in, startsWith.")
	}
	value, err := c.value(n.Right, directory.KindString, in.about.Path)
	if err != nil {
		return nil, err
	}
	level := in.about.Equal
	switch ordered := n.Op == odata.OpGe || n.Op == odata.OpLe; {
	case ordered && value == nil:
		return nil, c.unsupported(n, in.about.Path, n.Op.String(), "null is only equal to something or not.")
	case ordered:
		level = in.about.Range
	case value == nil:
		level = in.about.Null
	}
	if err := c.permit(n, in.about, level, n.Op.String()); err != nil {
		return nil, err
	}
	e := is(field, n.Op, value)
	if n.Op == odata.OpNe {
		return &column.Element{Join: column.JoinNot, Args: []*column.Element{e}}, c.mustBeAdvanced(n, in.about.Path, "ne")
	}
	return e, nil
}

// is compares a field of an element with a text or null.
func is(field int, op odata.Operator, value any) *column.Element {
	text, ok := value.(string)
	if !ok {
		present := &column.Element{Join: column.JoinIs, Field: field, Test: &column.Test{Op: column.OpPresent}}
		return &column.Element{Join: column.JoinNot, Args: []*column.Element{present}}
	}
	test := &column.Test{Op: textOperators[op], Text: fold.Text(text)}
	return &column.Element{Join: column.JoinIs, Field: field, Test: test}
}

func (c *converter) inElement(n *odata.In, in elementScope) (*column.Element, error) {
	field, err := c.field(n.Left, in)
	if err != nil {
		return nil, err
	}
	if len(n.Values) > maxValues {
		return nil, c.unsupported(n, in.about.Path, "in", manyValuesText)
	}
	if err := c.permit(n, in.about, in.about.Equal, "in"); err != nil {
		return nil, err
	}
	e := &column.Element{Join: column.JoinOr, Args: make([]*column.Element, len(n.Values))}
	for i, literal := range n.Values {
		value, err := c.value(literal, directory.KindString, in.about.Path)
		if err != nil {
			return nil, err
		}
		if value == nil {
			if err := c.permit(literal, in.about, in.about.Null, "null"); err != nil {
				return nil, err
			}
		}
		e.Args[i] = is(field, odata.OpEq, value)
	}
	return e, nil
}

func (c *converter) callElement(n *odata.Call, in elementScope) (*column.Element, error) {
	field, err := c.field(n.Args[0], in)
	if err != nil {
		return nil, err
	}
	test, err := c.textFunction(n, in.about)
	return &column.Element{Join: column.JoinIs, Field: field, Test: test}, err
}
