// Package sqlite keeps tenants in one SQLite file: there is no other software to install or run.
//
//	s, err := sqlite.Open(ctx, "/var/lib/licensor/licensor.db")
//	if err != nil {
//		return err // says what is wrong with the file and what to do about it
//	}
//	defer s.Close()
//
// One process has the file at a time: a lock on licensor.db.lock keeps a second one away, and on
// Linux a lock on the file itself does so under any name. One connection writes and a few read.
// Readers see the last commit, and readers and the writer do not wait for each other (SQLite's
// write-ahead log). When Append returns without an error, the commits are on the disk
// (synchronous=FULL), and a power failure does not lose them.
//
// Opening takes milliseconds, however large the file is, so it does not read the whole file.
// Instead, commits, objects and snapshots have a checksum that is verified on each read. Together
// with SQLite's own checks it detects damage when damaged data is read (store.ErrDamaged): results
// are what was written. If the disk is full (store.ErrFull), only writes fail.
//
// SQLite does not notice if its log is missing or ends early, or if the files are deleted or
// replaced while they are open. So licensor.db-ack has the number and session of the last
// acknowledged write, which Open compares (ErrLost), and each write checks that the files are still
// the open ones (Intact). Open also refuses a file that was cut, unless its log has the rest.
//
// SQLite would merge any log into the file. So each write records its number and session (lineage),
// and a session marks the file before its log is merged into it (claim.go). Open refuses a log that
// does not lead from the file through that mark, such as one of another copy (store.ErrDamaged).
//
// If Open fails, or a database is closed that is damaged or whose files were changed, the files are
// left as they are, so that an administrator can restore them: SQLite would merge the log into the
// file, or remove it.
//
// A running program backs up its tenants by views (internal/backup). The file has the
// installation's signing keys, so only its owner may read it.
package sqlite
