package directory

import (
	"iter"
	"slices"
	"sync"

	"github.com/google/uuid"

	"licensor/internal/directory/column"
	"licensor/internal/vector"
)

// Index is who there is in a tenant's directory, under which names and addresses, and who is in
// which group. It never changes: any number of goroutines may ask it. NewIndex, Draft.Finish and
// Decode make one.
type Index struct {
	view
	userColumns, groupColumns *column.Table // a row for each ordinal

	copying sync.Mutex // copying a lookup changes its mark of ownership, which no reader looks at
}

// NewIndex returns an empty one.
func NewIndex() *Index {
	return &Index{
		view: view{
			ids:       new(lookup),
			names:     new(lookup),
			addresses: new(lookup),
			groupIDs:  new(lookup),
			nicknames: new(lookup),
			reports:   new(lookup),
		},
		userColumns: column.NewTable(userTable.schema), groupColumns: column.NewTable(groupTable.schema),
	}
}

// view is what Index and Draft can be asked. A Draft includes its changes.
type view struct {
	users  uint32
	groups uint32

	blocks      vector.Vector[*block] // of users; a chunk of it is a part of a snapshot
	groupBlocks vector.Vector[*groupBlock]

	ids, names, addresses, groupIDs *lookup
	nicknames                       *lookup // Microsoft 365 groups by their mailNickname
	reports                         *lookup // users by their managers' ordinals
}

// Users is how many ordinals of users are in use: 0 to Users()-1, those of purged users too.
func (v *view) Users() uint32 { return v.users }

// Groups is how many ordinals of groups are in use.
func (v *view) Groups() uint32 { return v.groups }

// at returns the block of a user and its place there; nil for an ordinal not in use.
func (v *view) at(user uint32) (*block, int) {
	if user >= v.users {
		return nil, 0
	}
	return v.blocks.At(int(user / blockUsers)), int(user % blockUsers)
}

func (v *view) group(group uint32) *group {
	if group >= v.groups {
		return &noGroup
	}
	return &v.groupBlocks.At(int(group / blockGroup)).groups[group%blockGroup]
}

var (
	noUser  = user{state: purged}
	noGroup = group{state: purged}
)

func (v *view) user(user uint32) *user {
	if b, i := v.at(user); b != nil {
		return &b.users[i]
	}
	return &noUser
}

// UserByID finds a user, also a soft-deleted one.
func (v *view) UserByID(id uuid.UUID) (ordinal uint32, ok bool) {
	return v.ids.find(idPrefix(id), func(user uint32) bool { return v.user(user).id == id })
}

// GroupByID finds a group, also a soft-deleted one.
func (v *view) GroupByID(id uuid.UUID) (ordinal uint32, ok bool) {
	return v.groupIDs.find(idPrefix(id), func(group uint32) bool { return v.group(group).id == id })
}

// UserByName finds a live user by userPrincipalName, in any letter case.
func (v *view) UserByName(userPrincipalName string) (ordinal uint32, ok bool) {
	name := KeyOf(userPrincipalName)
	return v.names.find(name.prefix(), func(user uint32) bool { return v.keys(user)[0] == name })
}

// keys returns the keys of a user's name and addresses; none of a purged one.
func (v *view) keys(user uint32) []Key {
	if b, i := v.at(user); b != nil {
		return b.keysOf(i)
	}
	return nil
}

// UserID is uuid.Nil for a purged user.
func (v *view) UserID(user uint32) uuid.UUID { return v.user(user).id }

// GroupID is uuid.Nil for a purged group.
func (v *view) GroupID(group uint32) uuid.UUID { return v.group(group).id }

// UserPurged says whether the user was purged or never was.
func (v *view) UserPurged(user uint32) bool { return v.user(user).state == purged }

// GroupPurged says whether the group was purged or never was.
func (v *view) GroupPurged(group uint32) bool { return v.group(group).state == purged }

