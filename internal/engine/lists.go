package engine

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"licensor/internal/directory"
	"licensor/internal/memory"
	"licensor/internal/query"
	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/turns"
)

// NewProcessors returns the processors that all tenants of a process share.
func NewProcessors() *turns.Processors { return turns.NewProcessors(runtime.GOMAXPROCS(0)) }

// Work waits until the work of a request can begin, and returns a context for it.
func (t *Tenant) Work(ctx context.Context) (context.Context, *turns.Work, error) {
	return t.options.Processors.Start(ctx, t.id)
}

// Turn waits for a turn for work that takes long from the start.
func (t *Tenant) Turn(ctx context.Context) (*turns.Turn, error) {
	return t.options.Processors.Within(ctx, t.id)
}

// rowsOf returns the kind of the rows in which the objects of a type are stored.
func rowsOf(of directory.Type) store.Kind { return store.Kind(of) }

// Page is a page of a set of objects: at most Limit, in an order.
type Page struct {
	Order *store.Order // nil orders by ordinal; its After belongs to After here
	After int64        // ordinal of the last object of the previous page; -1 for the first page
	Below uint32       // if not 0, only objects with an ordinal less than this
	Limit int
}

// unmoving is a property that deleted objects do not change, so that lists of them need not look
// for earlier places.
const unmoving = "deletedDateTime"

// givenUpAfter limits how many objects of the store's order are read for a page, relative to its
// size. The alternative is one pass over the columns, which takes longer, but no longer than that.
const givenUpAfter = 20

// Page returns the objects of a page of a set, in its order, as of an image.
func (t *Tenant) Page(
	ctx context.Context, img *tenant.Image, of directory.Type, within query.Within, rows *query.Rows, p Page,
) ([]query.Place, error) {
	if p.Order == nil {
		var places []query.Place
		for _, row := range rows.After(nil, p.After, p.Limit) {
			places = append(places, query.Place{Row: row})
		}
		return places, nil
	}
	table := img.Columns(of)
	place, ok := table.Schema().Column(p.Order.Property)
	if !ok {
		return nil, fmt.Errorf("%w: rows cannot be ordered by %q", store.ErrQuery, p.Order.Property)
	}
	if within == query.WithinLive && rows.Count() > int(table.Rows())/2 {
		among := p.Limit*int(table.Rows())/rows.Count() + p.Limit/8 + 1 // where the page probably ends
		if places, ok, err := t.walk(ctx, of, rows, p, among); ok || err != nil {
			return places, err
		}
	}
	order := query.Order{Column: place, Descending: p.Order.Descending}
	if p.Order.AsOf < img.Seq && p.Order.Property != unmoving {
		var err error
		if order.Moved, err = t.store.Moved(ctx, t.id, rowsOf(of), p.Order.Property, p.Order.AsOf); err != nil {
			return nil, err
		}
	}
	var after *query.Place
	if p.After >= 0 {
		after = &query.Place{Key: p.Order.After, Row: uint32(p.After)}
	}
	below := p.Below
	if below == 0 {
		below = table.Rows()
	}
	turn, err := t.Turn(ctx)
	if err != nil {
		return nil, err
	}
	defer turn.End()
	return order.First(table, rows, after, below, p.Limit), nil
}

// walk looks for the page in the store's order, a number of objects at a time. It returns false if
// it would have to read too many.
func (t *Tenant) walk(
	ctx context.Context, of directory.Type, rows *query.Rows, p Page, among int,
) (places []query.Place, ok bool, err error) {
	order := *p.Order
	q := store.Query{Kind: rowsOf(of), Order: &order, After: p.After, Below: p.Below, Limit: among}
	for looked := 0; looked < givenUpAfter*p.Limit; looked += q.Limit {
		if err := turns.Of(ctx).Yield(); err != nil {
			return nil, false, err
		}
		found, err := t.store.Objects(ctx, t.id, q)
		if err != nil {
			return nil, false, err
		}
		for _, row := range found {
			if rows.Has(row.Ordinal) {
				if places = append(places, query.Place{Key: row.Key, Row: row.Ordinal}); len(places) == p.Limit {
					return places, true, nil
				}
			}
		}
		if len(found) < q.Limit {
			return places, true, nil
		}
		last := found[len(found)-1]
		q.After, order.After = int64(last.Ordinal), last.Key
	}
	return nil, false, nil
}

// portion is how many bytes of documents are read at once, plus one document.
const portion = 512 << 10

// Users returns the documents of users as of an image, in the order of the ordinals. It returns nil
// for users who do not exist, and for those written since, which UserNow returns. If documents are
// large, it returns only those of the first ordinals, but at least one.
func (t *Tenant) Users(ctx context.Context, img *tenant.Image, ordinals []uint32) ([]*directory.User, error) {
	return listOf[directory.User](ctx, t, img, store.KindUser, ordinals)
}

// Groups is Users for groups.
func (t *Tenant) Groups(ctx context.Context, img *tenant.Image, ordinals []uint32) ([]*directory.Group, error) {
	return listOf[directory.Group](ctx, t, img, store.KindGroup, ordinals)
}

