package odata_test

import (
	"fmt"

	"licensor/internal/graph/odata"
)

func ExampleParse() {
	o, err := odata.Parse("$filter=department%20eq%20'Sales'%20and%20accountEnabled&$orderby=displayName%20desc&$top=5")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(o.Filter)
	fmt.Println(o.OrderBy[0].Property, o.OrderBy[0].Descending, o.Top, o.Skip == odata.Absent)

	_, err = odata.Parse("$top=all")
	fmt.Println(err)
	// Output:
	// department eq 'Sales' and accountEnabled
	// displayName true 5 true
	// Invalid value 'all' for the query option '$top': it is a whole number.
}
