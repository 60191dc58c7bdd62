// Package query finds the objects of a tenant that fulfil a condition: a tree over the columns of a
// table and over sets, such as those of the users who hold a license.
//
//	sales := query.Text(department, column.Test{Op: column.Equal, Text: "sales"})
//	found, err := query.And(sales, query.Not(query.Set(holders))).Find(ctx, table, query.Live)
//
// A condition is answered block by block, each part of it only for the rows that the parts before
// have left. It has two values, true and false: a comparison with null is false, and Not makes it
// true. It holds within the living objects or within the deleted ones, so Not is the complement
// there.
//
// The package does no I/O and allocates nothing for a row. What a condition costs is known before
// it is asked (Cost).
package query
