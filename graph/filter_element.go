package graph

import (
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/graph/odata"
)

// test says whether an element is one that the body of a lambda asks for.
type test func(element) bool

// having answers those who have an element that passes.
func (r *request) having(c collection, passes test, values element) *roaring.Bitmap {
	found := roaring.New()
	for it := c.candidates(r, values).Iterator(); it.HasNext(); {
		ordinal := it.Next()
		for e := range c.elements(r, ordinal) {
			if passes(e) {
				found.Add(ordinal)
				break
			}
		}
	}
	return found
}

// havingAny answers those who have an element at all.
func (r *request) havingAny(c collection) *roaring.Bitmap {
	if c.exact != nil {
		return c.exact(r, nil)
	}
	return r.having(c, func(element) bool { return true }, nil)
}

// having answers a lambda over a collection of licensing: assignedLicenses/any(x:x/skuId eq …).
func (c *converter) having(n *odata.Lambda, of collection) (condition, error) {
	name := n.Path.String()
	if n.All {
		return nil, c.unsupported(n, name, nodeText(n), "Supported is any.")
	}
	if of.advanced {
		if err := c.mustBeAdvanced(n, name+"/any"); err != nil {
			return nil, err
		}
	}
	if n.Body == nil {
		return condition{{set: c.request.havingAny(of)}}, nil
	}
	values := element{}
	passes, err := c.elementTest(n.Body, lambda{n.Variable, name, of.properties}, values)
	if err != nil {
		return nil, err
	}
	if one, ok := n.Body.(*odata.Compare); ok && one.Op == odata.Eq && of.exact != nil && len(values) == 1 {
		return condition{{set: of.exact(c.request, values)}}, nil
	}
	return condition{{set: c.request.having(of, passes, values)}}, nil
}

// lambda is where a test stands.
type lambda struct {
	variable, collection string
	properties           []string
}

// elementTest makes a test of a lambda's body. Values get the properties that must have a certain value for the whole to be true; with
// nil there is no such.
func (c *converter) elementTest(n odata.Node, in lambda, values element) (test, error) {
	switch n := n.(type) {
	case *odata.Logic:
		return c.logicTest(n, in, values)
	case *odata.Not:
		passes, err := c.elementTest(n.Arg, in, nil)
		return func(e element) bool { return !passes(e) }, err
	case *odata.Compare:
		return c.compareTest(n, in, values)
	case *odata.In:
		return c.inTest(n, in)
	}
	return nil, c.unsupported(n, in.collection, nodeText(n), "Compare a property of "+in.variable+": "+in.variable+"/"+in.properties[0]+" eq 'value'.")
}

func (c *converter) logicTest(n *odata.Logic, in lambda, values element) (test, error) {
	if n.Op == odata.Or {
		values = nil
	}
	tests := make([]test, len(n.Args))
	for i, arg := range n.Args {
		var err error
		if tests[i], err = c.elementTest(arg, in, values); err != nil {
			return nil, err
		}
	}
	return func(e element) bool {
		for _, passes := range tests {
			if passes(e) != (n.Op == odata.And) {
				return n.Op == odata.Or
			}
		}
		return n.Op == odata.And
	}, nil
}

func (c *converter) compareTest(n *odata.Compare, in lambda, values element) (test, error) {
	property, err := c.elementProperty(n.Left, in)
	if err != nil {
		return nil, err
	}
	value, err := c.elementValue(n.Right, in, property)
	if err != nil {
		return nil, err
	}
	switch n.Op {
	case odata.Eq:
		if values != nil && value != "" {
			values[property] = value
		}
		return func(e element) bool { return e[property] == value }, nil
	case odata.Ne:
		return func(e element) bool { return e[property] != value }, nil
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
	if p, ok := n.(*odata.Path); ok && len(p.Names) == 2 && p.Names[0] == in.variable && !p.Count {
		for _, name := range in.properties {
			if name == p.Names[1] {
				return name, nil
			}
		}
	}
	return "", c.unsupported(n, in.collection, nodeText(n), "Properties that can be asked for are "+strings.Join(in.properties, ", ")+", with "+in.variable+"/ in front.")
}

// elementValue is the text that a property is compared with, in lower case; null is the empty one.
func (c *converter) elementValue(n odata.Node, in lambda, property string) (string, error) {
	if literal, ok := n.(*odata.Literal); ok {
		switch v := literal.Value.(type) {
		case nil:
			return "", nil
		case string:
			return strings.ToLower(v), nil
		case uuid.UUID:
			return v.String(), nil
		}
	}
	return "", c.unsupported(n, in.collection+"/"+property, nodeText(n), "It is compared with a text in quotation marks or a GUID.")
}

// counted answers a comparison with the number of a collection's elements: assignedLicenses/$count eq 0 (P31).
func (c *converter) counted(n *odata.Compare, name string, of collection) (condition, error) {
	if err := c.mustBeAdvanced(n, name+"/$count"); err != nil {
		return nil, err
	}
	literal, _ := n.Right.(*odata.Literal)
	if literal == nil || literal.Value != int64(0) || n.Op != odata.Eq && n.Op != odata.Ne && n.Op != odata.Gt {
		return nil, c.unsupported(n, name, n.Op.String()+" "+nodeText(n.Right), "Supported are "+name+"/$count eq 0 and "+name+"/$count ne 0.")
	}
	some := condition{{set: c.request.havingAny(of)}}
	if n.Op == odata.Eq {
		some = not(c.everything(c.request), some)
	}
	return some, nil
}

// hasErrors is a property of groups that licensing knows (spec/licensing.md L14).
const hasErrors = "hasMembersWithLicenseErrors"

// withErrors answers hasMembersWithLicenseErrors eq true or false, as scripts ask.
func (c *converter) withErrors(n *odata.Compare) (condition, error) {
	literal, _ := n.Right.(*odata.Literal)
	var is, ok bool
	if literal != nil {
		is, ok = literal.Value.(bool)
	}
	if !ok || n.Op != odata.Eq {
		return nil, c.unsupported(n, hasErrors, n.Op.String()+" "+nodeText(n.Right), "Supported are eq true and eq false.")
	}
	found := roaring.New()
	for it := c.request.everyGroup().Iterator(); it.HasNext(); {
		group := it.Next()
		errors := c.request.image.Licensing.GroupErrors(group)
		if is == (errors != nil && !errors.IsEmpty()) {
			found.Add(group)
		}
	}
	return condition{{set: found}}, nil
}
