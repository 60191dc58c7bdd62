// Package catalog describes what can be licensed: products, the service plans in them, and which
// plans exclude or need each other.
//
// Microsoft publishes the list of its products as a table, "Product names and service plan
// identifiers for licensing". Read accepts that table in the forms that it has in practice:
// downloaded, opened in a spreadsheet, pasted together, saved again. Mistakes that can be fixed
// without guessing are fixed, and rows with other mistakes are skipped. A Report lists both with
// their line numbers, so nothing is lost silently.
//
//	cat, report, err := catalog.Read(file)
//	for _, p := range report.Problems {
//		fmt.Println(p) // line 4093: GUID "420c…": stray white space or invisible characters taken out
//	}
//
// Merge adds such a list to the catalog of a tenant, which keeps what the table lacks.
//
// The table lacks three facts that licensing needs. The service of a plan, and whether a plan is
// held by the company rather than a user, follow from the plan's name by the tables in service.go.
// Which plans exclude each other (docs/spec/licensing.md L41) and which need another (L42) is known
// for the plans of the built-in catalog; WithKnownRules adds these rules to any catalog that has
// the same plans.
//
// BuiltIn is a catalog of the most common products. It makes the server useful before any import.
// Its text is builtin.txt, which `go run ./internal/catalog/gen` writes.
//
// Rules are cited from docs/spec/licensing.md (L).
package catalog
