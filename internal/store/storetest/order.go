package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/fold"
	"licensor/internal/store"
)

// keyOf returns the key of a row in the order of a property, in plain Go.
func keyOf(row store.Object, name string) string {
	if text, ok := decode(row.Document)[name].(string); ok {
		return "=" + fold.Text(text)
	}
	return ""
}

// inOrder returns the ordinals of rows in order.
func inOrder(rows []store.Object, order *store.Order) []uint32 {
	rows = slices.DeleteFunc(slices.Clone(rows), func(o store.Object) bool {
		return order.Prefix != "" && !strings.HasPrefix(keyOf(o, order.Property), "="+order.Prefix)
	})
	slices.SortFunc(rows, func(a, b store.Object) int {
		return cmp.Or(strings.Compare(keyOf(a, order.Property), keyOf(b, order.Property)),
			cmp.Compare(a.Ordinal, b.Ordinal))
	})
	if order.Descending {
		slices.Reverse(rows)
	}
	return ordinals(rows)
}

func orders(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	var rows []store.Object
	for i, text := range slices.Concat(oddTexts, []string{"Anna", "ANNA", "anna", "émile", "ÉMILE"}) {
		d := document{"city": fmt.Sprint(i % 3)}
		for j, name := range store.Ordered {
			d[name] = []any{text, nil, 41}[max(0, (i+j)%7-4)]
		}
		rows = append(rows, object(uint32(i), d))
	}
	mustAppend(t, s, tenant, []store.Commit{commit(1)}, rows...)
	for _, name := range store.Ordered {
		for _, descending := range []bool{false, true} {
			order := &store.Order{Property: name, Descending: descending, AsOf: 1}
			for _, query := range []store.Query{
				{Kind: store.KindUser},
				{Kind: store.KindUser, Below: 20},
			} {
				wantOrder(t, s, tenant, rows, query, order)
				for _, prefix := range []string{"a", "ann", "é", "\u00e5", "e", "\ud7ff", "\U0010ffff", "a\U0010ffff", "2024-01-01t00:00:1", "%", "nobody"} {
					beginning := *order
					beginning.Prefix = prefix
					wantOrder(t, s, tenant, rows, query, &beginning)
				}
			}
		}
	}
}

// wantOrder reads a query in pages of several sizes.
func wantOrder(
	t *testing.T, s store.Store, tenant uuid.UUID, rows []store.Object, query store.Query, order *store.Order,
) {
	t.Helper()
	query.After, query.Order = -1, order
	want := inOrder(slices.DeleteFunc(slices.Clone(rows), func(o store.Object) bool {
		return query.Below > 0 && o.Ordinal >= query.Below
	}), order)
	wantOrdinals(t, find(t, s, tenant, query), want...)
	for _, size := range []int{1, 4, 100} {
		query.Limit = size
		if got := ordinals(orderedPages(t, s, tenant, query, func() {})); !slices.Equal(got, want) {
			t.Errorf("pages of %d of %+v in the order %+v are %v, want %v", size, query, order, got, want)
		}
	}
}

// orderedPages reads all pages, and calls a function between them.
func orderedPages(t *testing.T, s store.Store, tenant uuid.UUID, query store.Query, between func()) []store.Object {
	t.Helper()
	var all []store.Object
	for {
		rows := find(t, s, tenant, query)
		all = append(all, rows...)
		if len(rows) < query.Limit {
			return all
		}
		last, next := rows[len(rows)-1], *query.Order
		next.After = last.Key
		query.After, query.Order = int64(last.Ordinal), &next
		between()
	}
}

