package graph

import (
	"iter"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/directory"
	"licensor/directory/column"
	"licensor/fold"
	"licensor/graph/odata"
	"licensor/query"
	"licensor/store"
	"licensor/tenant"
)

// filters is what can be asked of a type of object.
type filters struct {
	resource string // User
	kind     store.Kind
	about    func(path string) (*directory.Asked, bool)
	all      func() iter.Seq[*directory.Asked]
	answered []string              // properties that can be compared in every way, whatever the table of properties says
	loose    bool                  // texts can be compared with any value, as it is written
	later    []string              // properties that cannot be filtered by yet
	licensed map[string]collection // collections that come from the image, not from columns
	byID     func(img *tenant.Image, id string) (ordinal uint32, ok bool)
	id       func(img *tenant.Image, ordinal uint32) string
	// alsoKnown are those of other kinds of objects in the same list: what only they have is null here.
	alsoKnown []*filters
}

var userFilters = &filters{
	resource: "User", kind: store.KindUser, about: directory.AboutUser, all: directory.AllAboutUsers,
	answered: []string{
		"accountEnabled", "businessPhones", "city", "companyName", "country", "createdDateTime", "department", "displayName",
		"employeeId", "givenName", "id", "imAddresses", "jobTitle", "mail", "mailNickname", "mobilePhone", "officeLocation", "onPremisesImmutableId",
		"otherMails", "postalCode", "proxyAddresses", "state", "surname", "usageLocation", "userPrincipalName", "userType",
	},
	later:    []string{"manager", "directReports"},
	licensed: userCollections,
	byID: func(img *tenant.Image, text string) (uint32, bool) {
		id, ok := parseGUID(text)
		ordinal, found := img.Directory.UserByID(id)
		return ordinal, ok && found
	},
	id: func(img *tenant.Image, ordinal uint32) string { return img.Directory.UserID(ordinal).String() },
}

var groupFilters = &filters{
	resource: "Group", kind: store.KindGroup, about: directory.AboutGroup, all: directory.AllAboutGroups,
	answered: []string{
		"createdDateTime", "description", "displayName", "groupTypes", "id", "mail", "mailEnabled", "mailNickname", "proxyAddresses",
		"securityEnabled", "visibility",
	},
	later:    []string{"licenseProcessingState", "members", "owners", "memberOf"},
	licensed: groupCollections,
	byID: func(img *tenant.Image, text string) (uint32, bool) {
		id, ok := parseGUID(text)
		ordinal, found := img.Directory.GroupByID(id)
		return ordinal, ok && found
	},
	id: func(img *tenant.Image, ordinal uint32) string { return img.Directory.GroupID(ordinal).String() },
}

// filter turns the request's $filter into a condition.
func (r *request) filter(f *filters) (*converted, error) {
	c := &converter{filters: f, request: r, filter: r.options.Filter, advanced: r.advanced()}
	if c.filter == nil {
		return &converted{Condition: query.All()}, nil
	}
	condition, err := c.condition(c.filter.Root)
	return &converted{condition, c.licensing, c.passing}, err
}

// converted is a condition, and what it was made of.
type converted struct {
	*query.Condition
	licensing bool // it asks something of licensing
	passing   bool // what it is true of changes by itself, as time goes by
}

// advanced says whether the caller asks for the advanced queries (P31).
func (r *request) advanced() bool {
	return r.eventual() && (r.options.Count || strings.HasSuffix(r.URL.Path, "/$count"))
}

// converter turns one filter into a condition.
type converter struct {
	*filters
	request  *request
	filter   *odata.Filter
	advanced bool // the caller asks for the advanced queries (P31)

	licensing, passing bool // see converted
}

// maxValues bounds the values of in.
const maxValues = 200

// unsupported is the answer for a part of the filter that cannot be; it says where the part stands.
func (c *converter) unsupported(n odata.Node, property, token, remedy string) error {
	return unsupported("Unsupported or invalid query filter clause specified for property '%s' of resource '%s': '%s' at position %d. %s",
		property, c.resource, token, c.filter.Column(n), remedy)
}

func (c *converter) mustBeAdvanced(n odata.Node, token string) error {
	if c.advanced {
		return nil
	}
	return unsupported("The operator '%s' at position %d of the filter is supported in advanced queries only. Send the header 'ConsistencyLevel: eventual' and $count=true with it.",
		token, c.filter.Column(n))
}

