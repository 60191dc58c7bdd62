package directory_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/directory"
)

// TestLinksAreFoundWithoutTheirRole: by both ends, and by the relation alone.
func TestLinksAreFoundWithoutTheirRole(t *testing.T) {
	t.Parallel()
	const roles, created = directory.RelationHasRole, directory.RelationCreatedBy
	id := func(n byte) uuid.UUID { return uuid.UUID{15: n} }
	l := new(directory.Links)
	l.Set(directory.Link{Relation: roles, From: id(1), To: id(2), Role: id(9)}, true)
	l.Set(directory.Link{Relation: created, From: id(1), To: id(3)}, true)
	for _, c := range []struct {
		r        directory.Relation
		from, to byte
		want     bool
	}{
		{roles, 1, 2, true},
		{roles, 1, 3, false},
		{roles, 2, 1, false},
		{roles, 1, 1, false},
		{created, 1, 2, false},
		{created, 1, 3, true},
	} {
		if got := l.Joins(c.r, id(c.from), id(c.to)); got != c.want {
			t.Errorf("relation %d from %d to %d: %v", c.r, c.from, c.to, got)
		}
	}
	for r, want := range map[directory.Relation]int{
		directory.RelationOwnedBy: 0, created: 1, directory.RelationSponsoredBy: 0, roles: 1,
	} {
		if got := slices.Collect(l.OfKind(r)); len(got) != want || want == 1 && got[0].Relation != r {
			t.Errorf("relation %d: %v", r, got)
		}
	}
}

// TestLinksAreASet compares links with a plain set under random changes, and a copy with what it
// was copied from.
func TestLinksAreASet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		links, plain := new(directory.Links), map[directory.Link]bool{}
		id := rapid.Custom(func(rt *rapid.T) uuid.UUID {
			return uuid.UUID{15: byte(rapid.IntRange(1, 4).Draw(rt, "id"))}
		})
		for range rapid.IntRange(0, 40).Draw(rt, "changes") {
			before, was := links, maps.Clone(plain)
			links = links.Copy()
			link := directory.Link{
				Relation: directory.Relation(rapid.IntRange(1, 5).Draw(rt, "relation")),
				From:     id.Draw(rt, "from"), To: id.Draw(rt, "to"),
			}
			if link.Relation == directory.RelationHasRole {
				link.Role = uuid.UUID{byte(rapid.IntRange(0, 2).Draw(rt, "role"))}
			}
			is := rapid.Bool().Draw(rt, "is")
			links.Set(link, is)
			if plain[link] = true; !is {
				delete(plain, link)
			}
			compareLinks(rt, links, plain)
			compareLinks(rt, before, was)
		}
	})
}

func compareLinks(t *rapid.T, links *directory.Links, plain map[directory.Link]bool) {
	t.Helper()
	all := slices.Collect(links.All())
	if len(all) != len(plain) || links.Len() != len(plain) {
		t.Fatalf("there are %v, want %v", all, plain)
	}
	for i := range byte(4) {
		id := uuid.UUID{15: i + 1}
		n := 0
		for link := range plain {
			if !links.Has(link) || !slices.Contains(all, link) ||
				!slices.Contains(slices.Collect(links.From(link.Relation, link.From)), link.To) ||
				!slices.Contains(slices.Collect(links.To(link.Relation, link.To)), link.From) {
				t.Fatalf("%v is missing", link)
			}
			if link.From == id || link.To == id {
				n++
			}
		}
		if of := slices.Collect(links.Of(id)); len(of) != n {
			t.Fatalf("the links of %s are %v, want %d", id, of, n)
		}
	}
}
