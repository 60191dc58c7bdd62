package engine_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/engine"
	"licensor/internal/query"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// checkNames checks that findByName finds the objects that a condition finds as of an image, except
// those that have been purged since: all of them, and those of a page.
func (p *player) checkNames(
	img *tenant.Image, kind store.Kind, within query.Within, c *query.Condition, objects map[uint32]plainObject,
) {
	rows, err := p.Find(context.Background(), img, directory.Type(kind), within, c, "", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	want := slices.DeleteFunc(rows.After(nil, -1, rows.Count()), func(row uint32) bool {
		_, ok := objects[row]
		return !ok
	})
	got, all, err := p.FindByName(context.Background(), img, kind, within, c, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if got == nil {
		return
	}
	if found := got.After(nil, -1, len(want)+1); !all || !slices.Equal(found, want) {
		p.t.Fatalf("of kind %d, %v are found by name (%t), not %v", kind, found, all, want)
	}
	if len(want) == rows.Count() {
		p.checkPages(img, kind, within, c, rows)
	}
}

// checkPages reads a list page by page in the order of a name.
func (p *player) checkPages(
	img *tenant.Image, kind store.Kind, within query.Within, c *query.Condition, rows *query.Rows,
) {
	ctx, below := context.Background(), max(1, img.Columns(directory.Type(kind)).Rows())
	page := engine.Page{
		Order: &store.Order{Property: "displayName", Descending: rapid.Bool().Draw(p.t, "descending"), AsOf: img.Seq},
		After: -1, Below: below, Limit: rapid.IntRange(1, 3).Draw(p.t, "limit"),
	}
	for {
		want, err := p.Page(ctx, img, directory.Type(kind), within, rows, page)
		if err != nil {
			p.t.Fatal(err)
		}
		some, _, err := p.FindByName(ctx, img, kind, within, c, &page)
		if err != nil {
			p.t.Fatal(err)
		}
		got, err := p.Page(ctx, img, directory.Type(kind), within, some, page)
		if err != nil || !slices.Equal(got, want) {
			p.t.Fatalf("the page %+v is %v (%v), not %v", page, got, err, want)
		}
		if len(want) < page.Limit {
			return
		}
		last := want[len(want)-1]
		page.After = int64(last.Row)
		page.Order = &store.Order{
			Property: "displayName", Descending: page.Order.Descending, AsOf: img.Seq, After: last.Key,
		}
	}
}

// named returns a condition on the beginning of users' names.
func named(img *tenant.Image, start string) *query.Condition {
	place, _ := img.Columns(directory.TypeUser).Schema().Column("displayName")
	return query.Text(place, column.Test{Op: column.OpStarts, Text: start})
}

// wantNamed checks which users are found by name.
func (h *house) wantNamed(img *tenant.Image, start string, page *engine.Page, want ...uint32) {
	h.tb.Helper()
	rows, _, err := h.FindByName(context.Background(), img, store.KindUser, query.WithinLive, named(img, start), page)
	if err != nil || rows == nil {
		h.tb.Fatalf("the names with %q are not found: %v", start, err)
	}
	if got := rows.After(nil, -1, 1000); !slices.Equal(got, want) {
		h.tb.Errorf("%q finds %v, not %v", start, got, want)
	}
}

func TestNamesAreFoundAsTheyWere(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1000)
	ann, bob := h.must(newUser(t, "ann")).Ordinal, h.must(newUser(t, "bob")).Ordinal
	before := h.Image()
	h.must(tenant.UpdateUser{User: ann, Patch: userPatch(t, `{"displayName":"Bea"}`)})
	h.must(tenant.DeleteUser{User: bob})
	carl := h.must(newUser(t, "ann-carl")).Ordinal
	h.wantNamed(before, "a", nil, ann)
	h.wantNamed(before, "b", nil, bob)
	h.wantNamed(h.Image(), "a", nil, carl)
	h.wantNamed(h.Image(), "b", nil, ann)
	h.wantNamed(h.Image(), "bea", nil, ann)
	h.wantNamed(h.Image(), "c", nil)
}

func TestOfManyNamesThoseOfThePageAreFound(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 10_000)
	for i := range 600 {
		h.must(newUser(t, fmt.Sprintf("ann%03d", i)))
	}
	h.must(newUser(t, "bob"))
	img, c := h.Image(), named(h.Image(), "ann")
	rows, _, err := h.FindByName(t.Context(), img, store.KindUser, query.WithinLive, c, nil)
	if rows != nil || err != nil {
		t.Fatalf("of 600 names %d were found by name (%v), which is more than is to be read", rows.Count(), err)
	}
	page := engine.Page{
		Order: &store.Order{Property: "displayName", Descending: true, AsOf: img.Seq},
		After: -1, Below: 1000, Limit: 3,
	}
	h.wantNamed(img, "ann", &page, 594, 595, 596, 597, 598, 599)
	page = engine.Page{Order: &store.Order{Property: "displayName", AsOf: img.Seq}, After: -1, Below: 1000, Limit: 3}
	place, _ := img.Columns(directory.TypeUser).Schema().Column("userPrincipalName")
	rare := query.And(c, query.Text(place, column.Test{Op: column.OpEnds, Text: "399@test.example"}))
	rows, all, err := h.FindByName(t.Context(), img, store.KindUser, query.WithinLive, rare, &page)
	if rows != nil || all || err != nil {
		t.Fatalf("one of 600 names was found by name (%v), which is more than is to be read", err)
	}
}
