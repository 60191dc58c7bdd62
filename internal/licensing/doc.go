// Package licensing holds the rules of group-based licensing, as numbered in
// docs/spec/licensing.md, and nothing else: no input or output, no clock, no goroutine.
//
// An Image is the licensing state of one tenant at one commit: its catalog, its seats, its groups
// with their licenses and members, and for every user the entries that Graph shows as
// licenseAssignmentStates. An Image is immutable, so any number of goroutines may read it. A change
// goes through a Draft:
//
//	draft := image.Draft(seq, at)
//	err := draft.AssignGroup(group, add, remove)
//	next, effects := draft.Finish()
//
// The next Image shares unchanged data with the old one. The Effects describe the result of the
// change, compactly and without reasons. Image.Apply applies them to the image they were made from,
// without any rule, and returns the same next Image. This is how a log of effects is replayed, here
// or on another node.
//
// The rules themselves are in check.go (when a license cannot be given, L40 to L46), bundle.go
// (which licenses are given together, L49), process.go (in which order, L50 to L52, and how often),
// direct.go, group.go and user.go (what a change processes, L60). Read check.go first, together
// with docs/spec/licensing.md, whose numbers are cited.
package licensing
