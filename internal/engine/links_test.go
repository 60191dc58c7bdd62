package engine_test

import (
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/tenant"
)

// TestWhoIsAssigned assigns app roles to a user and to a group, of which only direct members count.
func TestWhoIsAssigned(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	ann, bob, cid := h.must(newUser(t, "ann")), h.must(newUser(t, "bob")), h.must(newUser(t, "cid"))
	outer, inner := h.must(newGroup(t, "outer")), h.must(newGroup(t, "inner"))
	shop := client(1, "Shop")
	h.must(tenant.SetClient{Client: shop})
	h.must(tenant.AddMembers{Group: outer.Ordinal, Members: []uuid.UUID{bob.ID, inner.ID}})
	h.must(tenant.AddMembers{Group: inner.Ordinal, Members: []uuid.UUID{cid.ID}})
	assigned := func() [3]bool {
		img := h.Image()
		return [3]bool{
			img.Assigned(ann.ID, shop.Principal.ID), img.Assigned(bob.ID, shop.Principal.ID),
			img.Assigned(cid.ID, shop.Principal.ID),
		}
	}
	for _, step := range []struct {
		from uuid.UUID
		want [3]bool
	}{{uuid.Nil, [3]bool{}}, {ann.ID, [3]bool{true, false, false}}, {outer.ID, [3]bool{true, true, false}}} {
		if step.from != uuid.Nil {
			h.must(tenant.AddLink{
				Link: directory.Link{Relation: directory.RelationHasRole, From: step.from, To: shop.Principal.ID},
			})
		}
		if got := assigned(); got != step.want {
			t.Errorf("after %s has a role: %v, want %v", step.from, got, step.want)
		}
	}
	h.must(tenant.DeleteGroup{Group: outer.Ordinal})
	if got, want := assigned(), ([3]bool{true, false, false}); got != want {
		t.Errorf("without the group: %v, want %v", got, want)
	}
}

// TestAPrincipalThatIsReplacedOwnsNothing replaces the service principal of an application, as the
// caller that the old one is.
func TestAPrincipalThatIsReplacedOwnsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	shop := client(1, "Shop")
	h.must(tenant.SetClient{Client: shop})
	next, gone := shop, shop.Principal.ID
	next.Principal.ID = uuid.UUID{15: 99}
	if _, err := h.do(tenant.SetClient{Client: next, Owners: []uuid.UUID{gone}}); err == nil {
		t.Error("it is named as an owner")
	}
	h.must(tenant.SetClient{Client: next, Creator: gone})
	for l := range h.Image().Links.All() {
		t.Errorf("there is a link %v", l)
	}
}
