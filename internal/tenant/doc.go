// Package tenant is one live tenant: it takes commands, decides them one after another, makes the
// results durable and publishes the image that results.
//
//	done, err := t.Do(ctx, actor, tenant.AssignGroup{Group: g, Add: licenses})
//
// An Image is a value: licensing state, directory and some small data, at one commit. Readers get
// the current one with Image and never wait. Only the tenant's writer makes a new one. It takes all
// commands that wait, folds them over the image, each in a draft that is thrown away when the
// command fails, appends their commits and the rows they changed in one transaction, publishes the
// last image, and only then answers (group commit). When the transaction fails, all callers get the
// error and the image does not change. If another process has appended meanwhile, the batch is
// decided again on the new state; and if the store's response is lost, the writer finds out the
// outcome before it does anything else (outcome.go).
//
// A commit holds Effects: the result of a command, not the command, so replaying needs no rules.
// Open reads the last snapshot and replays the commits after it. Snapshots are taken in the
// background, from an image, a part for every 65,536 users, and only of the parts that changed.
//
// Tenants is all tenants of a store.
//
// Rules are cited from docs/spec/licensing.md (L) and docs/spec/protocol.md (P).
package tenant
