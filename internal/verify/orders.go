package verify

import (
	"fmt"
	"slices"
	"strings"

	"licensor/internal/directory/column"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// orders examines the texts by which the store orders rows.
func (e *examination) orders(img *tenant.Image) error {
	for kind, table := range map[store.Kind]*column.Table{
		store.KindUser: img.Directory.UserColumns(), store.KindGroup: img.Directory.GroupColumns(),
	} {
		for _, property := range store.Ordered {
			at := slices.IndexFunc(table.Schema().Columns, func(c column.Column) bool {
				return c.Name == property && c.Kind == column.KindText
			})
			if at < 0 {
				continue
			}
			want := func(ordinal uint32) string { return table.Folded(ordinal, at) }
			if err := e.order(kind, property, img, want); err != nil {
				return err
			}
		}
	}
	return nil
}

// order compares the texts of one order.
func (e *examination) order(
	kind store.Kind, property string, img *tenant.Image, want func(ordinal uint32) string,
) error {
	o := objectsOf(img)[kind]
	order := store.Order{Property: property, AsOf: img.Seq}
	query := store.Query{Kind: kind, Below: o.count, Order: &order, After: -1, Limit: rowsAtOnce}
	for o.count > 0 {
		rows, err := e.store.Objects(e.ctx, e.id, query)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
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
	return nil
}
