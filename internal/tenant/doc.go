// Package tenant is one live tenant: it takes commands, decides them one after another, makes the
// results durable and publishes the new image.
//
//	done, err := t.Do(ctx, actor, tenant.AssignGroup{Group: g, Add: licenses})
//
// An Image is a value: licensing state, directory and some other data, at one commit. Readers get
// the current image with Tenant.Image and never wait. Only the tenant's writer makes a new one. It
// takes all waiting commands and executes them in sequence, each in a draft that is discarded if
// the command fails. It appends their commits and changed rows in one transaction, publishes the
// last image, and only then returns to the callers (group commit). If the transaction fails, all
// callers get the error and the image does not change. If another process has appended meanwhile,
// the batch is decided again on the new state. If the store's response is lost, the writer finds
// out the outcome before it does anything else (outcome.go).
//
// A commit has Effects: the result of a command, not the command, so replaying needs no rules. Open
// reads the last snapshot and replays the commits after it. Snapshots are taken in the background,
// from an image, in parts of 65,536 users; only parts that have changed are written.
//
// Tenants are all tenants of a store.
//
// The members of dynamic groups follow from rules over users. They change in the commit that
// changed what a rule is about, before licensing is finished (follow.go); replay never evaluates a
// rule.
//
// Rules are cited from docs/spec/licensing.md (L), docs/spec/protocol.md (P) and
// docs/spec/dynamic-membership.md (D).
package tenant
