// Package database opens the database that a person names: a file of SQLite, or a database of
// PostgreSQL.
//
//	name, err := database.Parse("postgres://licensor@db1,db2/licensor")
//	if err != nil {
//		return err // names the two forms
//	}
//	s, err := database.Open(ctx, name, database.Options{Wait: 30 * time.Second, Log: log})
//
// What is opened is the same for the rest of the program. What differs is here: that a file belongs
// to one process as long as it is open, while a PostgreSQL database may be slow to answer, lack its
// tables, or be served by another process.
package database
