// Package tables prints rows in the form that their reader needs: as a table for people, as CSV for
// spreadsheets, or as JSON for programs.
//
// A table is as wide as its cells. On a terminal it is at most as wide as that: long cells are
// shortened, and columns are left out (Extra) or printed below their row (Below). Colors are for
// terminals only. They never say anything that the text does not say, too.
//
// Rows are written as they come. The widths of a table are those of its first rows, so that a
// list of any length needs little memory.
package tables
