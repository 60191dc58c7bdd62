// Package archive keeps the commits that are removed from the logs of tenants, in files: one for
// each tenant and day (of UTC).
//
//	folder, err := archive.Open("/var/lib/licensor/archive")
//	…
//	tenants.Trim(ctx, id, engine.Trimming{Keep: keep, Archive: folder})
//	…
//	err = folder.Commits(id, func(c store.Commit) error { … })
//
// A file is a stream of zstd with CBOR in it: a header, the commits, and an end that says how many
// there are. It is complete and on the disk before it gets its name, so a file is whole or is not
// there. Commits have a chain, which Commits compares, so changes and gaps are detected.
package archive
