package query

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/fold"
	"licensor/internal/graph/edm"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	columns "licensor/internal/query"
	"licensor/internal/tenant"
)

// Scope is the context of filters.
type Scope struct {
	Image *tenant.Image
	Now   time.Time
	// Advanced means that the caller requests advanced queries (P31), and Eventual that it has sent
	// the header for them.
	Advanced, Eventual bool
	// Active returns the users whose last interactive sign-in is not before a time, and before
	// another; nil if the list cannot be filtered by that.
	Active func(from, until time.Time) (*roaring.Bitmap, error)
}

// Wanted returns the condition of $filter and $search.
func (f *Kind) Wanted(s Scope, o *odata.Options) (*Wanted, error) {
	c, err := f.filter(s, o.Filter)
	if err != nil {
		return nil, err
	}
	found, err := f.searched(s, o.Search)
	if err != nil {
		return nil, err
	}
	c.Condition = columns.And(c.Condition, found)
	return c, nil
}

// filter converts a $filter to a condition.
func (f *Kind) filter(s Scope, filter *odata.Filter) (*Wanted, error) {
	if filter == nil {
		return &Wanted{Condition: columns.All()}, nil
	}
	c := &converter{Kind: f, Scope: s, filter: filter}
	condition, err := c.condition(filter.Root)
	return &Wanted{condition, c.licensing, c.passing}, err
}

// Wanted is a condition, and its origin.
type Wanted struct {
	*columns.Condition
	Licensing bool // it depends on licensing
	Passing   bool // its result changes by itself, as time passes
}

// converter converts one filter to a condition.
type converter struct {
	*Kind
	Scope
	filter *odata.Filter

	licensing, passing bool // see Wanted
}

// maxValues limits the values of in.
const maxValues = 200

// The messages of filters that several functions refuse.
const (
	manyValuesText = "At most 200 values are possible; ask in several requests."
	sidesText      = "The left side of a comparison must be a property, the right side a value."
)

// unsupported returns the response for an unsupported part of the filter, with a detail that names
// the part and its position.
func (c *converter) unsupported(n odata.Node, property, token, remedy string) error {
	return c.refuse(property, "'%s' at position %d of the filter: %s", token, c.filter.Column(n), remedy)
}

// refuse returns the response for an unsupported filter, in the words of P30. A detail describes
// the error.
func (c *converter) refuse(property, format string, args ...any) error {
	property = c.spelled(property)
	p := problem.Unsupported("Unsupported or invalid query filter clause specified for property '%s' of resource '%s'.",
		property, c.Resource)
	if property == "" {
		p = problem.Unsupported("Unsupported or invalid query filter clause specified.")
	}
	p.Detail = &problem.Detail{Code: p.Code, Target: property, Message: fmt.Sprintf(format, args...)}
	return p
}

// spelled returns the name of a property in the spelling of the metadata.
func (c *converter) spelled(property string) string {
	if about, ok := c.About(property); ok {
		return about.Path
	}
	if of, ok := c.collectionOf(property); ok {
		return of.name
	}
	if name, ok := edm.NavigationNames.Find(property); ok {
		return name
	}
	return property
}

// mustBeAdvanced refuses conditions on a property that only advanced queries support.
func (c *converter) mustBeAdvanced(n odata.Node, property, token string) error {
	if c.Advanced {
		return nil
	}
	return c.refuse(property, "'%s' at position %d of the filter is supported in advanced queries only. Send the "+
		"header 'ConsistencyLevel: eventual' and $count=true with it.",
		token, c.filter.Column(n))
}

// condition converts a part of the filter.
func (c *converter) condition(n odata.Node) (*columns.Condition, error) {
	switch n := n.(type) {
	case *odata.Logic:
		return c.logic(n)
	case *odata.Not:
		if err := c.mustBeAdvanced(n, propertyIn(n.Arg), "not"); err != nil {
			return nil, err
		}
		arg, err := c.condition(n.Arg)
		if err != nil {
			return nil, err
		}
		return columns.Not(arg), nil
	case *odata.Lambda:
		if of, ok := c.collectionOf(n.Path.String()); ok {
			return c.having(n, of)
		}
		return c.lambda(n)
	case *odata.Compare:
		if path, ok := n.Left.(*odata.Path); ok && path.Count {
			return c.counted(n, path)
		}
		if c.asksErrors(n.Left) {
			return c.withErrors(n, n.Op, n.Right)
		}
		if c.asksActivity(n.Left) {
			return c.active(n)
		}
		return c.compare(n)
	case *odata.In:
		if c.asksErrors(n.Left) {
			return c.amongErrors(n)
		}
		return c.in(n)
	case *odata.Call:
		return c.call(n)
	case *odata.Path:
		return nil, c.unsupported(n, n.String(), n.String(), "Compare it with a value, such as "+n.String()+" eq true.")
	}
	return nil, c.unsupported(n, "", nodeText(n), "Compare a property with it.")
}