// ordersLast reads lists page by page while rows are renamed, deleted, restored, purged and added.
func ordersLast(t *testing.T, open Place) {
	s := open(t)
	for seed := range uint64(4) {
		tenant := uuid.New()
		if err := s.CreateTenant(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
		h := &herd{store: s, tenant: tenant, random: rand.New(rand.NewPCG(seed, 1)), rows: map[uint32]store.Object{}}
		h.add(t, 40)
		for _, descending := range []bool{false, true, false} {
			for _, prefix := range []string{"", "a", "f"} {
				h.goThrough(t, &store.Order{Property: "displayName", Descending: descending, Prefix: prefix})
			}
		}
	}
}

// herd is a set of rows that change.
type herd struct {
	store  store.Store
	tenant uuid.UUID
	random *rand.Rand
	rows   map[uint32]store.Object
	seq    uint64
	next   uint32
}

func (h *herd) name() any {
	if h.random.IntN(6) == 0 {
		return nil
	}
	return string(rune('A'+h.random.IntN(6))) + string(rune('A'+h.random.IntN(4)))
}

func (h *herd) put(t *testing.T, row store.Object) {
	h.seq++
	mustAppend(t, h.store, h.tenant, []store.Commit{commit(h.seq)}, row)
	h.rows[row.Ordinal] = row
}

func (h *herd) add(t *testing.T, n int) {
	var rows []store.Object
	for range n {
		row := object(h.next, document{"displayName": h.name()})
		h.rows[row.Ordinal] = row
		rows = append(rows, row)
		h.next++
	}
	h.seq++
	mustAppend(t, h.store, h.tenant, []store.Commit{commit(h.seq)}, rows...)
}

// change changes a random row.
func (h *herd) change(t *testing.T) {
	row := h.rows[h.random.Uint32N(h.next)]
	switch h.random.IntN(8) {
	case 0:
		row.Deleted = time.Unix(1_700_000_000, 0).UTC()
	case 1:
		row.Deleted = time.Time{}
	case 2:
		h.add(t, 1)
		return
	case 3:
		if h.random.IntN(4) == 0 {
			row.Purged = true
		}
	default:
		row.Document = object(0, document{"displayName": h.name()}).Document
	}
	if !h.rows[row.Ordinal].Purged {
		h.put(t, row)
	}
}

// goThrough checks that a list has each row that existed all the time once, at the place it had
// when the list began, and no row twice.
func (h *herd) goThrough(t *testing.T, order *store.Order) {
	order.AsOf = h.seq
	var began []store.Object
	stayed := map[uint32]bool{}
	for ordinal, row := range h.rows {
		began = append(began, row)
		stayed[ordinal] = row.Deleted.IsZero() && !row.Purged &&
			(order.Prefix == "" || strings.HasPrefix(keyOf(row, order.Property), "="+order.Prefix))
	}
	query := store.Query{Kind: store.KindUser, Below: h.next, Order: order, After: -1, Limit: 3}
	rows := orderedPages(t, h.store, h.tenant, query, func() {
		for range 3 {
			h.change(t)
		}
		for ordinal, row := range h.rows {
			stayed[ordinal] = stayed[ordinal] && row.Deleted.IsZero() && !row.Purged
		}
	})
	wantInOrder(t, ordinals(rows), inOrder(began, order), stayed)
	h.wantMoved(t, began, order)
}

// wantMoved checks that Moved returns the earlier keys of all rows that have other keys now.
func (h *herd) wantMoved(t *testing.T, began []store.Object, order *store.Order) {
	t.Helper()
	moved, err := h.store.Moved(t.Context(), h.tenant, store.KindUser, order.Property, order.AsOf)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range began {
		was, now := keyOf(row, order.Property), keyOf(h.rows[row.Ordinal], order.Property)
		key, ok := moved[row.Ordinal]
		if ok && key != was || !ok && was != now && !h.rows[row.Ordinal].Purged {
			t.Errorf("row %d had the key %q and has %q; what moved says %q, %t", row.Ordinal, was, now, key, ok)
		}
	}
}

func wantInOrder(t *testing.T, got, all []uint32, stayed map[uint32]bool) {
	t.Helper()
	at := -1
	seen := map[uint32]bool{}
	for _, ordinal := range got {
		place := slices.Index(all, ordinal)
		if place <= at || seen[ordinal] {
			t.Errorf("%d is out of its place in %v, the order was %v", ordinal, got, all)
		}
		at, seen[ordinal] = place, true
	}
	for ordinal, is := range stayed {
		if is && !seen[ordinal] {
			t.Errorf("%d was there all the while and is not in %v", ordinal, got)
		}
	}
}

func badOrders(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	for _, name := range []string{"", "city", "displayName DESC", "ordinal"} {
		query := users()
		query.Order = &store.Order{Property: name}
		if rows, err := s.Objects(t.Context(), tenant, query); !errors.Is(err, store.ErrQuery) {
			t.Errorf("the order by %q answers %v, %v, want ErrQuery", name, rows, err)
		}
		if moved, err := s.Moved(t.Context(), tenant, store.KindUser, name, 0); !errors.Is(err, store.ErrQuery) {
			t.Errorf("what has moved by %q answers %v, %v, want ErrQuery", name, moved, err)
		}
	}
}

func below(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	var rows []store.Object
	for i := range uint32(6) {
		rows = append(rows, object(i, document{}))
	}
	mustAppend(t, s, tenant, nil, rows...)
	query := users()
	for query.Below = range uint32(len(rows) + 2) {
		want := ordinals(rows)
		if query.Below > 0 {
			want = want[:min(int(query.Below), len(want))]
		}
		if got := ordinals(find(t, s, tenant, query)); !reflect.DeepEqual(got, want) {
			t.Errorf("below %d are %v", query.Below, got)
		}
	}
}
