package outcome

import (
	"slices"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// Row is what happens to a user and a product, in one of the kinds.
type Row struct {
	User uint32
	What
	Before, After Side
}

// Side is what a user has of a product in one of the images.
type Side struct {
	Sources []licensing.State // the sources that give it, or should
	Plans   []uuid.UUID       // the service plans that are in force; nil if the user does not hold it
}

// Rows returns what happens to a user, by product.
func (o *Outcome) Rows(user uint32) (rows []Row) {
	was, is := o.Before.CurrentEntries(user), o.After.CurrentEntries(user)
	var seen []licensing.SKU
	for _, list := range [][]licensing.Entry{was, is} {
		for i := range list {
			if sku := list[i].SKU; !slices.Contains(seen, sku) {
				seen = append(seen, sku)
				rows = o.appendRows(rows, user, sku, of(was, sku), of(is, sku))
			}
		}
	}
	return rows
}

func (o *Outcome) appendRows(rows []Row, user uint32, sku licensing.SKU, was, is []licensing.Entry) []Row {
	id := o.After.SKUOf(sku)
	list := o.kinds(was, is)
	if !slices.Contains(list, Change) && o.byCatalog(id, user) {
		list = append(list, Change)
	}
	for _, kind := range list {
		rows = append(rows, Row{
			User: user, What: What{id, kind, changedGroups(was, is)},
			Before: side(o.Before, user, id, was), After: side(o.After, user, id, is),
		})
	}
	return rows
}

// byCatalog reports whether a user has other service plans of a product because the catalog says
// so.
func (o *Outcome) byCatalog(skuID uuid.UUID, user uint32) bool {
	return slices.ContainsFunc(o.cells, func(c *Cell) bool {
		return c.Kind == Change && c.SKUID == skuID && len(c.after) == 0 && c.Users.Contains(user)
	})
}

func side(img *licensing.Image, user uint32, skuID uuid.UUID, entries []licensing.Entry) Side {
	s := Side{Plans: plansOf(img, entries)}
	if len(entries) == 0 {
		return s
	}
	for state := range img.States(user) {
		if state.SKUID == skuID {
			s.Sources = append(s.Sources, state)
		}
	}
	return s
}
