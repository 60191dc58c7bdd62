package auditlog

import (
	"slices"
	"strings"

	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/history"
	"licensor/internal/store"
	"licensor/internal/trail"
)

// logFilter converts $filter of the log.
type logFilter struct {
	r   *wire.Request
	q   *history.Query
	is  []func(store.Commit) bool
	has []func(*history.Entry) bool
}

func (c *logFilter) refuse(n odata.Node) error {
	return problem.RefuseCondition(c.r.Options.Filter, n, "the log")
}

// add adds a comparison.
func (c *logFilter) add(n odata.Node) error {
	compare, ok := n.(*odata.Compare)
	if !ok {
		return c.refuse(n)
	}
	path, ok := compare.Left.(*odata.Path)
	if !ok {
		return c.refuse(n)
	}
	name := strings.ToLower(path.String())
	if name == "createddatetime" {
		return c.time(compare)
	}
	text, ok := odata.TextOf(compare.Right)
	if !ok || compare.Op != odata.OpEq {
		return c.refuse(n)
	}
	switch name {
	case "operation":
		c.has = append(c.has, func(e *history.Entry) bool {
			return strings.EqualFold(e.Operation, text) || slices.Contains(e.Operations, text)
		})
		return nil
	case "author":
		c.has = append(c.has, func(e *history.Entry) bool { return isBy(e, text) })
		return nil
	case "user":
		return c.user(text)
	case "group":
		return c.group(text)
	case "skuid":
		id, ok := guid.Parse(text)
		if !ok {
			return problem.Refuse("The value '%s' of skuId in $filter is not an id.", problem.Clip(text))
		}
		c.has = append(c.has, func(e *history.Entry) bool {
			return slices.ContainsFunc(e.Happenings, func(h history.Happening) bool { return h.SKUID == id })
		})
		return nil
	}
	return c.refuse(n)
}

func (c *logFilter) time(n *odata.Compare) error {
	t, ok := odata.TimeOf(n.Right)
	holds, orders := n.Op.HoldsFor()
	if !ok || !orders {
		return c.refuse(n)
	}
	c.is = append(c.is, func(commit store.Commit) bool { return holds(commit.At.Compare(t)) })
	return nil
}

// isBy reports whether a text is the id or a name of the author.
func isBy(e *history.Entry, text string) bool {
	_, id, _ := strings.Cut(e.Author, " ")
	return strings.EqualFold(id, text) || strings.EqualFold(e.Author, text) ||
		e.Named != nil && (strings.EqualFold(e.Named.Name, text) || strings.EqualFold(e.Named.Principal, text) ||
			strings.EqualFold(e.Named.ID.String(), text))
}

func (c *logFilter) user(text string) error {
	user, err := c.r.Image.LiveUser(text)
	if id, ok := guid.Parse(text); ok && err != nil { // it may be deleted
		var found bool
		if user, found = c.r.Image.Directory.UserByID(id); found {
			err = nil
		}
	}
	if err != nil {
		return wire.BadReference(err)
	}
	c.concerns(trail.Object{Kind: trail.User, Ordinal: user})
	c.has = append(c.has, func(e *history.Entry) bool { return len(e.Of(user)) > 0 })
	return nil
}

func (c *logFilter) group(text string) error {
	id, _ := guid.Parse(text)
	group, ok := c.r.Image.Directory.GroupByID(id)
	if !ok {
		_, err := c.r.Image.LiveGroup(text)
		return wire.BadReference(err)
	}
	c.concerns(trail.Object{Kind: trail.Group, Ordinal: group})
	c.has = append(c.has, func(e *history.Entry) bool { return e.Concerns(group) })
	return nil
}

// concerns limits the commits that are read, by the first object that is named.
func (c *logFilter) concerns(o trail.Object) {
	if len(c.q.Objects) == 0 {
		c.q.Objects = []trail.Object{o}
	}
}
