// Package store says what of a tenant must be durable, and how it is asked for.
//
// There are three kinds of things of a tenant. Commits are the log: what happened to a tenant, step
// by step, in an order that never changes. Object rows are the directory's documents as they are
// after the last commit, so that they need not be held in memory. Snapshots spare the reading of
// the whole log when a tenant is loaded. What a snapshot covers may be trimmed from the log, and
// then the snapshot is all there is of it.
//
// Names that only one tenant may have, such as domains, are claimed in the store, so that programs
// that know nothing of each other cannot give one to two tenants.
//
// In addition to tenants there are tickets, which the authority issues for minutes or weeks (codes,
// refresh tokens, sessions), and the secrets of the installation. Of several concurrent changes of
// either, one succeeds.
//
// The one operation all rests on is Append. It makes commits and the rows they change durable
// together or not at all, and it refuses commits that do not follow the last one, so a tenant has
// one history however many writers try:
//
//	err := s.Append(ctx, tenant, place, []store.Commit{commit}, rows)
//	switch {
//	case errors.Is(err, store.ErrUnknown):
//		// the answer was lost: Fence, and look whether the log has the commit
//	case errors.Is(err, store.ErrConflict):
//		// somebody was faster: read the commits after ours, decide again
//	}
//
// A store does not evaluate conditions: it returns rows by their ordinals, and in the order of a
// name. Conditions are evaluated on the image (package query).
//
// Implementations are in folders below, and storetest has the tests that each of them must pass.
package store
