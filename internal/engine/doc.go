// Package engine runs the tenants of a store: it takes commands, executes them one after another,
// makes the results durable and publishes the new image.
//
//	done, err := t.Do(ctx, actor, tenant.AssignGroup{Group: g, Add: licenses})
//
// Readers get the current image with Tenant.Image and never wait. Only the tenant's writer makes a
// new one. It takes all waiting commands and executes them in sequence, each on the result of the
// previous one. It appends their commits and changed rows in one transaction, publishes the last
// image, and only then returns to the callers (group commit). If the transaction fails, all callers
// get the error and the image does not change. If another process has appended meanwhile, the batch
// is decided again on the new state. If the store's response is lost, the writer finds out the
// outcome before it does anything else (outcome.go).
//
// Tenants are all tenants of a store. A tenant is loaded when it is used, from the last snapshot
// and the commits after it. Snapshots are taken in the background, from an image, in parts of
// 65,536 users; only parts that have changed are written.
//
// Rules are cited from docs/spec/licensing.md (L), docs/spec/protocol.md (P),
// docs/spec/dynamic-membership.md (D) and docs/spec/audit.md (U).
package engine
