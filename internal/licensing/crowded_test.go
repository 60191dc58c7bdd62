package licensing_test

import (
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// A user with more licenses than may be, by a change, is found; one that had as many before is not.
func TestAUserIsCrowded(t *testing.T) {
	t.Parallel()
	plan := uuid.UUID{1}
	c := &licensing.Catalog{ServicePlans: []licensing.ServicePlan{{ID: plan, Name: "PLAN"}}}
	var add []licensing.Assign
	for i := range 5 {
		sku := uuid.UUID{2, byte(i)}
		c.Products = append(c.Products, licensing.Product{
			SKUID: sku, SKUPartNumber: "P", ServicePlanIDs: []uuid.UUID{plan},
		})
		add = append(add, licensing.Assign{SKUID: sku})
	}
	draft := licensing.New(c).Draft(1, time.Unix(0, 0))
	draft.AddUser(licensing.NoCountry)
	group := draft.AddGroup(uuid.UUID{3})
	for _, a := range add {
		if err := draft.SetUnits(a.SKUID, licensing.Units{}, true); err != nil {
			t.Fatal(err)
		}
	}
	if err := draft.AssignGroup(group, add, nil); err != nil {
		t.Fatal(err)
	}
	draft.AddMembers(group, roaring.BitmapOf(0))
	if _, _, ok := draft.Crowded(5); ok {
		t.Error("five of five are too many")
	}
	if user, n, ok := draft.Crowded(4); !ok || user != 0 || n != 5 {
		t.Errorf("five of four: user %d with %d, %v", user, n, ok)
	}
	img, _ := draft.Finish()
	again := img.Draft(2, time.Unix(1, 0))
	again.Reprocess(roaring.BitmapOf(0))
	if err := again.AssignGroup(group, nil, []uuid.UUID{add[0].SKUID}); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := again.Crowded(3); ok {
		t.Error("one fewer is too many")
	}
}
