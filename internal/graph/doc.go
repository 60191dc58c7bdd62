// Package graph implements Microsoft Graph over HTTP, as specified in docs/spec/protocol.md, for
// the operations of operations.go.
//
//	api := graph.New(graph.Config{Authority: authority, Tenant: tenants.Tenant, …})
//	http.ListenAndServe(address, api)
//
// api.go processes one request, from top to bottom: the path is looked up in a tree built from the
// table of operations, the bearer token identifies caller and tenant, the table has the permissions
// for the operation, package graph/odata parses the query, and the operation's function does the
// rest. Such a function is short: it reads the body, passes a command to the tenant, and writes a
// view of the resulting image. It contains no rules.
//
// Every failure is an error value, which only package graph/problem converts to a response.
// Unexpected errors are logged once, with the request's id, and shown as 500.
//
// Package graph/wire has the code that all operations share: the request and its body, the
// properties of a type, lists and their pages, the response. Package directory has the tables of
// properties. This package has users, groups, applications and the other directory objects, with
// the relations between them; subscriptions are in graph/licenses.
//
// In addition to Graph's roots /v1.0 and /beta, which are one tree, /licensor/v1 has operations
// that Graph lacks (graph/own): buying seats, the catalog, settings, reprocessing many users, and
// explanations. It follows the same conventions. Operations for testing programs are in
// graph/devkit.
//
// Rules are cited from docs/spec/protocol.md (P), docs/spec/licensing.md (L) and docs/spec/auth.md
// (A).
package graph
