package engine

import (
	"context"
	"slices"
	"time"

	"licensor/internal/directory"
	"licensor/internal/query"
	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/turns"
)

// keptSets is the number of results of conditions that are cached: clients that read a list repeat
// the condition for each page.
const keptSets = 16

// setKey identifies a set: its condition and commit.
type setKey struct {
	seq    uint64
	of     directory.Type
	within query.Within
	name   string
}

// Find returns the objects of a type that satisfy a condition, as of an image. If page is not nil,
// it finds only the objects of that page and one more, and may omit others. The name identifies the
// condition and is the key under which the result is cached for the image; with "" it is not
// cached.
func (t *Tenant) Find(
	ctx context.Context, img *tenant.Image, of directory.Type,
	within query.Within, c *query.Condition, name string, page *Page,
) (*query.Rows, error) {
	key := setKey{img.Seq, of, within, name}
	if name != "" {
		if rows, ok := t.sets.Get(key); ok {
			return rows, nil
		}
	}
	rows, all, err := t.find(ctx, img, of, within, c, page)
	if err == nil && all && name != "" {
		t.sets.Add(key, rows)
	}
	return rows, err
}

// find chooses the method, and reports whether the set is complete.
func (t *Tenant) find(
	ctx context.Context, img *tenant.Image, of directory.Type, within query.Within, c *query.Condition, page *Page,
) (rows *query.Rows, all bool, err error) {
	table := img.Columns(of)
	if c.Cost(table) >= worthReading {
		if rows, all, err = t.findByName(ctx, img, of, within, c, page); rows != nil || err != nil {
			return rows, all, err
		}
	}
	if page != nil && page.Order == nil {
		rows, all, err = c.FindSome(ctx, table, within, page.After, page.Limit, turns.Of(ctx).Yield)
		return rows, all && page.After < 0, err
	}
	turn, err := t.Turn(ctx)
	if err != nil {
		return nil, false, err
	}
	defer turn.End()
	rows, err = c.Find(ctx, table, within, turn.Pause)
	return rows, true, err
}

const (
	// worthReading is the duration of evaluating a condition for all users from which names are
	// read from the store instead.
	worthReading = time.Millisecond
	// mostNames is the maximum number of names that are read for that. Reading more takes about as
	// long as evaluating the condition for all users.
	mostNames = 500
)

// findByName is find for a condition on the beginning of a name: it reads the candidates from the
// store in the order of that name. It returns nil if there are too many, or there is no such order.
func (t *Tenant) findByName(
	ctx context.Context, img *tenant.Image, of directory.Type, within query.Within, c *query.Condition, page *Page,
) (*query.Rows, bool, error) {
	table := img.Columns(of)
	place, prefix, ok := c.Start()
	if !ok || !slices.Contains(store.Ordered, table.Schema().Columns[place].Name) {
		return nil, false, nil
	}
	order := &store.Order{Property: table.Schema().Columns[place].Name, AsOf: img.Seq}
	q := store.Query{Kind: rowsOf(of), After: -1, Below: table.Rows(), Limit: mostNames + 1}
	inOrder := page != nil && page.Order != nil && page.Order.Property == order.Property
	if inOrder { // then the objects of the page suffice, which are usually among the first names
		order, q.After, q.Limit = new(*page.Order), page.After, min(2*page.Limit, q.Limit)
	}
	order.Prefix, q.Order = prefix, order
	for {
		candidates, err := t.ordinals(ctx, q)
		if err != nil {
			return nil, false, err
		}
		rows, complete := c.FindAmong(table, within, candidates), len(candidates) < q.Limit
		if complete || inOrder && rows.Count() >= page.Limit {
			return rows, complete && q.After < 0, nil
		}
		if q.Limit > mostNames {
			return nil, false, nil
		}
		q.Limit = mostNames + 1
	}
}

// ordinals returns the ordinals of the rows that a query selects, ascending.
func (t *Tenant) ordinals(ctx context.Context, q store.Query) ([]uint32, error) {
	if err := turns.Of(ctx).Yield(); err != nil {
		return nil, err
	}
	found, err := t.store.Objects(ctx, t.id, q)
	if err != nil {
		return nil, err
	}
	list := make([]uint32, len(found))
	for i, row := range found {
		list[i] = row.Ordinal
	}
	slices.Sort(list)
	return list, nil
}
