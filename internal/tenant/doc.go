// Package tenant is one tenant as a value. An Image is its state at one commit: licensing state,
// directory and some other data. A Command makes another image of it:
//
//	done, err := img.Execute(ctx, tenant.AssignGroup{Group: g, Add: licenses}, tenant.Execution{…})
//
// The command runs in a draft that is discarded if it fails. What has changed are its Effects. They
// are the content of a commit: the result of a command, not the command, so replaying them needs no
// rules (Image.Replay). A Head and the Pieces of an image are a snapshot of it.
//
// The package has no store and no source of ids, and time comes in, too, with an Execution. Only
// slow rules are given up by a clock of its own (follow_evaluate.go). Package engine runs tenants.
//
// The members of dynamic groups follow from rules over users. They change in the commit that
// changed what a rule is about, before licensing is finished (follow.go); replay never evaluates a
// rule.
//
// Rules are cited from docs/spec/licensing.md (L), docs/spec/protocol.md (P) and
// docs/spec/dynamic-membership.md (D).
package tenant