func listOf[T any](
	ctx context.Context, t *Tenant, img *tenant.Image, kind store.Kind, ordinals []uint32,
) ([]*T, error) {
	list := make([]*T, len(ordinals))
	n, err := t.documentsAt(ctx, img, kind, ordinals, func(i int, d document) { list[i] = valueOf[T](d) })
	return list[:n], err
}

// documentsAtOnce is the maximum number of documents read at once: more than fit into a portion,
// usually.
const documentsAtOnce = 1000

// documentsAt reads the documents of the first ordinals, up to a portion, and returns how many
// ordinals that are.
func (t *Tenant) documentsAt(
	ctx context.Context, img *tenant.Image, kind store.Kind, ordinals []uint32, yield func(i int, d document),
) (int, error) {
	missing := make(map[uint32]int)
	wanted := make([]uint32, 0, min(len(ordinals), documentsAtOnce))
	for i, ordinal := range ordinals {
		key := tenant.ObjectKey{Kind: kind, Ordinal: ordinal}
		if d, ok := t.documents.get(documentKey{t.id, key}); ok && d.revision == img.Revision(key) {
			yield(i, d)
			continue
		}
		if len(wanted) == documentsAtOnce {
			ordinals = ordinals[:i]
			break
		}
		missing[ordinal] = i
		wanted = append(wanted, ordinal)
	}
	if len(wanted) == 0 {
		return len(ordinals), nil
	}
	if err := turns.Of(ctx).Yield(); err != nil {
		return 0, err
	}
	rows, err := t.store.Objects(ctx, t.id, store.Query{Kind: kind, Ordinals: wanted, After: -1, Bytes: portion})
	if err != nil {
		return 0, err
	}
	size := sizeOf(rows)
	if err := memory.Of(ctx).Least(ctx, decodedSize*size); err != nil {
		return 0, err
	}
	n := complete(ordinals, missing, rows, size)
	if n == 0 { // the first one has a high ordinal, and comes after a portion of others
		return t.documentsAt(ctx, img, kind, ordinals[:1], yield)
	}
	for _, row := range rows {
		i := missing[row.Ordinal]
		if row.Seq > img.Seq || i >= n {
			continue // it has been written since, or belongs to the next portion
		}
		key := tenant.ObjectKey{Kind: kind, Ordinal: row.Ordinal}
		d, err := t.cached(key, img, func() (store.Object, error) { return row, nil })
		if err != nil {
			return 0, err
		}
		yield(i, d)
	}
	return n, nil
}

func sizeOf(rows []store.Object) (size int64) {
	for _, row := range rows {
		size += int64(len(row.Document))
	}
	return size
}

// complete returns how many of the first ordinals are complete after rows of the missing ones were
// read in the order of ordinals, up to the size of a portion.
func complete(ordinals []uint32, missing map[uint32]int, rows []store.Object, size int64) int {
	if size < portion {
		return len(ordinals)
	}
	last := rows[len(rows)-1].Ordinal
	for i, ordinal := range ordinals {
		if _, ok := missing[ordinal]; ok && ordinal > last {
			return i
		}
	}
	return len(ordinals)
}

// UserNow returns a user's document, and the image that it belongs to: the given one, or a later
// one if the user has been written since.
func (t *Tenant) UserNow(ctx context.Context, img *tenant.Image, user uint32) (*directory.User, *tenant.Image, error) {
	d, img, err := t.exactly(ctx, img, tenant.ObjectKey{Kind: store.KindUser, Ordinal: user})
	return valueOf[directory.User](d), img, err
}

// GroupNow is UserNow for groups.
func (t *Tenant) GroupNow(
	ctx context.Context, img *tenant.Image, group uint32,
) (*directory.Group, *tenant.Image, error) {
	d, img, err := t.exactly(ctx, img, tenant.ObjectKey{Kind: store.KindGroup, Ordinal: group})
	return valueOf[directory.Group](d), img, err
}

// The maximum number of reads of an object that is written again and again, and the maximum wait
// for a durable commit to be published.
const (
	mostReads   = 20
	publication = time.Second
)

// exactly reads a document until it belongs to the image.
func (t *Tenant) exactly(
	ctx context.Context, img *tenant.Image, key tenant.ObjectKey,
) (document, *tenant.Image, error) {
	for range mostReads {
		d, err := t.document(ctx, img, key)
		if err != nil || d.seq <= img.Seq {
			return d, img, err
		}
		if img, err = t.published(ctx, d.seq); err != nil {
			return document{}, nil, err
		}
	}
	return document{}, nil, &tenant.CommandError{
		Kind: tenant.ProblemUnavailable, Message: "The object is being changed all the time. Try again in a moment.",
	}
}

// published waits for the image of a durable commit.
func (t *Tenant) published(ctx context.Context, seq uint64) (*tenant.Image, error) {
	for end := time.Now().Add(publication); ; {
		if img := t.Image(); img.Seq >= seq {
			return img, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if time.Now().After(end) {
			return nil, &tenant.CommandError{
				Kind: tenant.ProblemUnavailable, Message: "A change is being made durable. Try again in a moment.",
			}
		}
		time.Sleep(50 * time.Microsecond)
	}
}
