// Package store defines what of a tenant must be durable, and how it is read and written.
//
// A tenant has three kinds of data. Commits are its log: what happened to the tenant, step by step,
// in an order that never changes. Object rows are the documents of the directory after the last
// commit, so that they need not be kept in memory. Snapshots make it unnecessary to read the whole
// log when a tenant is loaded. The commits before a snapshot can be trimmed; then the snapshot is
// the only record of them.
//
// Names that only one tenant may have, such as domains, are claimed in the store, so that
// independent processes cannot give the same name to two tenants.
//
// A store also has tickets, which the authority issues for minutes or weeks (codes, refresh tokens,
// sessions), and the secrets of the installation. Of several concurrent changes of one of these,
// one succeeds.
//
// Everything rests on Append. It makes commits and the rows they change durable together or not at
// all, and it refuses commits that do not follow the last one. So a tenant has one history, however
// many writers there are:
//
//	err := s.Append(ctx, tenant, place, []store.Commit{commit}, rows)
//	switch {
//	case errors.Is(err, store.ErrUnknown):
//		// the response was lost: call Fence, and look whether the log has the commit
//	case errors.Is(err, store.ErrConflict):
//		// another writer was first: read its commits and decide again
//	}
//
// A store does not evaluate conditions: it returns rows by their ordinals, and in the order of a
// property. Conditions are evaluated on the image (package query).
//
// The implementations are in folders below this one. All of them must pass the tests of storetest.
package store
