package graph

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"licensor/fold"
	"licensor/graph/odata"
)

// textsOf are the properties that rows can be found by, which are few enough to be looked at one by one.
type textsOf[T any] map[string]func(*T) string

// filtered leaves those rows that fulfil $filter.
func filtered[T any](r *request, rows []T, texts textsOf[T]) ([]T, error) {
	if r.options.Filter == nil {
		return rows, nil
	}
	root := r.options.Filter.Root
	if _, err := texts.fulfils(new(T), root); err != nil { // also where there are no rows
		return nil, err
	}
	return slices.DeleteFunc(rows, func(row T) bool {
		is, _ := texts.fulfils(&row, root)
		return !is
	}), nil
}

// fulfils says whether a row fulfils a condition: eq, in and startsWith on texts, joined by and and or.
func (texts textsOf[T]) fulfils(row *T, n odata.Node) (bool, error) {
	switch n := n.(type) {
	case *odata.Logic:
		return texts.joined(row, n)
	case *odata.Compare:
		value, ok := n.Right.(*odata.Literal)
		if n.Op == odata.Eq && ok {
			return texts.among(row, n.Left, []*odata.Literal{value})
		}
	case *odata.In:
		return texts.among(row, n.Left, n.Values)
	case *odata.Call:
		prefix, ok := n.Args[1].(*odata.Literal)
		if n.Name == "startswith" && ok {
			text, err := texts.of(row, n.Args[0])
			return strings.HasPrefix(strings.ToLower(text), strings.ToLower(textOf(prefix))), err
		}
	}
	return false, unsupported("These objects can be filtered with eq, in, startsWith, and, or.")
}

func (texts textsOf[T]) joined(row *T, n *odata.Logic) (bool, error) {
	all, one := true, false
	for _, arg := range n.Args {
		is, err := texts.fulfils(row, arg)
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
func (texts textsOf[T]) among(row *T, left odata.Node, values []*odata.Literal) (bool, error) {
	text, err := texts.of(row, left)
	return slices.ContainsFunc(values, func(v *odata.Literal) bool { return strings.EqualFold(text, textOf(v)) }), err
}

// of is the text of the property that a path names.
func (texts textsOf[T]) of(row *T, n odata.Node) (string, error) {
	if path, ok := n.(*odata.Path); ok {
		if text := texts[path.String()]; text != nil {
			return text(row), nil
		}
		names := slices.Sorted(maps.Keys(texts))
		if name, ok := fold.Among(names, path.String()); ok {
			path.Names = []string{name} // so that it is found at once for the rows to come
			return texts[name](row), nil
		}
		return "", unsupported("These objects cannot be filtered by '%s', but by %s.", clip(path.String()), quoted(names))
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

// lengthOf answers GET …/$count of a list whose rows are few enough to be all made, with their number as text (P26).
func lengthOf(list func(*API, *request) error) func(*API, *request) error {
	return func(api *API, r *request) error {
		if err := r.allowCount(); err != nil {
			return err
		}
		return list(api, r)
	}
}

// wantsLength says whether the operation is one of lengthOf.
func (r *request) wantsLength() bool { return strings.HasSuffix(r.op.path, "/$count") }

// sendByID answers with a page of rows in the order of their keys, of which no two are alike.
func sendByID[T any](r *request, set string, rows []T, key func(T) []byte, write func([]byte, T) []byte) error {
	if r.wantsLength() {
		return r.sendText(strconv.Itoa(len(rows)))
	}
	page, err := r.longPage(keyLength)
	if err != nil {
		return err
	}
	count := r.countOf(len(rows))
	slices.SortFunc(rows, func(a, b T) int { return slices.Compare(key(a), key(b)) })
	rows = slices.DeleteFunc(rows, func(row T) bool { return page.after >= 0 && slices.Compare(key(row), page.rest) <= 0 })
	return sendList(r, list[T]{
		context: r.selected(set), rows: rows[:min(len(rows), page.limit+1)], limit: page.limit, count: count,
		place: func(T) int64 { return 0 }, rest: key, write: write,
	})
}

// keyLength is that of two ids.
const keyLength = 2 * len(uuid.Nil)
