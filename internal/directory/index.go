package directory

import (
	"iter"
	"slices"
	"sync"

	"github.com/google/uuid"

	"licensor/internal/directory/column"
	"licensor/internal/licensing/vector"
)

// Index has the users and groups of a tenant's directory with their names, addresses and
// memberships. It is immutable, so it is safe for concurrent use. NewIndex, Draft.Finish and Decode
// return one.
type Index struct {
	view
	userColumns, groupColumns *column.Table // a row for each ordinal

	copying sync.Mutex // copying a lookup changes its mark of ownership, which readers do not use
}

// NewIndex returns an empty index.
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

// view has the methods for reading that Index and Draft share. A Draft includes its changes.
type view struct {
	users  uint32
	groups uint32

	blocks      vector.Vector[*block] // of users; each chunk is a part of a snapshot
	groupBlocks vector.Vector[*groupBlock]

	ids, names, addresses, groupIDs *lookup
	nicknames                       *lookup // Microsoft 365 groups by their mailNickname
	reports                         *lookup // users by their managers' ordinals
}

// Users returns how many ordinals of users are in use: 0 to Users()-1, including those of purged
// users.
func (v *view) Users() uint32 { return v.users }

// Groups returns how many ordinals of groups are in use.
func (v *view) Groups() uint32 { return v.groups }

// at returns the block of a user and its place in it; nil for an ordinal that is not in use.
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

// UserByID finds a user, including a soft-deleted one.
func (v *view) UserByID(id uuid.UUID) (ordinal uint32, ok bool) {
	return v.ids.find(idPrefix(id), func(user uint32) bool { return v.user(user).id == id })
}

// LiveUserByID finds a user that is not soft-deleted.
func (v *view) LiveUserByID(id uuid.UUID) (ordinal uint32, ok bool) {
	user, ok := v.UserByID(id)
	return user, ok && !v.UserDeleted(user)
}

// LiveGroupByID finds a group that is not soft-deleted.
func (v *view) LiveGroupByID(id uuid.UUID) (ordinal uint32, ok bool) {
	group, ok := v.GroupByID(id)
	return group, ok && !v.GroupDeleted(group)
}

// GroupByID finds a group, including a soft-deleted one.
func (v *view) GroupByID(id uuid.UUID) (ordinal uint32, ok bool) {
	return v.groupIDs.find(idPrefix(id), func(group uint32) bool { return v.group(group).id == id })
}

// UserByName finds a live user by userPrincipalName, in any letter case.
func (v *view) UserByName(userPrincipalName string) (ordinal uint32, ok bool) {
	name := KeyOf(userPrincipalName)
	return v.names.find(name.prefix(), func(user uint32) bool { return v.keys(user)[0] == name })
}

// keys returns the keys of a user's name and addresses; none for a purged user.
func (v *view) keys(user uint32) []Key {
	if b, i := v.at(user); b != nil {
		return b.keysOf(i)
	}
	return nil
}

// UserID returns the id of a user, uuid.Nil if it was purged.
func (v *view) UserID(user uint32) uuid.UUID { return v.user(user).id }

// GroupID returns the id of a group, uuid.Nil if it was purged.
func (v *view) GroupID(group uint32) uuid.UUID { return v.group(group).id }

// UserPurged reports whether the user was purged or never existed.
func (v *view) UserPurged(user uint32) bool { return v.user(user).state == purged }

// GroupPurged reports whether the group was purged or never existed.
func (v *view) GroupPurged(group uint32) bool { return v.group(group).state == purged }

// UserDeleted reports whether the user is soft-deleted.
func (v *view) UserDeleted(user uint32) bool { return v.user(user).state == deleted }

// GroupDeleted reports whether the group is soft-deleted.
func (v *view) GroupDeleted(group uint32) bool { return v.group(group).state == deleted }

// UserRevision returns a number that changes with each write of the user's document. Together with
// the ordinal it is a key for caches of documents.
func (v *view) UserRevision(user uint32) uint32 {
	if b, i := v.at(user); b != nil {
		return b.revisions[i]
	}
	return 0
}

// GroupRevision returns a number that changes with each write of the group's document.
func (v *view) GroupRevision(group uint32) uint32 { return v.group(group).revision }

// MemberOf returns the groups that the user is a direct member of, including soft-deleted ones,
// ascending. The slice is shared.
func (v *view) MemberOf(user uint32) []uint32 {
	if b, i := v.at(user); b != nil {
		return b.groupsOf(i)
	}
	return nil
}

// IsMember reports whether the user is a direct member of the group.
func (v *view) IsMember(user, group uint32) bool { return has(v.MemberOf(user), group) }

// GroupMembersOf returns the groups directly in the group, including soft-deleted ones, ascending.
// The slice is shared.
func (v *view) GroupMembersOf(group uint32) []uint32 { return v.group(group).members }

// GroupMemberOf returns the groups that the group is directly in, including soft-deleted ones,
// ascending. The slice is shared.
func (v *view) GroupMemberOf(group uint32) []uint32 { return v.group(group).memberOf }

// Owners returns the users who own the group, including soft-deleted ones, ascending. The slice is
// shared.
func (v *view) Owners(group uint32) []uint32 {
	owners := v.group(group).owners
	if !slices.ContainsFunc(owners, v.UserPurged) {
		return owners
	}
	return slices.DeleteFunc(slices.Clone(owners), v.UserPurged)
}

// EverOwners returns the Owners, and users who were owners when they were purged: their ordinals
// are not reused. The slice is shared.
func (v *view) EverOwners(group uint32) []uint32 { return v.group(group).owners }

// AddressOwners yields the live users who have the address, ascending.
func (v *view) AddressOwners(address Key) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		v.addresses.candidates(address.prefix(), func(user uint32) bool {
			return !slices.Contains(v.keys(user)[1:], address) || yield(user)
		})
	}
}

// AddressShared reports whether another live user has one of the user's addresses
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

// Draft begins a change of the index. It takes a few microseconds, and several goroutines may make
// drafts of the same index.
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

// UserColumns returns the table of users: a row for each ordinal, with the columns of UserSchema.
func (x *Index) UserColumns() *column.Table { return x.userColumns }

// GroupColumns returns the table of groups, with the columns of GroupSchema.
func (x *Index) GroupColumns() *column.Table { return x.groupColumns }

// PartChanged reports whether users of the part differ from those in an older index that x was made
// from.
func (x *Index) PartChanged(old *Index, part int) bool {
	return !x.blocks.SameChunk(&old.blocks, part)
}

// Parts returns the number of parts of a snapshot of the users.
func (x *Index) Parts() int { return x.blocks.Chunks() }
