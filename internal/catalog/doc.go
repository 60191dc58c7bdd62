// Package catalog knows what can be licensed: products, the service plans in them, and which plans
// exclude or need each other.
//
// Microsoft publishes the list of its products as a table, "Product names and service plan
// identifiers for licensing". Read takes that table as people really have it: downloaded, opened in
// a spreadsheet, pasted together, saved again. What can be fixed without guessing is fixed,
// what cannot is left out, and either is said in a Report with the number of the line, so that
// nothing is lost without a word.
//
//	cat, report, err := catalog.Read(file)
//	for _, p := range report.Problems {
//		fmt.Println(p) // line 4093: GUID "420c…": stray white space or invisible characters taken out
//	}
//
// The table says nothing about three things that licensing needs. The service of a plan, and
// whether a plan is held by the company rather than a user, follow from the plan's name by the
// tables in service.go. Which plans exclude each other (docs/spec/licensing.md L41) and which need
// another (L42) is known for the plans of the built-in catalog; WithKnownRules gives that
// knowledge to any catalog that has the same plans.
//
// BuiltIn is a catalog of the products met most often. It makes the server useful before anybody
// has imported anything. It stands in builtin.txt, which `go run ./internal/catalog/gen` writes.
//
// Rules are cited from docs/spec/licensing.md (L).
package catalog
