package auditlog

import (
	"strings"

	"licensor/internal/audit"
	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
)

// property is how a property of entries can be filtered.
type property struct {
	field  audit.Field
	starts bool // startswith is supported
}

// entryProperties is the table of docs/spec/audit.md U3, except the time.
var entryProperties = fold.NamesOf(map[string]property{
	"id":                                 {audit.FieldID, false},
	"activityDisplayName":                {audit.FieldActivity, true},
	"category":                           {audit.FieldCategory, false},
	"correlationId":                      {audit.FieldCorrelation, false},
	"loggedByService":                    {audit.FieldService, false},
	"operationType":                      {audit.FieldOperation, false},
	"result":                             {audit.FieldResult, false},
	"initiatedBy/user/id":                {audit.FieldUserID, false},
	"initiatedBy/user/displayName":       {audit.FieldUserName, false},
	"initiatedBy/user/userPrincipalName": {audit.FieldUserPrincipalName, true},
	"initiatedBy/app/appId":              {audit.FieldAppID, false},
	"initiatedBy/app/displayName":        {audit.FieldAppName, false},
})

// targetProperties are those of an element of targetResources.
var targetProperties = fold.NamesOf(map[string]property{
	"id":                {audit.FieldTargetID, false},
	"displayName":       {audit.FieldTargetName, true},
	"userPrincipalName": {audit.FieldTargetPrincipalName, false},
})

// conditionOf converts $filter (docs/spec/audit.md U3).
func conditionOf(filter *odata.Filter) (*audit.Condition, error) {
	if filter == nil {
		return audit.All(), nil
	}
	c := converter{filter, entryProperties, ""}
	return c.condition(filter.Root)
}

type converter struct {
	filter     *odata.Filter
	properties fold.Names[property]
	variable   string // of targetResources/any, in its condition
}

func (c *converter) refuse(n odata.Node) error {
	return problem.RefuseCondition(c.filter, n, "entries of the audit log")
}

func (c *converter) condition(n odata.Node) (*audit.Condition, error) {
	switch n := n.(type) {
	case *odata.Logic:
		return c.logic(n)
	case *odata.Compare:
		return c.compare(n)
	case *odata.Call:
		p, ok := c.property(n.Args[0])
		text, isText := odata.TextOf(n.Args[1])
		if n.Name == "startswith" && ok && p.starts && isText {
			return audit.Text(p.field, audit.OpStart, text), nil
		}
	case *odata.Lambda:
		if c.variable == "" && !n.All && n.Body != nil && strings.EqualFold(n.Path.String(), "targetResources") {
			inner := converter{c.filter, targetProperties, n.Variable}
			return inner.one(n.Body)
		}
	}
	return nil, c.refuse(n)
}

// one converts the condition on a target: a single comparison, since several would have to hold for
// the same target.
func (c *converter) one(n odata.Node) (*audit.Condition, error) {
	if joined, ok := n.(*odata.Logic); ok && joined.Op == odata.OpAnd {
		return nil, c.refuse(n)
	}
	return c.condition(n)
}

func (c *converter) logic(n *odata.Logic) (*audit.Condition, error) {
	parts := make([]*audit.Condition, len(n.Args))
	for i, arg := range n.Args {
		var err error
		if c.variable != "" {
			parts[i], err = c.one(arg)
		} else {
			parts[i], err = c.condition(arg)
		}
		if err != nil {
			return nil, err
		}
	}
	if n.Op == odata.OpAnd {
		return audit.All(parts...), nil
	}
	return audit.One(parts...), nil
}

func (c *converter) compare(n *odata.Compare) (*audit.Condition, error) {
	if path, ok := n.Left.(*odata.Path); ok && c.variable == "" && strings.EqualFold(path.String(), "activityDateTime") {
		return c.time(n)
	}
	p, ok := c.property(n.Left)
	text, isText := odata.TextOf(n.Right)
	if !ok || !isText || n.Op != odata.OpEq {
		return nil, c.refuse(n)
	}
	return audit.Text(p.field, audit.OpEqual, text), nil
}

// property returns the property of a path.
func (c *converter) property(n odata.Node) (property, bool) {
	path, ok := n.(*odata.Path)
	if !ok || path.Count {
		return property{}, false
	}
	names := path.Names
	if c.variable != "" {
		if !fold.Equal(names[0], c.variable) {
			return property{}, false
		}
		names = names[1:]
	}
	return c.properties.Find(strings.Join(names, "/"))
}

// time converts a comparison of the time, whose value may be in quotes.
func (c *converter) time(n *odata.Compare) (*audit.Condition, error) {
	ops := map[odata.Operator]audit.Op{
		odata.OpEq: audit.OpEqual, odata.OpLt: audit.OpLess, odata.OpLe: audit.OpLessOrEqual,
		odata.OpGt: audit.OpGreater, odata.OpGe: audit.OpGreaterOrEqual,
	}
	op, ok := ops[n.Op]
	at, isTime := odata.TimeOf(n.Right)
	if !ok || !isTime {
		return nil, c.refuse(n)
	}
	return audit.Time(op, at), nil
}
