package graph

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/directory"
	"licensor/graph/odata"
	"licensor/store"
)

// document converts a part that asks nothing of licensing.
func (c *converter) document(n odata.Node, in scope) (*store.Filter, error) {
	switch n := n.(type) {
	case *odata.Logic:
		return c.documents(n, in)
	case *odata.Not:
		if err := c.mustBeAdvanced(n, "not"); err != nil {
			return nil, err
		}
		arg, err := c.document(n.Arg, in)
		return &store.Filter{Op: store.Not, Args: []*store.Filter{arg}}, err
	case *odata.Compare:
		return c.compare(n, in)
	case *odata.In:
		return c.in(n, in)
	case *odata.Call:
		return c.call(n, in)
	case *odata.Lambda:
		return c.lambda(n, in)
	case *odata.Path:
		return nil, c.unsupported(n, n.String(), n.String(), "Compare it with a value, such as "+n.String()+" eq true.")
	}
	return nil, c.unsupported(n, "", nodeText(n), "Compare a property with it.")
}

func (c *converter) documents(n *odata.Logic, in scope) (*store.Filter, error) {
	args := make([]*store.Filter, len(n.Args))
	for i, arg := range n.Args {
		var err error
		if args[i], err = c.document(arg, in); err != nil {
			return nil, err
		}
	}
	if n.Op == odata.Or {
		return several(store.Or, args), nil
	}
	return several(store.And, args), nil
}

func (c *converter) mustBeAdvanced(n odata.Node, token string) error {
	if c.advanced {
		return nil
	}
	return unsupported("The operator '%s' at position %d of the filter is supported in advanced queries only. Send the header 'ConsistencyLevel: eventual' and $count=true with it.",
		token, c.filter.Column(n))
}

// property answers the property that a node names and the kind of its values; within a lambda, the name is empty, for it is the
// elements that are compared.
func (c *converter) property(n odata.Node, in scope) (name string, kind directory.Kind, err error) {
	path, ok := n.(*odata.Path)
	if !ok {
		return "", 0, c.unsupported(n, "", nodeText(n), "A property stands on the left of a comparison, a value on the right.")
	}
	first := path.Names[0]
	if in.variable != "" {
		if first != in.variable || len(path.Names) > 1 || path.Count {
			return "", 0, c.unsupported(n, in.collection, path.String(), "Within any, only "+in.variable+" itself can be compared.")
		}
		return "", directory.String, nil
	}
	if slices.Contains(c.later, first) {
		return "", 0, notServed("Filtering by '%s' (position %d of the filter) is not served here yet.", first, c.filter.Column(n))
	}
	kind, ok = c.kinds[first]
	if !ok || len(path.Names) > 1 || path.Count {
		return "", 0, c.unsupported(n, first, path.String(), "It cannot be filtered by.")
	}
	return first, kind, nil
}

func nodeText(n odata.Node) string {
	return (&odata.Filter{Root: n}).String()
}

// operators are the comparisons of each kind (P30).
var operators = map[odata.Operator]store.Op{odata.Eq: store.Eq, odata.Ne: store.Ne, odata.Ge: store.Ge, odata.Le: store.Le}

func (c *converter) compare(n *odata.Compare, in scope) (*store.Filter, error) {
	name, kind, err := c.property(n.Left, in)
	if err != nil {
		return nil, err
	}
	op, ok := operators[n.Op]
	ordered := op == store.Ge || op == store.Le
	switch {
	case kind == directory.StringCollection:
		return nil, c.unsupported(n, name, n.Op.String(), "It is a collection; ask for its elements with any: "+name+"/any(x:x eq 'value').")
	case !ok:
		return nil, c.unsupported(n, shown(name, in), n.Op.String(), "Supported are eq, ne, not, ge, le, in, startsWith.")
	case ordered && kind == directory.Bool:
		return nil, c.unsupported(n, shown(name, in), n.Op.String(), "Supported are eq, ne, not, in.")
	}
	if op == store.Ne {
		if err := c.mustBeAdvanced(n, "ne"); err != nil {
			return nil, err
		}
	}
	value, err := c.value(n.Right, kind, shown(name, in))
	if err != nil {
		return nil, err
	}
	if ordered && value == nil {
		return nil, c.unsupported(n, shown(name, in), n.Op.String(), "null is only equal to something or not.")
	}
	return &store.Filter{Op: op, Property: name, Value: value}, nil
}

func shown(name string, in scope) string {
	if name == "" {
		return in.collection
	}
	return name
}

