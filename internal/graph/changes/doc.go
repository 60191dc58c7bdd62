// Package changes tries changes before they are made (docs/spec/changes.md). A change set is what
// $batch takes: requests of Graph, in order (set.go). It is run on a draft of the tenant, in which
// each request sees the result of those before it (run.go). A preview says what each would answer,
// and what becomes of users and products (preview.go, users.go). Previews are kept for a while
// (kept.go), and can be applied: then all requests make one commit, if the result is still the one
// that was shown (apply.go). Undoing a commit is such a change set, too (undo.go).
package changes
