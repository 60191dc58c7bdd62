package query

import (
	"strings"
	"time"

	"licensor/internal/directory"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	columns "licensor/internal/query"
)

// asksActivity reports whether a node is when users were last seen to sign in, which the directory
// does not have.
func (c *converter) asksActivity(n odata.Node) bool {
	path, ok := n.(*odata.Path)
	return ok && c.Active != nil && !path.Count && strings.EqualFold(path.String(), "signInActivity/lastSignInDateTime")
}

// active converts a comparison of the last sign-in, which must be the only condition
// (docs/spec/audit.md U35). Users who have never signed in fulfill none.
func (c *converter) active(n *odata.Compare) (*columns.Condition, error) {
	if c.filter.Root != odata.Node(n) {
		return nil, problem.Unsupported("Filter on 'signInActivity' cannot be combined with other filters.")
	}
	value, err := c.value(n.Right, directory.KindDateTime, "signInActivity")
	if err != nil {
		return nil, err
	}
	at, ok := value.(time.Time)
	if !ok { // null
		return nil, c.typed(false, n.Right, "signInActivity", directory.KindDateTime)
	}
	next := at.Add(time.Millisecond) // sign-ins have whole milliseconds
	from, until := time.UnixMilli(0), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	switch n.Op {
	case odata.OpEq:
		from, until = at, next
	case odata.OpLt:
		until = at
	case odata.OpLe:
		until = next
	case odata.OpGt:
		from = next
	case odata.OpGe:
		from = at
	default:
		return nil, c.unsupported(n, "signInActivity", nodeText(n), "eq, lt, le, gt and ge are supported.")
	}
	users, err := c.Active(from, until)
	if err != nil {
		return nil, err
	}
	c.passing = true
	return columns.Set(users), nil
}
