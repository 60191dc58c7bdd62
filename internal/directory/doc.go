// Package directory defines the objects of a directory, validates them, and finds them.
//
// A User, Group or Organization is a plain value with a field for each property that Microsoft
// Graph knows; an Application or ServicePrincipal has fields for those with an effect, and stores
// the others unchanged. Its Document is the stored JSON; each Property writes the JSON that clients
// see. The body of a request becomes a Patch: ParseUserPatch refuses, with the texts of the real
// service, properties that are unknown, read-only, of the wrong type or not allowed, and Apply
// returns the changed object without changing the old one.
//
//	members, err := directory.Members(body)
//	patch, err := directory.ParseUserPatch(members)
//	user, err := directory.NewUser(patch, uuid.New(), domain, now)
//	err = organization.CheckName(user.UserPrincipalName)
//
// The Index is one tenant's directory in memory: which users and groups exist, with which names and
// addresses, and the memberships of groups. It is immutable. Any number of goroutines read it
// without a lock, while a Draft of it collects changes and becomes the next one; both share all
// unchanged blocks of users. Users and groups are numbered in order of creation, and the licensing
// rules use these ordinals.
//
//	draft := index.Draft()
//	user := draft.AddUser(id, directory.KeyOf(name), nil)
//	draft.Join(group, slices.Values([]uint32{user}))
//	index = draft.Finish()
//
// The few applications and service principals are stored in Objects: whole documents, with their
// own ordinals and columns, found by object id and by appId.
//
// The package has no clock, no randomness and does no I/O: times and ids are parameters, so that
// every node and every replay creates the same objects.
//
// Rules are cited from docs/spec/protocol.md (P), docs/spec/licensing.md (L) and docs/spec/auth.md
// (A).
package directory
