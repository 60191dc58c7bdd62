// Package column keeps what can be asked about the objects of a tenant: for each kind of objects a
// Table with a column for each property, in blocks of 256 rows. A row is an object, numbered by its
// ordinal.
//
//	draft := table.Draft()
//	draft.AddRow()
//	draft.Set(row, department, column.Value{Text: "Sales"})
//	table = draft.Finish()
//
// A Table never changes. A Draft of it copies the columns of the blocks it changes, and nothing
// else. Each block chooses how it keeps a column by what it holds: codes of a dictionary for texts
// that many objects share (departments), texts one behind another for those that nearly everybody
// has to oneself (names), bits for truth values, differences to the first one for times, and
// nothing at all where no row has a value.
//
// A Dictionary is shared by all tables that come from one another. Its codes live in memory only:
// whatever is written out, by AppendPart and AppendChanges, carries texts, and reading numbers them
// again and so drops those that nobody has.
//
// The matchers of this package answer one question about one column for a whole block. Package
// query makes conditions of them.
package column
