// Package export writes tenants in forms that other programs read: JSON lines, CSV, and SQLite
// databases with ordinary tables.
//
//	err := export.View(ctx, store, id, options, func(t *export.Tenant) error {
//		return t.Write(w, export.JSONLines, tables)
//	})
//
// A tenant is exported as of one commit, whatever is committed meanwhile (store.View). Only its
// image and a page of rows are in memory. The rows of each table are in a fixed order, so tenants
// with the same content have the same export.
//
// JSON lines are those that an import reads (internal/graph/own/import.go). If all of them are
// imported into an empty tenant, exactly (tenant.Import), its export has the same bytes. Therefore
// some content is not in an export, and secrets are not: see docs/export.md.
package export
