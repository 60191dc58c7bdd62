// Package tenant is one live tenant: it takes commands, decides them one after another, makes what
// came of them durable and publishes the image that results.
//
//	done, err := t.Do(ctx, actor, tenant.AssignGroup{Group: g, Add: licenses})
//
// An Image is a value: licensing state, directory and the few small things beside them, at one
// commit. Readers take the current one with Image and never wait for anybody. Only the tenant's
// writer makes a new one. It takes all commands that wait, folds them over the image, each in a
// draft that is thrown away when the command fails, appends their commits and the rows they changed
// in one transaction, publishes the last image, and only then answers (group commit). When the
// transaction fails, everybody gets the error and the image stays what it was. When somebody else
// has appended meanwhile, the batch is decided again on what they have left; and when the store's
// answer is lost, the writer finds out what came of it before it does anything else (outcome.go).
//
// A commit holds Effects: what came of a command, not the command, so replaying needs no rules.
// Open reads the last snapshot and replays the commits after it. Snapshots are taken beside the
// work, from an image, a part for every 65,536 users, and only of the parts that changed.
//
// Tenants is all tenants of a store.
//
// Rules are cited from docs/spec/licensing.md (L) and docs/spec/protocol.md (P).
package tenant