// propertyIn returns the first property that occurs in a part of a filter.
func propertyIn(n odata.Node) string {
	switch n := n.(type) {
	case *odata.Logic:
		return propertyIn(n.Args[0])
	case *odata.Not:
		return propertyIn(n.Arg)
	case *odata.Compare:
		return propertyIn(n.Left)
	case *odata.In:
		return propertyIn(n.Left)
	case *odata.Call:
		return propertyIn(n.Args[0])
	case *odata.Lambda:
		return propertyIn(n.Path)
	case *odata.Path:
		return strings.Join(n.Names, "/")
	}
	return ""
}

func (c *converter) logic(n *odata.Logic) (*columns.Condition, error) {
	licensed := func(arg odata.Node) bool { return strings.EqualFold(propertyIn(arg), "assignedLicenses") }
	if !c.Advanced && slices.ContainsFunc(n.Args, licensed) {
		return nil, problem.Unsupported("Complex query on property assignedLicenses is not supported.")
	}
	all := make([]*columns.Condition, len(n.Args))
	for i, arg := range n.Args {
		var err error
		if all[i], err = c.condition(arg); err != nil {
			return nil, err
		}
	}
	if n.Op == odata.OpAnd {
		return columns.And(all...), nil
	}
	return columns.Or(all...), nil
}

// property returns how the property of a node can be queried.
func (c *converter) property(n odata.Node) (*directory.Asked, error) {
	path, ok := n.(*odata.Path)
	if !ok {
		return nil, c.unsupported(n, "", nodeText(n),
			sidesText)
	}
	first := path.Names[0]
	name := strings.Join(path.Names, "/")
	if path.Count {
		return nil, c.unsupported(n, first, path.String(), "The number of its elements cannot be asked for.")
	}
	if about, ok := c.knows(name); ok {
		return about, nil
	}
	if about, ok := c.About(name); ok {
		return nil, c.notIndexed(n, about.Path)
	}
	return nil, c.unsupported(n, first, path.String(), "It cannot be filtered by.")
}

// notIndexed refuses a property that the objects have, but that filters cannot use (P30).
func (c *converter) notIndexed(n odata.Node, property string) error {
	p := problem.Unsupported("The request uses a filter property that is not indexed")
	p.Detail = &problem.Detail{
		Code:    p.Code,
		Target:  property,
		Message: fmt.Sprintf("'%s' at position %d of the filter cannot be filtered by.", property, c.filter.Column(n)),
	}
	return p
}

// named returns the properties that satisfy a condition, in alphabetical order.
func (f *Kind) named(is func(*directory.Asked) bool) []string {
	var names []string
	for about := range f.all() {
		if is(about) {
			names = append(names, about.Path)
		}
	}
	return names
}

// knows returns how a property can be queried, if it can.
func (f *Kind) knows(path string) (*directory.Asked, bool) {
	own, has := f.About(path)
	if has && own.Filterable != (directory.Filterable{}) && own.Kind != directory.KindComplex {
		return own, true
	}
	for _, other := range f.AlsoKnown {
		if about, ok := other.knows(path); ok {
			asked := *about
			if asked.Column = -1; has && own.Kind == about.Kind {
				asked.Column = own.Column
			}
			return &asked, true
		}
	}
	return nil, false
}

// collectionOf returns a collection of licensing; false if none has this name. A collection that
// only other kinds have is empty.
func (f *Kind) collectionOf(name string) (collection, bool) {
	if of, ok := f.licensed.Find(name); ok {
		return of, true
	}
	for _, other := range f.AlsoKnown {
		if of, ok := other.licensed.Find(name); ok {
			of.having = func(Scope, test, []string) *roaring.Bitmap { return roaring.New() }
			return of, true
		}
	}
	return collection{}, false
}

// permit refuses a comparison that the table of properties does not have (P30).
func (c *converter) permit(n odata.Node, about *directory.Asked, level directory.Level, token string) error {
	switch level {
	case directory.LevelBasic:
		return nil
	case directory.LevelAdvanced:
		return c.mustBeAdvanced(n, about.Path, token)
	}
	return c.unsupported(n, about.Path, token, "It cannot be filtered by in this way.")
}

func nodeText(n odata.Node) string {
	return (&odata.Filter{Root: n}).String()
}

