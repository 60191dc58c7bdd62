package graph

import (
	"fmt"
	"slices"
	"strings"

	"licensor/graph/odata"
)

// applicationTexts are the properties that applications and service principals can be found by; id depends on which of the two is listed.
type applicationTexts map[string]func(*application) string

// textsBy completes the properties with the id.
func textsBy(id func(*application) string) applicationTexts {
	return applicationTexts{
		"id":             id,
		"appId":          func(a *application) string { return a.AppID.String() },
		"displayName":    func(a *application) string { return a.DisplayName },
		"appDisplayName": func(a *application) string { return a.DisplayName },
	}
}

// filterApplications leaves those that fulfil the filter. There are few, so they are looked at one by one.
func (r *request) filterApplications(rows []application, texts applicationTexts) ([]application, error) {
	if r.options.Filter == nil {
		return rows, nil
	}
	root := r.options.Filter.Root
	if _, err := texts.fulfils(&application{image: r.image}, root); err != nil { // also where there are no rows
		return nil, err
	}
	return slices.DeleteFunc(rows, func(a application) bool {
		is, _ := texts.fulfils(&a, root)
		return !is
	}), nil
}

// fulfils says whether an application fulfils a condition: eq, in and startsWith on texts, joined by and and or.
func (texts applicationTexts) fulfils(a *application, n odata.Node) (bool, error) {
	switch n := n.(type) {
	case *odata.Logic:
		return texts.joined(a, n)
	case *odata.Compare:
		value, ok := n.Right.(*odata.Literal)
		if n.Op == odata.Eq && ok {
			return texts.among(a, n.Left, []*odata.Literal{value})
		}
	case *odata.In:
		return texts.among(a, n.Left, n.Values)
	case *odata.Call:
		prefix, ok := n.Args[1].(*odata.Literal)
		if n.Name == "startswith" && ok {
			text, err := texts.of(a, n.Args[0])
			return strings.HasPrefix(strings.ToLower(text), strings.ToLower(textOf(prefix))), err
		}
	}
	return false, unsupported("Applications and service principals can be filtered with eq, in, startsWith, and, or.")
}

func (texts applicationTexts) joined(a *application, n *odata.Logic) (bool, error) {
	all, one := true, false
	for _, arg := range n.Args {
		is, err := texts.fulfils(a, arg)
		if err != nil {
			return false, err
		}
		all, one = all && is, one || is
	}
	if n.Op == odata.And {
		return all, nil
	}
	return one, nil
}

// among says whether a property has one of some values.
func (texts applicationTexts) among(a *application, left odata.Node, values []*odata.Literal) (bool, error) {
	text, err := texts.of(a, left)
	return slices.ContainsFunc(values, func(v *odata.Literal) bool { return strings.EqualFold(text, textOf(v)) }), err
}

// of is the text of the property that a path names.
func (texts applicationTexts) of(a *application, n odata.Node) (string, error) {
	if path, ok := n.(*odata.Path); ok {
		if text := texts[path.String()]; text != nil {
			return text(a), nil
		}
		return "", unsupported("Applications and service principals cannot be filtered by '%s'.", clip(path.String()))
	}
	return "", unsupported("A filter compares a property with a value, in this order.")
}

// textOf is the value of a literal as a text; no object has null.
func textOf(l *odata.Literal) string {
	if l.Value == nil {
		return "\x00"
	}
	return fmt.Sprint(l.Value)
}

// sendApplications answers with a page of the applications as objects of one of their two types.
func (r *request) sendApplications(set string, fields *fieldSet[application], id func(*application) string) error {
	if err := r.allow("$select", "$filter", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	selected, err := fields.selected(r)
	if err != nil {
		return err
	}
	page, err := r.page()
	if err != nil {
		return err
	}
	rows := make([]application, len(r.image.Applications))
	for i, a := range r.image.Applications {
		rows[i] = application{a, int64(i), r.image}
	}
	if rows, err = r.filterApplications(rows, textsBy(id)); err != nil {
		return err
	}
	count, err := r.countOf(len(rows))
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(a application) bool { return a.place <= page.after })
	return sendList(r, list[application]{
		context: r.selected(set), rows: rows[:min(len(rows), page.limit+1)], limit: page.limit, count: count,
		place: func(a application) int64 { return a.place }, write: objects(selected),
	})
}
