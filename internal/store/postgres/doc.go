// Package postgres keeps tenants in a PostgreSQL database (13 or newer), or one that speaks its
// protocol: for installations that must survive the loss of a machine.
//
//	s, err := postgres.Open(ctx, "postgres://licensor@db1,db2/licensor", postgres.Options{})
//	if err != nil {
//		return err // says what is wrong with the database and how to fix it
//	}
//	defer s.Close()
//
// Any number of stores, in any number of processes, may be open on one database. They do not need
// to know each other: an append is one statement that moves the tenant's row on by compare-and-set,
// and does nothing if another was first. No lock outlives a statement, except while many new rows
// are copied, and there is no session state, sequence, trigger or function, and no transaction
// about two tenants (docs/scaling.md).
//
// A change that returned no error is as durable as a commit of the database. Open checks this as
// far as the database tells. If the response to a change is lost, its outcome is unknown
// (store.ErrUnknown); so it is if the database reports success with a warning that it did not wait
// for its standby. Every wait has a deadline.
//
// Rows have a checksum that is verified on each read, so results are what was written. Old values
// of secrets and purged rows remain on the disk until the database has reused their space; see
// VACUUM.
package postgres