// UserDeleted says whether the user is soft-deleted.
func (v *view) UserDeleted(user uint32) bool { return v.user(user).state == deleted }

// GroupDeleted says whether the group is soft-deleted.
func (v *view) GroupDeleted(group uint32) bool { return v.group(group).state == deleted }

// UserRevision changes with each write of the user's document; with the ordinal it is a key for
// caches of documents.
func (v *view) UserRevision(user uint32) uint32 { return v.user(user).revision }

// GroupRevision changes with each write of the group's document.
func (v *view) GroupRevision(group uint32) uint32 { return v.group(group).revision }

// MemberOf returns the groups the user is directly in, soft-deleted ones included, ascending. The
// slice is shared.
func (v *view) MemberOf(user uint32) []uint32 {
	if b, i := v.at(user); b != nil {
		return b.groupsOf(i)
	}
	return nil
}

// IsMember says whether the user is directly in the group.
func (v *view) IsMember(user, group uint32) bool { return has(v.MemberOf(user), group) }

// GroupMembersOf returns the groups directly in the group, soft-deleted ones included, ascending.
// The slice is shared.
func (v *view) GroupMembersOf(group uint32) []uint32 { return v.group(group).members }

// GroupMemberOf returns the groups that the group is directly in, soft-deleted ones included,
// ascending. The slice is shared.
func (v *view) GroupMemberOf(group uint32) []uint32 { return v.group(group).memberOf }

// Owners returns the users who own the group, soft-deleted ones included, ascending. The slice is
// shared.
func (v *view) Owners(group uint32) []uint32 {
	owners := v.group(group).owners
	if !slices.ContainsFunc(owners, v.UserPurged) {
		return owners
	}
	return slices.DeleteFunc(slices.Clone(owners), v.UserPurged)
}

// EverOwners returns the Owners, and who was one when purged: nobody else gets such an
// ordinal. The slice is shared.
func (v *view) EverOwners(group uint32) []uint32 { return v.group(group).owners }

// AddressOwners yields the live users who have the address, ascending.
func (v *view) AddressOwners(address Key) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		v.addresses.candidates(address.prefix(), func(user uint32) bool {
			return !slices.Contains(v.keys(user)[1:], address) || yield(user)
		})
	}
}

// AddressShared says whether another live user has one of the user's addresses
// (docs/spec/licensing.md L43).
func (v *view) AddressShared(user uint32) bool {
	keys := v.keys(user)
	if len(keys) == 0 {
		return false
	}
	for _, address := range keys[1:] {
		for other := range v.AddressOwners(address) {
			if other != user {
				return true
			}
		}
	}
	return false
}

// Draft begins a change of the index. It costs a few microseconds, and goroutines may have drafts
// of the same index.
func (x *Index) Draft() *Draft {
	x.copying.Lock()
	defer x.copying.Unlock()
	d := &Draft{
		view:         x.view,
		mark:         new(vector.Owner),
		first:        x.users,
		userColumns:  x.userColumns.Draft(),
		groupColumns: x.groupColumns.Draft(),
	}
	for _, set := range []**lookup{&d.ids, &d.names, &d.addresses, &d.groupIDs, &d.nicknames, &d.reports} {
		*set = (*set).copy()
	}
	return d
}

// UserColumns returns what can be asked about users: a row for each ordinal, with the columns of
// UserSchema.
func (x *Index) UserColumns() *column.Table { return x.userColumns }

// GroupColumns returns what can be asked about groups, with the columns of GroupSchema.
func (x *Index) GroupColumns() *column.Table { return x.groupColumns }

// PartChanged says whether users of the part differ from those in an older index that x was made
// from.
func (x *Index) PartChanged(old *Index, part int) bool {
	return !x.blocks.SameChunk(&old.blocks, part)
}

// Parts is how many parts a snapshot of the users has.
func (x *Index) Parts() int { return x.blocks.Chunks() }
