package auditlog

import (
	"cmp"
	"strings"
	"time"

	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/signins"
)

// signInCondition is a condition on sign-ins, and the times between which all are that fulfill it.
type signInCondition struct {
	holds       func(*signins.SignIn) bool
	from, until time.Time // until is exclusive; zero: no limit
}

// text is how a text of sign-ins can be filtered.
type text struct {
	of           func(*signins.SignIn) string
	starts, beta bool // startswith is supported; only beta has it
}

// signInTexts is the table of docs/spec/audit.md U30, except for the properties that are not texts.
var signInTexts = fold.NamesOf(map[string]text{
	"appDisplayName":       {of: func(s *signins.SignIn) string { return s.AppName }, starts: true},
	"appId":                {of: appIDOf},
	"clientAppUsed":        {of: clientOf},
	"correlationId":        {of: func(s *signins.SignIn) string { return s.Correlation.String() }},
	"id":                   {of: func(s *signins.SignIn) string { return s.ID.String() }},
	"ipAddress":            {of: func(s *signins.SignIn) string { return s.Address }, starts: true},
	"servicePrincipalId":   {of: principalIDOf, beta: true},
	"servicePrincipalName": {of: principalNameOf, starts: true, beta: true},
	"userDisplayName":      {of: userNameOf, starts: true},
	"userId":               {of: userIDOf},
	"userPrincipalName":    {of: func(s *signins.SignIn) string { return s.Name }, starts: true},
})

// signInConditionOf converts $filter (docs/spec/audit.md U30). Without a condition on the kind,
// only interactive sign-ins are found. v1.0 has those of users only.
func signInConditionOf(r *wire.Request) (signInCondition, error) {
	all := signInCondition{holds: isInteractive}
	if r.Options.Filter == nil {
		return all, nil
	}
	c := signInConverter{filter: r.Options.Filter, beta: r.Beta}
	found, err := c.condition(c.filter.Root)
	switch {
	case err != nil:
		return found, err
	case !c.kinds:
		return found.and(all), nil
	case !r.Beta:
		return found.and(signInCondition{holds: func(s *signins.SignIn) bool { return !ofPrincipal(s) }}), nil
	}
	return found, nil
}

type signInConverter struct {
	filter   *odata.Filter
	beta     bool
	kinds    bool   // there is a condition on the kind
	variable string // of signInEventTypes/any, in its condition
}

func (c *signInConverter) refuse(n odata.Node) error {
	return problem.RefuseCondition(c.filter, n, "sign-ins")
}

func (c *signInConverter) condition(n odata.Node) (signInCondition, error) {
	switch n := n.(type) {
	case *odata.Logic:
		return c.logic(n)
	case *odata.Compare:
		return c.compare(n)
	case *odata.Call:
		p, ok := c.text(n.Args[0])
		start, isText := odata.TextOf(n.Args[1])
		if n.Name == "startswith" && ok && p.starts && isText {
			start = fold.Text(start)
			return signInCondition{holds: func(s *signins.SignIn) bool {
				return strings.HasPrefix(fold.Text(p.of(s)), start)
			}}, nil
		}
	case *odata.Lambda:
		if c.beta && c.variable == "" && !n.All && n.Body != nil && fold.Equal(n.Path.String(), "signInEventTypes") {
			c.kinds, c.variable = true, n.Variable
			defer func() { c.variable = "" }()
			return c.condition(n.Body)
		}
	}
	return signInCondition{}, c.refuse(n)
}

func (c *signInConverter) logic(n *odata.Logic) (signInCondition, error) {
	var joined signInCondition
	for i, arg := range n.Args {
		part, err := c.condition(arg)
		switch {
		case err != nil:
			return joined, err
		case i == 0:
			joined = part
		case n.Op == odata.OpAnd:
			joined = joined.and(part)
		default:
			joined = joined.or(part)
		}
	}
	return joined, nil
}

