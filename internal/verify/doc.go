// Package verify examines whether what is stored of tenants fits together: the log and its chain,
// snapshots, rows, and claimed names, and with Deep also the licenses of each user.
//
//	err := verify.Tenant(ctx, store, id, verify.Options{Report: func(d verify.Damage) { … }})
//
// A tenant is examined as of one commit (store.View), so programs may use it meanwhile. Damage is
// reported and the examination continues with what does not depend on it; an error means that it
// could not continue. Two images of the tenant and a page of rows are in memory.
package verify
