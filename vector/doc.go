// Package vector has a list that is cheap to change without changing the versions before: a persistent vector.
//
// A Vector stands in chunks of 256 values, and the chunks in pages of 256. A copy of a Vector is a version of its own and costs
// nothing; a change copies the chunk and the page it touches, however long the list is:
//
//	next := v                   // shares everything with v
//	owner := new(vector.Owner)  // begins a draft
//	next.Set(owner, 7, value)   // copies one chunk
//	next.Append(owner, value)
//
// The owner marks what the draft has copied, so that a second change of the same chunk is made in place. A draft ends when its
// owner is no longer used: from then on, its vectors never change, and any number of goroutines may read them and begin drafts
// of them. One owner serves all vectors of a draft.
package vector