func (c signInCondition) and(other signInCondition) signInCondition {
	one, two := c.holds, other.holds
	c.holds = func(s *signins.SignIn) bool { return one(s) && two(s) }
	if c.from.Before(other.from) {
		c.from = other.from
	}
	if c.until.IsZero() || !other.until.IsZero() && other.until.Before(c.until) {
		c.until = other.until
	}
	return c
}

func (c signInCondition) or(other signInCondition) signInCondition {
	one, two := c.holds, other.holds
	c.holds = func(s *signins.SignIn) bool { return one(s) || two(s) }
	if other.from.Before(c.from) {
		c.from = other.from
	}
	if other.until.IsZero() || !c.until.IsZero() && c.until.Before(other.until) {
		c.until = other.until
	}
	return c
}

func (c *signInConverter) compare(n *odata.Compare) (signInCondition, error) {
	path, ok := n.Left.(*odata.Path)
	if !ok || path.Count {
		return signInCondition{}, c.refuse(n)
	}
	if c.variable != "" {
		return c.kind(path, n)
	}
	switch strings.ToLower(path.String()) {
	case "createddatetime":
		if at, ok := odata.TimeOf(n.Right); ok {
			return c.time(n, at)
		}
	case "status/errorcode":
		if code, ok := literalOf[int64](n.Right); ok {
			return c.number(n, code)
		}
	case "isinteractive":
		if is, ok := literalOf[bool](n.Right); ok && n.Op == odata.OpEq {
			c.kinds = true
			return signInCondition{holds: func(s *signins.SignIn) bool { return isInteractive(s) == is }}, nil
		}
	}
	p, ok := c.text(path)
	value, isText := odata.TextOf(n.Right)
	if !ok || !isText || n.Op != odata.OpEq {
		return signInCondition{}, c.refuse(n)
	}
	return signInCondition{holds: func(s *signins.SignIn) bool {
		has := p.of(s)
		return has != "" && fold.Equal(has, value)
	}}, nil
}

// kind converts the comparison of an element of signInEventTypes, of which each sign-in has one.
func (c *signInConverter) kind(path *odata.Path, n *odata.Compare) (signInCondition, error) {
	kind, ok := odata.TextOf(n.Right)
	if len(path.Names) != 1 || !fold.Equal(path.Names[0], c.variable) || !ok || n.Op != odata.OpEq {
		return signInCondition{}, c.refuse(n)
	}
	return signInCondition{holds: func(s *signins.SignIn) bool { return fold.Equal(string(s.Kind), kind) }}, nil
}

// text returns the text of a path.
func (c *signInConverter) text(n odata.Node) (text, bool) {
	path, ok := n.(*odata.Path)
	if !ok || path.Count || c.variable != "" {
		return text{}, false
	}
	p, ok := signInTexts.Find(path.String())
	return p, ok && (c.beta || !p.beta)
}

// time converts a comparison of the time.
func (c *signInConverter) time(n *odata.Compare, at time.Time) (signInCondition, error) {
	holds, ok := n.Op.HoldsFor()
	if !ok {
		return signInCondition{}, c.refuse(n)
	}
	found := signInCondition{holds: func(s *signins.SignIn) bool { return holds(s.At.Compare(at)) }}
	if holds(0) || holds(1) {
		found.from = at
	}
	if !holds(1) {
		found.until = at.Add(1)
	}
	if holds(-1) {
		found.from = time.Time{}
	}
	return found, nil
}

func (c *signInConverter) number(n *odata.Compare, value int64) (signInCondition, error) {
	holds, ok := n.Op.HoldsFor()
	if !ok {
		return signInCondition{}, c.refuse(n)
	}
	return signInCondition{holds: func(s *signins.SignIn) bool {
		return holds(cmp.Compare(int64(s.Error), value))
	}}, nil
}

func literalOf[T any](n odata.Node) (value T, ok bool) {
	if l, isLiteral := n.(*odata.Literal); isLiteral {
		value, ok = l.Value.(T)
	}
	return value, ok
}