// compare converts a comparison with a value: city eq 'Oslo'.
func (c *converter) compare(n *odata.Compare) (*columns.Condition, error) {
	about, err := c.property(n.Left)
	if err != nil {
		return nil, err
	}
	if err := c.operator(n, about); err != nil {
		return nil, err
	}
	value, err := c.value(n.Right, about.Kind, about.Path)
	if err != nil {
		return nil, err
	}
	level := about.Equal
	switch ordered := n.Op == odata.OpGe || n.Op == odata.OpLe; {
	case ordered && value == nil:
		return nil, c.unsupported(n, about.Path, n.Op.String(), "null is only equal to something or not.")
	case ordered:
		level = about.Range
	case value == nil:
		level = about.Null
	}
	if err := c.permit(n, about, level, n.Op.String()); err != nil {
		return nil, err
	}
	compared := c.comparison(about, n.Op, value)
	if n.Op == odata.OpNe {
		return columns.Not(compared), c.mustBeAdvanced(n, about.Path, "ne")
	}
	return compared, nil
}

// operator refuses an operator that no property of the kind has.
func (c *converter) operator(n *odata.Compare, about *directory.Asked) error {
	ordered := n.Op == odata.OpGe || n.Op == odata.OpLe
	switch {
	case about.Kind.Collection():
		return c.unsupported(n, about.Path, n.Op.String(),
			"It is a collection; ask for its elements with any: "+about.Path+"/any(x:x eq 'value').")
	case n.Op != odata.OpEq && n.Op != odata.OpNe && !ordered:
		return c.unsupported(n, about.Path, n.Op.String(), "Supported are eq, ne, not, ge, le, in, startsWith.")
	case ordered && about.Kind == directory.KindBool:
		return c.unsupported(n, about.Path, n.Op.String(), "Supported are eq, ne, not, in.")
	}
	return nil
}

// in converts a comparison with several values, one of which must be equal.
func (c *converter) in(n *odata.In) (*columns.Condition, error) {
	about, err := c.property(n.Left)
	if err != nil {
		return nil, err
	}
	if about.Kind.Collection() {
		return nil, c.unsupported(n, about.Path, "in",
			"It is a collection; ask for its elements with any: "+about.Path+"/any(x:x eq 'value').")
	}
	if len(n.Values) > maxValues {
		return nil, c.unsupported(n, about.Path, "in", manyValuesText)
	}
	if err := c.permit(n, about, about.Equal, "in"); err != nil {
		return nil, err
	}
	equal := make([]*columns.Condition, len(n.Values))
	for i, literal := range n.Values {
		value, err := c.value(literal, about.Kind, about.Path)
		if err != nil {
			return nil, err
		}
		if value == nil {
			if err := c.permit(literal, about, about.Null, "null"); err != nil {
				return nil, err
			}
		}
		equal[i] = c.comparison(about, odata.OpEq, value)
	}
	return columns.Or(equal...), nil
}

// call converts a function of text: startsWith(displayName,'Ann').
func (c *converter) call(n *odata.Call) (*columns.Condition, error) {
	about, err := c.property(n.Args[0])
	if err != nil {
		return nil, err
	}
	test, err := c.textFunction(n, about)
	if err != nil {
		return nil, err
	}
	if about.Kind != directory.KindString {
		return nil, c.noFunction(n, about)
	}
	return c.textual(about, *test), nil
}

// textFunction returns the test for a text function on a property or the elements of a collection.
func (c *converter) textFunction(n *odata.Call, about *directory.Asked) (*column.Test, error) {
	test := &column.Test{Op: column.OpStarts}
	switch {
	case n.Name == "contains":
		return nil, c.unsupported(n, about.Path, "contains", "Supported are eq, ne, not, ge, le, in, startsWith.")
	case n.Name == "endswith" && !about.Ends:
		ending := c.named(func(a *directory.Asked) bool { return a.Ends })
		if len(ending) == 0 {
			return nil, c.unsupported(n, about.Path, "endsWith", "It works on users and groups.")
		}
		return nil, c.unsupported(n, about.Path, "endsWith", "endsWith works on "+strings.Join(ending, ", ")+".")
	case n.Name == "endswith":
		test.Op = column.OpEnds
		if err := c.mustBeAdvanced(n, about.Path, "endsWith"); err != nil {
			return nil, err
		}
	default:
		if err := c.permit(n, about, about.Starts, "startsWith"); err != nil {
			return nil, err
		}
	}
	literal, ok := n.Args[1].(*odata.Literal)
	if !ok {
		return nil, c.noFunction(n, about)
	}
	text, ok := literal.Value.(string)
	if !ok {
		return nil, c.noFunction(n, about)
	}
	test.Text = fold.Text(text)
	return test, nil
}

func (c *converter) noFunction(n *odata.Call, about *directory.Asked) error {
	return c.unsupported(n.Args[1], about.Path, nodeText(n.Args[1]),
		"Functions of text take a property of text and a text: startsWith(displayName,'A').")
}

// equalID is true for the object with an id.
func (c *converter) equalID(id string) *columns.Condition {
	if ordinal, ok := c.ByID(c.Image, id); ok {
		return columns.Set(roaring.BitmapOf(ordinal))
	}
	return columns.None()
}