func (c *converter) in(n *odata.In, in scope) (*store.Filter, error) {
	name, kind, err := c.property(n.Left, in)
	if err != nil {
		return nil, err
	}
	if kind == directory.StringCollection {
		return nil, c.unsupported(n, name, "in", "It is a collection; ask for its elements with any: "+name+"/any(x:x eq 'value').")
	}
	if len(n.Values) > maxValues {
		return nil, c.unsupported(n, shown(name, in), "in", "At most 200 values are possible; ask in several requests.")
	}
	f := &store.Filter{Op: store.Or}
	for _, literal := range n.Values {
		value, err := c.value(literal, kind, shown(name, in))
		if err != nil {
			return nil, err
		}
		f.Args = append(f.Args, &store.Filter{Op: store.Eq, Property: name, Value: value})
	}
	return several(store.Or, f.Args), nil
}

func (c *converter) call(n *odata.Call, in scope) (*store.Filter, error) {
	name, kind, err := c.property(n.Args[0], in)
	if err != nil {
		return nil, err
	}
	f := &store.Filter{Op: store.StartsWith, Property: name}
	switch {
	case n.Name == "contains":
		return nil, c.unsupported(n, shown(name, in), "contains", "Supported are eq, ne, not, ge, le, in, startsWith.")
	case n.Name == "endswith" && !slices.Contains(c.ending, shown(name, in)):
		return nil, c.unsupported(n, shown(name, in), "endsWith", "endsWith works on "+strings.Join(c.ending, ", ")+".")
	case n.Name == "endswith":
		f.Op = store.EndsWith
		if err := c.mustBeAdvanced(n, "endsWith"); err != nil {
			return nil, err
		}
	}
	text, ok := n.Args[1].(*odata.Literal)
	if value, isText := literalText(text, ok); kind == directory.String && isText {
		f.Value = value
		return f, nil
	}
	return nil, c.unsupported(n.Args[1], shown(name, in), nodeText(n.Args[1]), "Functions of text take a property of text and a text: startsWith(displayName,'A').")
}

func literalText(l *odata.Literal, ok bool) (string, bool) {
	if !ok {
		return "", false
	}
	text, ok := l.Value.(string)
	return text, ok
}

func (c *converter) lambda(n *odata.Lambda, in scope) (*store.Filter, error) {
	if in.variable != "" {
		return nil, c.unsupported(n, in.collection, n.Path.String()+"/any", "any cannot stand within any.")
	}
	name, kind, err := c.property(n.Path, in)
	if err != nil {
		return nil, err
	}
	if kind != directory.StringCollection {
		return nil, c.unsupported(n, name, n.Path.String()+"/any", "It is no collection.")
	}
	if n.All || n.Body == nil {
		return nil, c.unsupported(n, name, nodeText(n), "Supported is any with a condition: "+name+"/any(x:x eq 'value').")
	}
	body, err := c.document(n.Body, scope{n.Variable, name})
	if err != nil {
		return nil, err
	}
	return &store.Filter{Op: store.Any, Property: name, Args: []*store.Filter{body}}, nil
}

// value answers what a property of a kind is compared with.
func (c *converter) value(n odata.Node, kind directory.Kind, property string) (any, error) {
	literal, ok := n.(*odata.Literal)
	if !ok {
		return nil, c.unsupported(n, property, nodeText(n), "A property stands on the left of a comparison, a value on the right.")
	}
	if literal.Value == nil {
		return nil, nil
	}
	switch v := literal.Value.(type) {
	case string:
		return v, c.typed(kind == directory.String, n, property, kind)
	case uuid.UUID: // bare (P37)
		return v.String(), c.typed(property == "id", n, property, kind)
	case bool:
		return v, c.typed(kind == directory.Bool, n, property, kind)
	case int64:
		return v, c.typed(kind == directory.Int32, n, property, kind)
	case time.Time:
		return v, c.typed(kind == directory.DateTime, n, property, kind)
	case odata.Date:
		day, err := time.Parse(time.DateOnly, string(v))
		return day, c.typed(kind == directory.DateTime && err == nil, n, property, kind)
	}
	return nil, c.typed(false, n, property, kind)
}

// typed refuses a value of the wrong type.
func (c *converter) typed(ok bool, n odata.Node, property string, kind directory.Kind) error {
	if ok {
		return nil
	}
	want := map[directory.Kind]string{
		directory.String: "a text in quotation marks", directory.Bool: "true or false",
		directory.DateTime: "a time, such as 2026-01-31T12:00:00Z", directory.Int32: "a whole number",
	}[kind]
	return c.unsupported(n, property, nodeText(n), "It is compared with "+want+".")
}