// condition converts a part of the filter.
func (c *converter) condition(n odata.Node) (*query.Condition, error) {
	switch n := n.(type) {
	case *odata.Logic:
		return c.logic(n)
	case *odata.Not:
		if err := c.mustBeAdvanced(n, "not"); err != nil {
			return nil, err
		}
		arg, err := c.condition(n.Arg)
		if err != nil {
			return nil, err
		}
		return query.Not(arg), nil
	case *odata.Lambda:
		if of, ok := c.collectionOf(n.Path.String()); ok {
			return c.having(n, of)
		}
		return c.lambda(n)
	case *odata.Compare:
		if path, ok := n.Left.(*odata.Path); ok {
			if of, ok := c.collectionOf(path.Names[0]); ok && path.Count {
				return c.counted(n, path.Names[0], of)
			}
			if path.String() == hasErrors && c.hasGroups() {
				return c.withErrors(n)
			}
		}
		return c.compare(n)
	case *odata.In:
		return c.in(n)
	case *odata.Call:
		return c.call(n)
	case *odata.Path:
		return nil, c.unsupported(n, n.String(), n.String(), "Compare it with a value, such as "+n.String()+" eq true.")
	}
	return nil, c.unsupported(n, "", nodeText(n), "Compare a property with it.")
}

func (c *converter) logic(n *odata.Logic) (*query.Condition, error) {
	all := make([]*query.Condition, len(n.Args))
	for i, arg := range n.Args {
		var err error
		if all[i], err = c.condition(arg); err != nil {
			return nil, err
		}
	}
	if n.Op == odata.And {
		return query.And(all...), nil
	}
	return query.Or(all...), nil
}

// property returns what can be asked about the property that a node names.
func (c *converter) property(n odata.Node) (*directory.Asked, error) {
	path, ok := n.(*odata.Path)
	if !ok {
		return nil, c.unsupported(n, "", nodeText(n), "A property stands on the left of a comparison, a value on the right.")
	}
	first := path.Names[0]
	if !path.Count {
		if about, ok := c.knows(strings.Join(path.Names, "/")); ok {
			return about, nil
		}
	}
	if slices.Contains(c.later, first) {
		return nil, notServed("Filtering by '%s' (position %d of the filter) is not served here yet.", first, c.filter.Column(n))
	}
	return nil, c.unsupported(n, first, path.String(), "It cannot be filtered by.")
}

// named lists the properties of which something is true, in alphabetical order.
func (f *filters) named(is func(*directory.Asked) bool) []string {
	var names []string
	for about := range f.all() {
		if is(about) {
			names = append(names, about.Path)
		}
	}
	return names
}

// knows returns what can be asked about a property, if anything.
func (f *filters) knows(path string) (*directory.Asked, bool) {
	if about, ok := f.about(path); ok && (slices.Contains(f.answered, about.Path) || about.Filterable != directory.Filterable{}) {
		return about, true
	}
	for _, other := range f.alsoKnown {
		if about, ok := other.knows(path); ok {
			lacking := *about
			if lacking.Column = -1; slices.Contains(other.answered, about.Path) {
				lacking.Filterable = directory.Filterable{Equal: directory.Basic, Starts: directory.Basic, Range: directory.Basic, Null: directory.Basic}
			}
			return &lacking, true
		}
	}
	return nil, false
}

// collectionOf returns a collection of licensing; false when there is none with this name. One that only other kinds have is empty.
func (f *filters) collectionOf(name string) (collection, bool) {
	if of, ok := f.licensed[name]; ok {
		return of, true
	}
	for _, other := range f.alsoKnown {
		if of, ok := other.licensed[name]; ok {
			of.having = func(*request, test, []string) *roaring.Bitmap { return roaring.New() }
			return of, true
		}
	}
	return collection{}, false
}

// permit refuses a comparison that the table of properties does not have (P30). What was answered before is still.
func (c *converter) permit(n odata.Node, about *directory.Asked, level directory.Level, token string) error {
	switch {
	case slices.Contains(c.answered, about.Path), level == directory.Basic:
		return nil
	case level == directory.Advanced:
		return c.mustBeAdvanced(n, token)
	}
	return c.unsupported(n, about.Path, token, "It cannot be filtered by in this way.")
}

func nodeText(n odata.Node) string {
	return (&odata.Filter{Root: n}).String()
}

