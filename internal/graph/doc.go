// Package graph is Microsoft Graph over HTTP: what docs/spec/protocol.md says of the wire, for the
// operations of operations.go.
//
//	api := graph.New(graph.Config{Authority: authority, Tenant: tenants.Tenant, …})
//	http.ListenAndServe(address, api)
//
// The way of one request is api.go, from top to bottom: the path is looked up in a tree built from
// the one table of operations, the bearer token names caller and tenant, the table says what the
// caller needs for the operation, the query is read by graph/odata, and the operation's function
// does the rest. Such a function is short: it reads the body, hands a command to the tenant, and
// writes a view of the image that came of it. It decides no rule.
//
// All that goes wrong is an error value, turned into an answer by graph/problem and nowhere else.
// What nobody foresaw is logged once, with the request's id, and shown as 500.
//
// Views are written by appending to a pooled buffer. Which properties an object has is the
// directory's table; fields.go joins them with those that come from licensing, and turns $select
// into a list of fields. Lists come in pages (page.go, listing.go): the place where the next one
// begins is the ordinal of the last object, so a page costs the same wherever it is.
//
// Beside Graph's own roots, /v1.0 and /beta, which are one tree, there is /licensor/v1 for what
// Graph has no words for: buying seats, the catalog, settings, reprocessing many users, and
// explanations. Its answers follow the same conventions.
//
// Rules are cited from docs/spec/protocol.md (P), docs/spec/licensing.md (L) and docs/spec/auth.md
// (A).
package graph
