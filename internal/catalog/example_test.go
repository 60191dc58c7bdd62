package catalog_test

import (
	"fmt"
	"log"
	"strings"

	"licensor/internal/catalog"
)

// The second row is not usable. That is in the report, and the rest is read.
func ExampleRead() {
	const file = `Product_Display_Name,String_Id,GUID,Service_Plan_Name,Service_Plan_Id,Service_Plans_Included_Friendly_Names
Suite,SUITE,11111111-1111-4111-8111-111111111111,MAIL,33333333-3333-4333-8333-333333333333,Mail
Suite,SUITE,11111111-1111-4111-8111-111111111111,CHAT,not known yet,Chat
`
	c, report, err := catalog.Read(strings.NewReader(file))
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range c.Products {
		fmt.Println(p.SKUPartNumber, "with", len(p.ServicePlanIDs), "plan")
	}
	for _, problem := range report.Problems {
		fmt.Println(problem)
	}
	// Output:
	// SUITE with 1 plan
	// line 3: row skipped: Service_Plan_Id "not known yet" is not a GUID
}
