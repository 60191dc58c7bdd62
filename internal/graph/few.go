package graph

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
)

// textsOf are the properties that rows can be found by, which are few enough to be looked at one by
// one.
type textsOf[T any] map[string]func(*T) string

// filtered leaves those rows that fulfil $filter.
func filtered[T any](r *request, rows []T, texts textsOf[T]) ([]T, error) {
	all := keyed[T]{behind: func(rowKey) iter.Seq[T] { return slices.Values(rows) }}
	all, err := all.passing(r, texts)
	return slices.Collect(all.behind(rowKey{})), err
}

// fulfils says whether a row fulfils a condition: eq, in and startsWith on texts, joined by and and
// or.
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
	return false, problem.Unsupported("These objects can be filtered with eq, in, startsWith, and, or.")
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
		return "", problem.Unsupported("These objects cannot be filtered by '%s', but by %s.", problem.Clip(path.String()), problem.Quoted(names))
	}
	return "", problem.Unsupported("A filter compares a property with a value, in this order.")
}

// textOf is the value of a literal as a text; no object has null.
func textOf(l *odata.Literal) string {
	if l.Value == nil {
		return "\x00"
	}
	return fmt.Sprint(l.Value)
}

// lengthOf answers GET …/$count of a list whose rows are few enough to be all made, with their
// number as text (P26).
func lengthOf(list func(*request) error) func(*request) error {
	return func(r *request) error {
		if err := r.allowCount(); err != nil {
			return err
		}
		return list(r)
	}
}

// wantsLength says whether the operation is one of lengthOf.
func (r *request) wantsLength() bool { return strings.HasSuffix(r.op.path, "/$count") }

// rowKey tells the rows of a list apart: two ids, or what stands for them.
type rowKey [keyLength]byte

const keyLength = 2 * len(uuid.Nil)

func keyOf(one, other uuid.UUID) (key rowKey) {
	copy(key[copy(key[:], one[:]):], other[:])
	return key
}

func (key rowKey) ids() (one, other uuid.UUID) {
	return uuid.UUID(key[:keyLength/2]), uuid.UUID(key[keyLength/2:])
}

// keyed are rows in an order of which a page can be cut without making the others.
type keyed[T any] struct {
	key    func(T) rowKey
	behind func(last rowKey) iter.Seq[T] // the rows behind one; behind the zero key, all
	order  int64                         // tokens say it: those of another order begin the list again
}

// inOrder are rows that are made all at once.
func inOrder[T any](rows []T, key func(T) rowKey) keyed[T] {
	compare := func(a, b rowKey) int { return bytes.Compare(a[:], b[:]) }
	slices.SortFunc(rows, func(a, b T) int { return compare(key(a), key(b)) })
	return keyed[T]{key: key, behind: func(last rowKey) iter.Seq[T] {
		from, _ := slices.BinarySearchFunc(rows, last, func(row T, last rowKey) int { return cmp.Or(compare(key(row), last), -1) })
		return slices.Values(rows[from:])
	}}
}

// passing are those of the rows that fulfil $filter.
func (rows keyed[T]) passing(r *request, texts textsOf[T]) (keyed[T], error) {
	if r.options.Filter == nil {
		return rows, nil
	}
	root := r.options.Filter.Root
	if _, err := texts.fulfils(new(T), root); err != nil { // also where there are no rows
		return rows, err
	}
	all := rows.behind
	rows.behind = func(last rowKey) iter.Seq[T] {
		return func(yield func(T) bool) {
			for row := range all(last) {
				if is, _ := texts.fulfils(&row, root); is && !yield(row) {
					return
				}
			}
		}
	}
	return rows, nil
}

func (rows keyed[T]) count() (n int) {
	for range rows.behind(rowKey{}) {
		n++
	}
	return n
}

// sendByKey answers with a page of rows.
func sendByKey[T any](r *request, set string, rows keyed[T], write func([]byte, T) []byte) error {
	if r.wantsLength() {
		return r.sendText(strconv.Itoa(rows.count()))
	}
	page, err := r.longPage(keyLength)
	if err != nil {
		return err
	}
	l := list[T]{
		context: r.selected(set), limit: page.limit, count: -1, write: write,
		place: func(T) int64 { return rows.order }, rest: func(row T) []byte { key := rows.key(row); return key[:] },
	}
	if r.counting() {
		l.count = rows.count()
	}
	var last rowKey
	if page.after == rows.order {
		last = rowKey(page.rest)
	}
	l.rows = firstOf(rows.behind(last), page.limit+1)
	return sendList(r, l)
}

// firstOf makes the first n rows.
func firstOf[T any](rows iter.Seq[T], n int) (list []T) {
	for row := range rows {
		if len(list) == n {
			break
		}
		list = append(list, row)
	}
	return list
}
