// Package query finds the objects of a tenant that satisfy a condition: a tree over the columns of
// a table and over sets, such as those of the users who hold a license.
//
//	sales := query.Text(department, column.Test{Op: column.OpEqual, Text: "sales"})
//	found, err := query.And(sales, query.Not(query.Set(holders))).Find(ctx, table, query.WithinLive)
//
// A condition is evaluated block by block, each part only for the rows that the previous parts have
// left. It has two values, true and false: a comparison with null is false, and Not of it is true.
// It is evaluated among the live objects or among the deleted ones, and Not is the complement
// there.
//
// The package does no I/O and allocates nothing for a row. Cost estimates a condition before it is
// evaluated.
package query
