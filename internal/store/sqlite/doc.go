// Package sqlite keeps tenants in one SQLite file: no other software to install or run.
//
//	s, err := sqlite.Open(ctx, "/var/lib/licensor/licensor.db")
//	if err != nil {
//		return err // says what is wrong with the file and what to do about it
//	}
//	defer s.Close()
//
// One process has the file at a time: a lock on licensor.db.lock holds off a second one, and on
// Linux a lock on the file itself, whatever name the other knows it by. There is one connection
// that writes and a few that read. Readers see the last commit and neither wait for the writer nor
// hold it up (SQLite's write-ahead log). What Append has answered without an error is on the disk
// (synchronous=FULL): pulling the plug does not lose it.
//
// Opening takes milliseconds however large the file is, so it is not read through then. Instead
// commits, objects and snapshots carry a checksum that is compared whenever one is read. Together
// with SQLite's own checks it finds damage where it is met (store.ErrDamaged): what is answered is
// what was written. A full disk (store.ErrFull) only fails writes.
//
// SQLite does not notice when its log is missing or ends early, nor when the files are deleted or
// replaced while they are open. So licensor.db-ack says how many writes were acknowledged, which
// Open compares (ErrLost), and each write looks whether the files are still those that are open
// (Intact).
//
// A start that is refused, and closing a database that is damaged or whose files were changed,
// leave the files as they are, for an administrator to put them together again: SQLite would merge
// the log into the file, or remove it.
//
// To back up a running program, use SQLite's own way: sqlite3 licensor.db ".backup copy.db". The
// file holds the installation's signing keys, so only its owner may read it.
package sqlite
