// Package column stores the properties of a tenant's objects for queries: for each kind of objects
// a Table with a column for each property, in blocks of 256 rows. A row is an object, numbered by
// its ordinal.
//
//	draft := table.Draft()
//	draft.AddRow()
//	draft.Set(row, department, column.Value{Text: "Sales"})
//	table = draft.Finish()
//
// A Table is immutable. A Draft of it copies only the columns of the blocks that it changes. Each
// block stores a column in the form that fits its values: codes of a dictionary for texts that many
// objects share (departments), consecutive texts for those that differ between most objects
// (names), bits for booleans, differences to the first one for times, and nothing if no row has a
// value.
//
// A Dictionary is shared by all tables that are derived from one another. Its codes exist in memory
// only: AppendPart and AppendChanges write texts, and reading numbers them again, which drops
// unused ones.
//
// The matchers of this package test one condition on one column for a whole block. Package query
// combines them to conditions.
package column
