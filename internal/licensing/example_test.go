package licensing_test

import (
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// The products and plans of the examples. A suite has a mailbox and a chat, which is not available
// in North Korea.
var (
	suite   = uuid.MustParse("05e9a617-0261-4cee-bb44-138d3ef5d965")
	mailbox = uuid.MustParse("efb87545-963c-4e0d-99df-69c6916d9eb0")
	chat    = uuid.MustParse("57ff2da0-773e-42df-b2af-ffb7a2317929")
)

func exampleTenant() *licensing.Image {
	kp, _ := licensing.ParseCountry("KP")
	return licensing.New(&licensing.Catalog{
		Products: []licensing.Product{{SKUID: suite, SKUPartNumber: "SUITE", ServicePlanIDs: []uuid.UUID{mailbox, chat}}},
		ServicePlans: []licensing.ServicePlan{
			{ID: mailbox, Name: "MAILBOX", Service: licensing.ExchangeService},
			{ID: chat, Name: "CHAT", Service: "chat", ProhibitedIn: []licensing.Country{kp}},
		},
	})
}

// A group of two users and a single seat: the older user gets it. When the seat is given up, the
// other one waits until reprocessed.
func ExampleImage_Draft() {
	germany, _ := licensing.ParseCountry("DE")
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

	d := exampleTenant().Draft(1, noon)
	_ = d.SetUnits(suite, licensing.Units{Enabled: 1}, true)
	ann, bob := d.AddUser(germany), d.AddUser(germany)
	sales := d.AddGroup(uuid.MustParse("5c9d6a8e-7f7a-4b7e-9d52-0f3f7c1f2a11"))
	d.AddMembers(sales, roaring.BitmapOf(ann, bob))
	img, _ := d.Finish()

	show := func(what string) {
		fmt.Println(what)
		for user, name := range []string{"ann", "bob"} {
			for s := range img.States(uint32(user)) {
				fmt.Println(" ", name, s.State, s.Error)
			}
		}
	}

	d = img.Draft(2, noon.Add(time.Minute))
	if err := d.AssignGroup(sales, []licensing.Assign{{SKUID: suite}}, nil); err != nil {
		fmt.Println(err)
	}
	img, _ = d.Finish()
	show("licensed")

	d = img.Draft(3, noon.Add(2*time.Minute))
	d.RemoveMembers(sales, roaring.BitmapOf(ann))
	img, _ = d.Finish()
	show("ann left")

	d = img.Draft(4, noon.Add(3*time.Minute))
	report := d.Reprocess(roaring.BitmapOf(bob))
	img, effects := d.Finish()
	show("bob reprocessed")
	fmt.Println(report.Fixed, "fixed,", len(effects.Changes), "change")

	// Output:
	// licensed
	//   ann Active None
	//   bob Error CountViolation
	// ann left
	//   bob Error CountViolation
	// bob reprocessed
	//   bob Active None
	// 1 fixed, 1 change
}

// A user without usageLocation is where the organization is. Explain names the plan, the country,
// where that is from, and what would help.
func ExampleImage_Explain() {
	korea, _ := licensing.ParseCountry("KP")
	d := exampleTenant().Draft(1, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	d.SetCountry(korea)
	_ = d.SetUnits(suite, licensing.Units{Enabled: 1}, true)
	ann := d.AddUser(licensing.NoCountry)
	sales := d.AddGroup(uuid.MustParse("5c9d6a8e-7f7a-4b7e-9d52-0f3f7c1f2a11"))
	_ = d.AssignGroup(sales, []licensing.Assign{{SKUID: suite}}, nil)
	d.AddMembers(sales, roaring.BitmapOf(ann))
	img, _ := d.Finish()

	for _, r := range img.Explain(ann, false) {
		product, _ := img.Product(r.SKUID)
		plan, _ := img.Plan(r.Plan)
		fmt.Printf("%s: %s: %s in %s (the organization's: %t)\n", product.SKUPartNumber, r.Error, plan.Name, r.Location, r.LocationOfOrganization)
		for _, m := range r.Remedies {
			fmt.Println("-", m.Kind, len(m.Plans))
		}
	}

	// Output:
	// SUITE: ProhibitedInUsageLocationViolation: CHAT in KP (the organization's: true)
	// - changeLocation 0
	// - disablePlan 1
}
