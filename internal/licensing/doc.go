// Package licensing holds the rules of group-based licensing, as numbered in
// docs/spec/licensing.md, and nothing else: no input or output, no clock, no goroutine.
//
// An Image is the licensing state of one tenant at one commit: its catalog, its seats, its groups
// with their licenses and members, and for every user the entries that Graph shows as
// licenseAssignmentStates. An Image never changes, so any number of readers may hold it. A change
// goes through a Draft:
//
//	draft := image.Draft(seq, at)
//	err := draft.AssignGroup(group, add, remove)
//	next, effects := draft.Finish()
//
// The next Image shares with the old one all that did not change. The Effects say what came of the
// change, compactly and without reasons; Image.Apply puts them on the image they were made from,
// without any rule, and gives the same next Image. That is how a log of effects is replayed, here
// or on another node.
//
// The rules themselves are in check.go (what makes a license impossible, L40 to L46), bundle.go
// (what is given together, L49), process.go (in which order, L50 to L52, and how often), direct.go,
// group.go and user.go (what a change processes, L60). Read check.go first, beside
// docs/spec/licensing.md, whose numbers are cited.
package licensing
