// Package undo finds the requests that bring back what a commit changed, as far as the log still
// knows it, and says what stays different (docs/spec/changes.md C15, C16).
//
// A commit has effects, and a record with former values. From these follows what was before
// (before.go). The commands of the commit are reverted one by one, the newest first: each has
// requests of a change set that do the opposite (revert.go, and the files named after what they
// bring back). Every request is tried on a draft at once, so the next ones follow from what is
// then, and a request that is refused is left out. What was changed again since is left alone.
//
// In the end the draft is compared with what was before (compare.go). Each difference is one that
// stays, with the reason why a request was left out, if there is one. So nothing that stays
// different is forgotten because a request was expected to bring it back.
package undo
