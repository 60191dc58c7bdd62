package licensing_test

import (
	"testing"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

func TestValidateNamesWhatIsWrongAndWhere(t *testing.T) {
	t.Parallel()
	one := licensing.ServicePlan{ID: plan("A"), Name: "A"}
	offering := func(plans ...licensing.ServicePlan) licensing.Catalog {
		return licensing.Catalog{ServicePlans: plans}
	}
	for name, c := range map[string]struct {
		catalog licensing.Catalog
		want    string
	}{
		"plan without id":   {offering(licensing.ServicePlan{Name: "A"}), "catalog: servicePlans[0]: servicePlanId is missing"},
		"plan without name": {offering(licensing.ServicePlan{ID: plan("A")}), "catalog: servicePlans[0]: servicePlan " + plan("A").String() + " has no name"},
		"plan twice":        {offering(one, one), "catalog: servicePlans[1]: duplicate servicePlanId " + plan("A").String()},
		"plan for nobody":   {offering(licensing.ServicePlan{ID: plan("A"), Name: "A", AppliesTo: "Dog"}), `catalog: servicePlans[0]: appliesTo is "Dog": it must be User or Company`},
		"excludes itself": {
			offering(licensing.ServicePlan{ID: plan("A"), Name: "A", Excludes: plans("A")}),
			"catalog: servicePlans[0].excludes[0]: a plan cannot name itself",
		},
		"requires unknown": {
			offering(licensing.ServicePlan{ID: plan("A"), Name: "A", RequiresAnyOf: [][]uuid.UUID{plans("B")}}),
			"catalog: servicePlans[0].requiresAnyOf[0][0]: servicePlans has no plan " + plan("B").String(),
		},
		"requires nothing": {
			offering(licensing.ServicePlan{ID: plan("A"), Name: "A", RequiresAnyOf: [][]uuid.UUID{{}}}),
			"catalog: servicePlans[0].requiresAnyOf[0]: an empty set can never be satisfied",
		},
		"prohibited nowhere": {
			offering(licensing.ServicePlan{ID: plan("A"), Name: "A", ProhibitedIn: []licensing.Country{0}}),
			"catalog: servicePlans[0].prohibitedIn[0]: a country is missing",
		},
		"product twice": {
			licensing.Catalog{Products: []licensing.Product{
				{SKUID: product("E3"), SKUPartNumber: "E3"}, {SKUID: product("E3"), SKUPartNumber: "E3"},
			}},
			"catalog: products[1]: duplicate skuId " + product("E3").String(),
		},
		"unknown plan": {
			licensing.Catalog{Products: []licensing.Product{
				{SKUID: product("E3"), SKUPartNumber: "E3", ServicePlanIDs: plans("A")},
			}},
			"catalog: products[0].servicePlanIds[0]: servicePlans has no plan " + plan("A").String(),
		},
		"plan twice in a product": {
			licensing.Catalog{
				ServicePlans: []licensing.ServicePlan{one},
				Products: []licensing.Product{{
					SKUID: product("E3"), SKUPartNumber: "E3", ServicePlanIDs: plans("A", "A"),
				}},
			},
			"catalog: products[0].servicePlanIds[1]: duplicate plan " + plan("A").String(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.catalog.Validate()
			if err == nil {
				t.Fatal("it is valid")
			}
			equal(t, "error", err.Error(), c.want)
		})
	}
}

func TestSetCatalogKeepsWhatIsSubscribedOrHeld(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.refused(s.try(func(d *licensing.Draft) error { return d.SetCatalog(readCatalog("A any\n ---\n E3 A")) }),
		"catalog: products: product "+product("E1").String()+" is missing, but the tenant is subscribed to it or users hold it")
}
