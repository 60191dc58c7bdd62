// Package backup writes tenants of any store into one stream, and restores them into any store.
//
//	contents, err := backup.ToFile(ctx, "licensor.backup", from, backup.Options{})
//	…
//	restored, err := backup.Restore(ctx, to, open, backup.RestoreOptions{})
//
// Each tenant is as of one commit, whatever is committed while it is read (store.View). Included
// are its commits, its rows, the newest snapshot and the names that it has claimed, and the secrets
// of the installation as they are stored, unless they are left out. There are no tickets: sessions
// and codes that have been revoked since must not come back.
//
// A stream is a header and pieces of about a megabyte (pieces.go). The sum of a piece is over its
// content and the sum before, so changed, missing, moved and repeated pieces are detected when it
// is read. Within a tenant, all must fit together as well: commits follow each other and their
// chains, rows are in order, and there are as many as are said (check.go). No more than a few
// pieces are in memory.
//
// Restore reads all of a backup before it writes anything. What it fills in is not known to other
// programs until it was read back and compared; then all tenants are published.
package backup
