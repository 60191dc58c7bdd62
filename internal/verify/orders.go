package verify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/fold"
	"licensor/internal/jsontext"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// orders examines the texts by which the store orders rows.
func (e *examination) orders(img *tenant.Image) error {
	texts := map[store.Kind]func(property string) func(ordinal uint32) string{
		store.KindUser:               inColumns(img.Directory.UserColumns()),
		store.KindGroup:              inColumns(img.Directory.GroupColumns()),
		store.KindApplication:        inDocuments(img.Applications),
		store.KindServicePrincipal:   inDocuments(img.Principals),
		store.KindAdministrativeUnit: inDocuments(img.Units),
	}
	of := objectsOf(img)
	for kind, text := range texts {
		for _, property := range store.Ordered {
			if err := e.order(kind, property, img.Seq, of[kind], text(property)); err != nil {
				return err
			}
		}
	}
	return nil
}

// inColumns returns the folded texts of properties in columns; "" means null.
func inColumns(t *column.Table) func(property string) func(ordinal uint32) string {
	return func(property string) func(ordinal uint32) string {
		at := slices.IndexFunc(t.Schema().Columns, func(c column.Column) bool { return c.Name == property })
		if at < 0 {
			return func(uint32) string { return "" }
		}
		if t.Schema().Columns[at].Kind == column.KindTime {
			return func(ordinal uint32) string {
				value := jsontext.AppendTime(nil, column.AsTime(t.Time(ordinal, at)))
				text, _ := strconv.Unquote(string(value)) // null has no text
				return fold.Text(text)
			}
		}
		return func(ordinal uint32) string { return t.Folded(ordinal, at) }
	}
}

// inDocuments is like inColumns for objects whose documents are kept.
func inDocuments[T any](o *directory.Objects[T]) func(property string) func(ordinal uint32) string {
	return func(property string) func(ordinal uint32) string {
		quoted := strconv.Quote(property)
		return func(ordinal uint32) (text string) {
			directory.EachStored(o.Document(o.At(ordinal)), func(name, value []byte) {
				if string(name) == quoted {
					text, _ = directory.Member{Value: value}.Text()
				}
			})
			return fold.Text(text)
		}
	}
}

// order compares the texts of one order as of a commit.
func (e *examination) order(
	kind store.Kind, property string, seq uint64, o objects, want func(ordinal uint32) string,
) error {
	order := store.Order{Property: property, AsOf: seq}
	query := store.Query{Kind: kind, Below: o.count, Order: &order, After: -1, Limit: rowsAtOnce}
	missing := roaring.New()
	for ordinal := range o.count {
		if !o.purged(ordinal) {
			missing.Add(ordinal)
		}
	}
	for o.count > 0 {
		rows, err := e.store.Objects(e.ctx, e.id, query)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		for _, row := range rows {
			missing.Remove(row.Ordinal)
			if text, _ := strings.CutPrefix(row.Key, "="); !o.purged(row.Ordinal) && text != want(row.Ordinal) {
				e.damaged(e.table(kind), o.id(row.Ordinal).String(), fmt.Sprintf("it is ordered by %q as its %s", text,
					property), restore)
			}
		}
		last := rows[len(rows)-1]
		order.After, query.After = last.Key, int64(last.Ordinal)
		if err := e.ctx.Err(); err != nil {
			return err
		}
	}
	return e.unordered(kind, property, o, missing)
}

// unordered reports rows that an order lacks. Those that were purged meanwhile may be missing.
func (e *examination) unordered(kind store.Kind, property string, o objects, missing *roaring.Bitmap) error {
	for list := range slices.Chunk(missing.ToArray(), store.MaxOrdinals) {
		rows, err := e.store.Objects(e.ctx, e.id, store.Query{Kind: kind, Ordinals: list, After: -1})
		if err != nil {
			return err
		}
		for _, row := range rows {
			e.damaged(e.table(kind), o.id(row.Ordinal).String(), "it is missing in the order of its "+property, restore)
		}
	}
	return nil
}
