package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// Each property of an object is bounded, and so is the whole object.
func TestAnObjectIsNotTooLarge(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	notes := func(size int) map[string]json.RawMessage {
		return map[string]json.RawMessage{"notes": json.RawMessage(`"` + strings.Repeat("x", size) + `"`)}
	}
	app := directory.Client{Application: directory.Application{
		ID: uuid.UUID{2}, AppID: uuid.UUID{3}, DisplayName: "Large", Properties: notes(1 << 20),
	}}
	h.must(tenant.SetClient{Client: app})
	app.Properties = notes(2 << 20)
	h.refused(tenant.SetClient{Client: app}, tenant.ProblemInvalid)
}

// The links of one object are bounded, and the error names the bound.
func TestWhatAnObjectHasIsBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	group := h.must(newGroup(t, "group"))
	shop := client(1, "Shop")
	h.must(tenant.SetClient{Client: shop})
	var users []uuid.UUID
	for i := range 101 {
		users = append(users, h.must(newUser(t, fmt.Sprintf("u%d", i))).ID)
	}
	refused := func(name string, cmd tenant.Command, want string) {
		t.Helper()
		_, err := h.do(cmd)
		problem, ok := errors.AsType[*tenant.CommandError](err)
		if !ok || problem.Kind != tenant.ProblemInvalid || !strings.Contains(problem.Message, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused("owners of a group, at once", tenant.AddOwners{Group: group.Ordinal, Owners: users}, "at most 100 owners")
	h.must(tenant.AddOwners{Group: group.Ordinal, Owners: users[:100]})
	refused("owners of a group", tenant.AddOwners{Group: group.Ordinal, Owners: users[100:]}, "at most 100 owners")
	link := func(relation directory.Relation, from, to uuid.UUID) tenant.AddLink {
		return tenant.AddLink{Link: directory.Link{Relation: relation, From: from, To: to}}
	}
	for _, user := range users[:100] {
		h.must(link(directory.RelationOwnedBy, shop.ID, user))
	}
	refused("owners of an application", link(directory.RelationOwnedBy, shop.ID, users[100]), "at most 100 owners")
	for _, user := range users[1:6] {
		h.must(link(directory.RelationSponsoredBy, users[0], user))
	}
	refused("sponsors", link(directory.RelationSponsoredBy, users[0], users[6]), "at most 5 sponsors")

	c := h.Image().Licensing.Catalog()
	more := licensing.Catalog{ServicePlans: c.ServicePlans, Products: append([]licensing.Product{}, c.Products...)}
	var add []licensing.Assign
	for i := range 1001 {
		id := uuid.UUID{0xf0, byte(i >> 8), byte(i)}
		more.Products = append(more.Products, licensing.Product{
			SKUID: id, SKUPartNumber: fmt.Sprintf("MORE_%d", i), ServicePlanIDs: c.Products[0].ServicePlanIDs,
		})
		add = append(add, licensing.Assign{SKUID: id})
	}
	h.must(tenant.SetCatalog{Catalog: &more})
	refused("licenses of a group", tenant.AssignGroup{Group: group.Ordinal, Add: add}, "at most 1000 licenses")

	many := licensing.Catalog{
		ServicePlans: c.ServicePlans,
		Products: []licensing.Product{{
			SKUID: uuid.UUID{1}, SKUPartNumber: "X", ServicePlanIDs: make([]uuid.UUID, 1001),
		}},
	}
	if _, err := h.do(tenant.SetCatalog{Catalog: &many}); err == nil || !strings.Contains(err.Error(), "products[0].servicePlanIds: there are 1001, and at most 1000") {
		t.Errorf("plans of a product: %v", err)
	}
	many = licensing.Catalog{ServicePlans: make([]licensing.ServicePlan, 10_001)}
	if _, err := h.do(tenant.SetCatalog{Catalog: &many}); err == nil || !strings.Contains(err.Error(), "at most 10000 are possible") {
		t.Errorf("plans: %v", err)
	}
}