// compare converts a comparison with a value: city eq 'Oslo'.
func (c *converter) compare(n *odata.Compare) (*query.Condition, error) {
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
	switch {
	case value == nil:
		level = about.Null
	case n.Op == odata.Ge || n.Op == odata.Le:
		level = about.Range
	}
	if err := c.permit(n, about, level, n.Op.String()); err != nil {
		return nil, err
	}
	if (n.Op == odata.Ge || n.Op == odata.Le) && value == nil {
		return nil, c.unsupported(n, about.Path, n.Op.String(), "null is only equal to something or not.")
	}
	compared := c.comparison(about, n.Op, value)
	if n.Op == odata.Ne {
		compared = query.Not(compared)
	}
	return compared, nil
}

// operator refuses an operator that no property of the kind has.
func (c *converter) operator(n *odata.Compare, about *directory.Asked) error {
	ordered := n.Op == odata.Ge || n.Op == odata.Le
	switch {
	case about.Kind.Collection():
		return c.unsupported(n, about.Path, n.Op.String(), "It is a collection; ask for its elements with any: "+about.Path+"/any(x:x eq 'value').")
	case n.Op != odata.Eq && n.Op != odata.Ne && !ordered:
		return c.unsupported(n, about.Path, n.Op.String(), "Supported are eq, ne, not, ge, le, in, startsWith.")
	case ordered && about.Kind == directory.Bool:
		return c.unsupported(n, about.Path, n.Op.String(), "Supported are eq, ne, not, in.")
	case n.Op == odata.Ne:
		return c.mustBeAdvanced(n, "ne")
	}
	return nil
}

// in converts a comparison with several values of which one must be equal.
func (c *converter) in(n *odata.In) (*query.Condition, error) {
	about, err := c.property(n.Left)
	if err != nil {
		return nil, err
	}
	if about.Kind.Collection() {
		return nil, c.unsupported(n, about.Path, "in", "It is a collection; ask for its elements with any: "+about.Path+"/any(x:x eq 'value').")
	}
	if len(n.Values) > maxValues {
		return nil, c.unsupported(n, about.Path, "in", "At most 200 values are possible; ask in several requests.")
	}
	if err := c.permit(n, about, about.Equal, "in"); err != nil {
		return nil, err
	}
	equal := make([]*query.Condition, len(n.Values))
	for i, literal := range n.Values {
		value, err := c.value(literal, about.Kind, about.Path)
		if err != nil {
			return nil, err
		}
		equal[i] = c.comparison(about, odata.Eq, value)
	}
	return query.Or(equal...), nil
}

// call converts a function of text: startsWith(displayName,'Ann').
func (c *converter) call(n *odata.Call) (*query.Condition, error) {
	about, err := c.property(n.Args[0])
	if err != nil {
		return nil, err
	}
	test, err := c.textFunction(n, about)
	if err != nil {
		return nil, err
	}
	if about.Kind != directory.String {
		return nil, c.noFunction(n, about)
	}
	if about.Path == "id" {
		return c.identified(test), nil
	}
	return c.textual(about, *test), nil
}

// textFunction makes the test that a function of text is, of a property or the elements of a collection.
func (c *converter) textFunction(n *odata.Call, about *directory.Asked) (*column.Test, error) {
	test := &column.Test{Op: column.Starts}
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
		test.Op = column.Ends
		if err := c.mustBeAdvanced(n, "endsWith"); err != nil {
			return nil, err
		}
	default:
		if err := c.permit(n, about, about.Starts, "startsWith"); err != nil {
			return nil, err
		}
	}
	literal, ok := n.Args[1].(*odata.Literal)
	switch text, isText := literalText(literal, ok); {
	case isText:
		test.Text = fold.Text(text)
	case ok && c.loose:
		test.Text = fold.Text(textOf(literal))
	default:
		return nil, c.noFunction(n, about)
	}
	return test, nil
}

func (c *converter) noFunction(n *odata.Call, about *directory.Asked) error {
	return c.unsupported(n.Args[1], about.Path, nodeText(n.Args[1]), "Functions of text take a property of text and a text: startsWith(displayName,'A').")
}

func literalText(l *odata.Literal, ok bool) (string, bool) {
	if !ok {
		return "", false
	}
	text, ok := l.Value.(string)
	return text, ok
}

// identified is true of the objects whose id passes a test. Ids are in no column.
func (c *converter) identified(test *column.Test) *query.Condition {
	image := c.request.image
	return query.Func(func(ordinal uint32) bool { return test.Match(c.id(image, ordinal)) })
}

// equalID is true of the object with an id.
func (c *converter) equalID(id string) *query.Condition {
	if ordinal, ok := c.byID(c.request.image, id); ok {
		return query.Set(roaring.BitmapOf(ordinal))
	}
	return query.None()
}
