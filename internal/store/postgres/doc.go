// Package postgres keeps tenants in a PostgreSQL database (13 or newer), or one that speaks its
// protocol: for those who have a cluster that outlives a machine.
//
//	s, err := postgres.Open(ctx, "postgres://licensor@db1,db2/licensor", postgres.Options{})
//	if err != nil {
//		return err // says what is wrong with the database and what helps
//	}
//	defer s.Close()
//
// Any number of stores, in any number of processes, may be open on one database. They need nothing
// of each other: an append is one statement that moves the tenant's row on by compare-and-set, and
// does nothing when another was faster. There is no lock that outlives a statement, no state of a
// session, no sequence, trigger or function, and no transaction about two tenants
// (docs/scaling.md).
//
// What was answered without an error is as durable as a commit of the database, which Open makes
// sure of as far as it can be asked. When the answer to a change is lost, its outcome is unknown
// (store.ErrUnknown), as it is when the database answers with success, but warns that it did not
// wait for its standby. Everything that is waited for has a deadline.
//
// Rows carry a checksum that is compared whenever one is read, so what is answered is what was
// written. The old value of a secret, and what was purged, is on the disk until the database has
// used the place again; see VACUUM.
package postgres
