package wire

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

// Texts are the properties that rows can be filtered by. There must be few enough rows to check
// every one.
type Texts[T any] map[string]func(*T) string

// Filtered returns the rows that satisfy $filter.
func Filtered[T any](r *Request, rows []T, texts Texts[T]) ([]T, error) {
	all := Rows[T]{Behind: func(Key) iter.Seq[T] { return slices.Values(rows) }}
	all, err := all.Passing(r, texts)
	return slices.Collect(all.Behind(Key{})), err
}

// Fulfils reports whether a row satisfies a condition: eq, in and startsWith on texts, joined by
// and and or.
func (texts Texts[T]) Fulfils(row *T, n odata.Node) (bool, error) {
	switch n := n.(type) {
	case *odata.Logic:
		return texts.joined(row, n)
	case *odata.Compare:
		value, ok := n.Right.(*odata.Literal)
		if n.Op == odata.OpEq && ok {
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

func (texts Texts[T]) joined(row *T, n *odata.Logic) (bool, error) {
	all, one := true, false
	for _, arg := range n.Args {
		is, err := texts.Fulfils(row, arg)
		if err != nil {
			return false, err
		}
		all, one = all && is, one || is
	}
	if n.Op == odata.OpAnd {
		return all, nil
	}
	return one, nil
}

// among reports whether a property has one of some values.
func (texts Texts[T]) among(row *T, left odata.Node, values []*odata.Literal) (bool, error) {
	text, err := texts.of(row, left)
	return slices.ContainsFunc(values, func(v *odata.Literal) bool { return strings.EqualFold(text, textOf(v)) }), err
}

// of returns the text of the property of a path.
func (texts Texts[T]) of(row *T, n odata.Node) (string, error) {
	if path, ok := n.(*odata.Path); ok {
		if text := texts[path.String()]; text != nil {
			return text(row), nil
		}
		names := slices.Sorted(maps.Keys(texts))
		if name, ok := fold.Among(names, path.String()); ok {
			path.Names = []string{name} // so that it is found immediately for later rows
			return texts[name](row), nil
		}
		return "", problem.Unsupported("These objects cannot be filtered by '%s', but by %s.",
			problem.Clip(path.String()), problem.Quoted(names))
	}
	return "", problem.Unsupported("A filter compares a property with a value, in this order.")
}

// textOf returns the value of a literal as a text; no object has null.
func textOf(l *odata.Literal) string {
	if l.Value == nil {
		return "\x00"
	}
	return fmt.Sprint(l.Value)
}

// LengthOf answers GET …/$count of a list that is short enough to build all rows, with their number
// as text (P26).
func LengthOf(list func(*Request) error) func(*Request) error {
	return func(r *Request) error {
		if err := r.AllowCount(); err != nil {
			return err
		}
		return list(r)
	}
}

// wantsLength reports whether the operation is one of LengthOf.
func (r *Request) wantsLength() bool { return strings.HasSuffix(r.Op.Path, "/$count") }

// Key identifies a row of a list: two ids, or equivalents.
type Key [KeyLength]byte

// KeyLength is the length of a Key in bytes.
const KeyLength = 2 * len(uuid.Nil)

// KeyOf returns the key of two ids.
func KeyOf(one, other uuid.UUID) (key Key) {
	copy(key[copy(key[:], one[:]):], other[:])
	return key
}

// IDs returns the two ids of the key.
func (key Key) IDs() (one, other uuid.UUID) {
	return uuid.UUID(key[:KeyLength/2]), uuid.UUID(key[KeyLength/2:])
}

// Rows are ordered rows, of which a page can be read without building the others.
type Rows[T any] struct {
	Key    func(T) Key
	Behind func(last Key) iter.Seq[T] // the rows after a key; after the zero key, all
	Order  int64                      // tokens have it: with a token of another order, the list begins again
}

// InOrder returns Rows for rows that are built all together.
func InOrder[T any](rows []T, key func(T) Key) Rows[T] {
	compare := func(a, b Key) int { return bytes.Compare(a[:], b[:]) }
	slices.SortFunc(rows, func(a, b T) int { return compare(key(a), key(b)) })
	return Rows[T]{Key: key, Behind: func(last Key) iter.Seq[T] {
		from, _ := slices.BinarySearchFunc(rows, last, func(row T, last Key) int {
			return cmp.Or(compare(key(row), last), -1)
		})
		return slices.Values(rows[from:])
	}}
}

// Passing returns the rows that satisfy $filter.
func (rows Rows[T]) Passing(r *Request, texts Texts[T]) (Rows[T], error) {
	if r.Options.Filter == nil {
		return rows, nil
	}
	root := r.Options.Filter.Root
	if _, err := texts.Fulfils(new(T), root); err != nil { // even if there are no rows
		return rows, err
	}
	all := rows.Behind
	rows.Behind = func(last Key) iter.Seq[T] {
		return func(yield func(T) bool) {
			for row := range all(last) {
				if is, _ := texts.Fulfils(&row, root); is && !yield(row) {
					return
				}
			}
		}
	}
	return rows, nil
}

func (rows Rows[T]) count() (n int) {
	for range rows.Behind(Key{}) {
		n++
	}
	return n
}

// SendByKey answers with a page of rows.
func SendByKey[T any](r *Request, set string, rows Rows[T], write func([]byte, T) []byte) error {
	if r.wantsLength() {
		return r.SendText(strconv.Itoa(rows.count()))
	}
	page, err := r.longPage(KeyLength)
	if err != nil {
		return err
	}
	l := List[T]{
		Context: r.Selected(set), limit: page.Limit, Count: -1, Write: write,
		place: func(T) int64 { return rows.Order }, rest: func(row T) []byte { key := rows.Key(row); return key[:] },
	}
	if r.counting() {
		l.Count = rows.count()
	}
	var last Key
	if page.After == rows.Order {
		last = Key(page.Rest)
	}
	l.Rows = firstOf(rows.Behind(last), page.Limit+1)
	return SendList(r, l)
}

// firstOf builds the first n rows.
func firstOf[T any](rows iter.Seq[T], n int) (list []T) {
	for row := range rows {
		if len(list) == n {
			break
		}
		list = append(list, row)
	}
	return list
}
