// Package directory says what the objects of a directory are and when they are valid, and finds
// them.
//
// A User, Group or Organization is a plain value with a field for each property that Microsoft
// Graph knows; an Application or ServicePrincipal has fields for those with an effect, and keeps
// the others as they were sent. Its Document is the JSON that is stored; each Property writes the
// JSON that clients see. What clients send becomes a Patch: ParseUserPatch refuses, with the texts
// of the real service, what is unknown, read-only, of the wrong type or not allowed, and Apply
// makes the changed object without touching the old one.
//
//	members, err := directory.Members(body)
//	patch, err := directory.ParseUserPatch(members)
//	user, err := directory.NewUser(patch, uuid.New(), domain, now)
//	err = organization.CheckName(user.UserPrincipalName)
//
// The Index is one tenant's directory in memory: who exists, under which name and addresses, and
// who is in which group. It is immutable. Any number of goroutines read it without a lock, while a
// Draft of it gathers changes and becomes the next one; the two share every block of users that did
// not change. Users and groups are numbered in order of creation, and these ordinals are what the
// licensing rules count with.
//
//	draft := index.Draft()
//	user := draft.AddUser(id, directory.KeyOf(name), nil)
//	draft.Join(group, slices.Values([]uint32{user}))
//	index = draft.Finish()
//
// Applications and service principals, of which there are few, are kept in Objects: whole
// documents, with ordinals and columns of their own, found by object id and by appId.
//
// The package has no clock, no randomness and does no I/O: times and ids come from the caller, so
// that every node and every replay makes the same objects.
//
// Rules are cited from docs/spec/protocol.md (P), docs/spec/licensing.md (L) and docs/spec/auth.md
// (A).
package directory
