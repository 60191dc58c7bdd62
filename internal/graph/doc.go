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
// Unexpected errors are logged once, with the request's id, and shown as 500.
//
// What all operations share is graph/wire: the request, the reading of its body, the properties of
// a type, lists and their pages, the answer. Which properties an object has is the directory's
// table. Here are users, groups, applications and the other directory objects, with the relations
// between them; what is bought is in graph/licenses.
//
// Beside Graph's own roots, /v1.0 and /beta, which are one tree, there is /licensor/v1 for what
// Graph has no words for (graph/own): buying seats, the catalog, settings, reprocessing many users,
// and explanations. Its answers follow the same conventions. What programs are tested with is in
// graph/devkit.
//
// Rules are cited from docs/spec/protocol.md (P), docs/spec/licensing.md (L) and docs/spec/auth.md
// (A).
package graph
