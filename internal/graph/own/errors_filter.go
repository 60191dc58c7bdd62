package own

import (
	"math"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory/column"
	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// errorCondition is a condition on an error: a user and an entry in error.
type errorCondition struct {
	holds func(user uint32, e *licensing.Entry) bool
	among *roaring.Bitmap // all users with an error that fulfils it are in this set; nil: not known
}

var everyError = errorCondition{holds: func(uint32, *licensing.Entry) bool { return true }}

// errorConditionOf converts the filter of errors (docs/spec/licensing.md L77). Without a filter,
// all errors fulfil the condition.
func errorConditionOf(r *wire.Request, filter *odata.Filter, image *tenant.Image) (errorCondition, error) {
	if filter == nil {
		return everyError, nil
	}
	c := &errorConverter{request: r, image: image, filter: filter, of: "license errors"}
	return c.condition(filter.Root)
}

type errorConverter struct {
	request *wire.Request
	image   *tenant.Image
	filter  *odata.Filter
	of      string // what is filtered
}

func (c *errorConverter) refuse(n odata.Node) error {
	return problem.RefuseCondition(c.filter, n, c.of)
}

func (c *errorConverter) condition(n odata.Node) (errorCondition, error) {
	switch n := n.(type) {
	case *odata.Logic:
		return c.logic(n)
	case *odata.Not:
		return not(c.condition(n.Arg))
	case *odata.Compare:
		return c.compare(n)
	case *odata.In:
		return c.equal(n, n.Left, n.Values)
	case *odata.Call:
		return c.startsWith(n)
	}
	return errorCondition{}, c.refuse(n)
}

func not(c errorCondition, err error) (errorCondition, error) {
	holds := c.holds
	return errorCondition{holds: func(user uint32, e *licensing.Entry) bool { return !holds(user, e) }}, err
}

func (c *errorConverter) logic(n *odata.Logic) (errorCondition, error) {
	parts := make([]errorCondition, len(n.Args))
	for i, arg := range n.Args {
		var err error
		if parts[i], err = c.condition(arg); err != nil {
			return errorCondition{}, err
		}
	}
	joined := errorCondition{holds: func(user uint32, e *licensing.Entry) bool {
		for i := range parts {
			if parts[i].holds(user, e) != (n.Op == odata.OpAnd) {
				return n.Op == odata.OpOr
			}
		}
		return n.Op == odata.OpAnd
	}}
	sets, unknown := setsOf(parts)
	switch {
	case n.Op == odata.OpAnd && len(sets) > 0:
		joined.among = roaring.FastAnd(sets...)
	case n.Op == odata.OpOr && !unknown:
		joined.among = roaring.FastOr(sets...)
	}
	return joined, nil
}

// setsOf returns the known sets of users, and whether that of some part is unknown.
func setsOf(parts []errorCondition) (sets []*roaring.Bitmap, unknown bool) {
	for i := range parts {
		if parts[i].among != nil {
			sets = append(sets, parts[i].among)
		}
	}
	return sets, len(sets) < len(parts)
}

func (c *errorConverter) compare(n *odata.Compare) (errorCondition, error) {
	value, ok := n.Right.(*odata.Literal)
	if path, is := n.Left.(*odata.Path); is && fold.Equal(path.String(), "since") {
		return c.since(n)
	}
	switch {
	case ok && n.Op == odata.OpEq:
		return c.equal(n, n.Left, []*odata.Literal{value})
	case ok && n.Op == odata.OpNe:
		return not(c.equal(n, n.Left, []*odata.Literal{value}))
	}
	return errorCondition{}, c.refuse(n)
}

// since converts a comparison of the time at which an error began: the lastUpdatedDateTime of its
// state (L11).
func (c *errorConverter) since(n *odata.Compare) (errorCondition, error) {
	at, isTime := odata.TimeOf(n.Right)
	holds, ok := n.Op.HoldsFor()
	if !isTime || !ok {
		return errorCondition{}, c.refuse(n)
	}
	return errorCondition{holds: func(_ uint32, e *licensing.Entry) bool {
		return holds(began(e.Updated).Compare(at))
	}}, nil
}

// maxValues limits the values of in.
const maxValues = 200

// equal converts a comparison with values, one of which must be equal.
func (c *errorConverter) equal(n, left odata.Node, values []*odata.Literal) (found errorCondition, err error) {
	path, ok := left.(*odata.Path)
	if !ok || len(values) > maxValues {
		return found, c.refuse(n)
	}
	switch name := strings.ToLower(path.String()); name {
	case "error":
		return errorIn(values)
	case "skuid":
		found, ok = c.skuIn(values)
	case "group":
		found, ok = c.groupIn(values)
	default:
		return c.textIn(n, path, values)
	}
	if !ok {
		return found, c.refuse(n)
	}
	return found, nil
}

func errorIn(values []*odata.Literal) (found errorCondition, err error) {
	var kinds [licensing.Violations]bool
	for _, value := range values {
		name, _ := odata.TextOf(value)
		kind, known := licensing.ViolationOf(name)
		if !known {
			return found, problem.Refuse("%s is not a license error: the errors are %s.", problem.Clip(value.String()),
				problem.Quoted(violationNames()))
		}
		kinds[kind] = true
	}
	found.holds = func(_ uint32, e *licensing.Entry) bool { return kinds[e.Error] }
	return found, nil
}

func violationNames() (names []string) {
	for v := range licensing.Violations {
		names = append(names, licensing.Violation(v).String())
	}
	return names
}

func (c *errorConverter) skuIn(values []*odata.Literal) (found errorCondition, ok bool) {
	ids, ok := guidsOf(values)
	skus := make([]bool, 0)
	for _, info := range c.image.Licensing.EverySKU() {
		skus = append(skus, slices.Contains(ids, info.SKUID))
	}
	found.holds = func(_ uint32, e *licensing.Entry) bool { return skus[e.SKU] }
	return found, ok
}

// groupIn converts conditions on the group that a license comes from, which is null for a direct
// license.
func (c *errorConverter) groupIn(values []*odata.Literal) (found errorCondition, ok bool) {
	ids, ok := guidsOf(values)
	sources := map[licensing.Source]bool{}
	found.among = roaring.New()
	for _, id := range ids {
		if id == uuid.Nil {
			sources[licensing.Direct], found.among = true, nil
			continue
		}
		group, known := c.image.Directory.GroupByID(id)
		if !known {
			continue
		}
		sources[licensing.FromGroup(group)] = true
		if wrong := c.image.Licensing.GroupErrors(group); wrong != nil && found.among != nil {
			found.among.Or(wrong)
		}
	}
	found.holds = func(_ uint32, e *licensing.Entry) bool { return sources[e.Source] }
	return found, ok
}

// guidsOf returns the GUIDs of literals, uuid.Nil for null.
func guidsOf(values []*odata.Literal) (ids []uuid.UUID, ok bool) {
	for _, value := range values {
		if value.Value == nil {
			ids = append(ids, uuid.Nil)
			continue
		}
		text, _ := odata.TextOf(value)
		id, ok := guid.Parse(text)
		if !ok {
			return nil, false
		}
		ids = append(ids, id)
	}
	return ids, true
}

// userTexts are the properties of users that errors can be filtered by.
var userTexts = []string{"department", "usageLocation"}

// text returns the column of a property of users. Callers must be permitted to read it.
func (c *errorConverter) text(n, left odata.Node) (place int, err error) {
	path, ok := left.(*odata.Path)
	if !ok {
		return 0, c.refuse(n)
	}
	name, ok := fold.Among(userTexts, path.String())
	if !ok {
		return 0, c.refuse(n)
	}
	if err := maySeeUsers(c.request); err != nil {
		return 0, err
	}
	return userColumn(name), nil
}

func (c *errorConverter) textIn(n odata.Node, left *odata.Path, values []*odata.Literal) (errorCondition, error) {
	place, err := c.text(n, left)
	if err != nil {
		return errorCondition{}, err
	}
	wanted := map[string]bool{}
	for _, value := range values {
		text, ok := odata.TextOf(value)
		if !ok && value.Value != nil {
			return errorCondition{}, c.refuse(n)
		}
		wanted[fold.Text(text)] = true
	}
	table := c.image.Directory.UserColumns()
	return errorCondition{holds: func(user uint32, _ *licensing.Entry) bool {
		return wanted[foldedOf(table, user, place)]
	}}, nil
}

func (c *errorConverter) startsWith(n *odata.Call) (errorCondition, error) {
	start, ok := odata.TextOf(n.Args[1])
	if n.Name != "startswith" || !ok {
		return errorCondition{}, c.refuse(n)
	}
	place, err := c.text(n, n.Args[0])
	if err != nil {
		return errorCondition{}, err
	}
	start = fold.Text(start)
	table := c.image.Directory.UserColumns()
	return errorCondition{holds: func(user uint32, _ *licensing.Entry) bool {
		return strings.HasPrefix(foldedOf(table, user, place), start)
	}}, nil
}

// noUser is the user of what no user has. Its texts are empty.
const noUser = math.MaxUint32

func foldedOf(table *column.Table, user uint32, place int) string {
	if user == noUser {
		return ""
	}
	return table.Folded(user, place)
}
