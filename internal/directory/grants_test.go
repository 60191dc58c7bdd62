package directory_test

import (
	"bytes"
	"cmp"
	"iter"
	"maps"
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/directory"
)

func TestGrantsAreWhatWasSet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.Custom(func(t *rapid.T) uuid.UUID { return uuid.UUID{15: byte(rapid.IntRange(0, 3).Draw(t, "id"))} })
		grants, want := new(directory.Grants), map[[2]uuid.UUID]directory.Grant{}
		for range rapid.IntRange(0, 30).Draw(t, "changes") {
			before, list := grants, slices.Collect(grants.All())
			g := directory.Grant{
				Client: ids.Draw(t, "client"), User: ids.Draw(t, "user"),
				Scopes: []string{rapid.StringN(1, 3, -1).Draw(t, "scope")},
			}
			grants = grants.Copy()
			if rapid.IntRange(0, 2).Draw(t, "remove") == 0 {
				grants.Remove(g.Client, g.User)
				delete(want, [2]uuid.UUID{g.Client, g.User})
			} else {
				grants.Set(g)
				want[[2]uuid.UUID{g.Client, g.User}] = g
			}
			if !slices.EqualFunc(slices.Collect(before.All()), list, alikeGrant) {
				t.Fatal("a copy's change is seen in what it was made of")
			}
		}
		id := ids.Draw(t, "asked")
		for name, found := range map[string]struct {
			got iter.Seq[directory.Grant]
			is  func(directory.Grant) bool
		}{
			"all":       {grants.All(), func(directory.Grant) bool { return true }},
			"of client": {grants.OfClient(id), func(g directory.Grant) bool { return g.Client == id }},
			"of user":   {grants.OfUser(id), func(g directory.Grant) bool { return g.User == id }},
		} {
			wanted := slices.DeleteFunc(slices.Collect(maps.Values(want)), func(g directory.Grant) bool {
				return !found.is(g)
			})
			got := slices.SortedFunc(found.got, byGrant)
			if !slices.EqualFunc(got, slices.SortedFunc(slices.Values(wanted), byGrant), alikeGrant) {
				t.Fatalf("%s: %v, want %v", name, got, wanted)
			}
		}
		if g, ok := grants.Get(id, id); grants.Len() != len(want) ||
			ok != (want[[2]uuid.UUID{id, id}].Scopes != nil) || ok && !alikeGrant(g, want[[2]uuid.UUID{id, id}]) {
			t.Fatalf("%d grants, that of %s is %v", grants.Len(), id, g)
		}
	})
}

func byGrant(a, b directory.Grant) int {
	return cmp.Or(bytes.Compare(a.Client[:], b.Client[:]), bytes.Compare(a.User[:], b.User[:]))
}

func alikeGrant(a, b directory.Grant) bool {
	return a.Client == b.Client && a.User == b.User && slices.Equal(a.Scopes, b.Scopes)
}
