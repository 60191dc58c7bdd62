// Package copying copies tenants from one store to another while programs use the first one.
//
//	done, err := copying.Copy(ctx, from, to, copying.Options{To: "postgres://db1/licensor"})
//	…
//	done, err = copying.Copy(ctx, from, to, copying.Options{To: "postgres://db1/licensor", Finish: true})
//
// A tenant is copied in rounds. Each reads a view of the source, appends to the target the commits
// that it lacks, and makes its rows those of the view: rows that differ, by the commit that wrote
// them and their checksum, are copied, and those that the source lacks are removed (rows.go). So a
// round needs no notes of the one before, and one that was killed is continued by the next. All
// that was written is read back. Until it is published, programs do not know the tenant in the
// target.
//
// To finish, the source is frozen for a last round, which has little to do. Then chains, rows and
// counts are compared, the source is marked as moved, and the target is published. A finish that
// fails before the mark unfreezes the source; after it, the source stays frozen, so that a tenant
// never accepts changes in two places.
package copying
