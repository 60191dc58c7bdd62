// Package vector provides a persistent vector: a list that is cheap to change, and whose earlier
// versions do not change.
//
// A Vector is stored in chunks of 256 values, and the chunks in pages of 256. Assigning a Vector
// makes a new version in constant time. A change copies only the chunk and the page that contain
// the value, however long the list is:
//
//	next := v                   // shares everything with v
//	owner := new(vector.Owner)  // begins a draft
//	next.Set(owner, 7, value)   // copies one chunk
//	next.Append(owner, value)
//
// The owner marks what the draft has copied, so that a second change of the same chunk is made in
// place. One owner serves all vectors of a draft. A draft ends when its owner is no longer used.
// From then on its vectors never change, and any number of goroutines may read them and begin
// drafts of them.
package vector
