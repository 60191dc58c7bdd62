package directory

import (
	"slices"

	"github.com/google/uuid"

	"licensor/internal/licensing/vector"
)

const (
	// PartUsers is how many users a part of a snapshot has; the last may have fewer.
	PartUsers  = vector.ChunkLen * blockUsers
	blockUsers = 256
	blockGroup = 256 // groups of a block
)

// state is whether an object exists. Numbers are stored; never renumber.
type state uint8

const (
	live    state = iota
	deleted       // soft-deleted: found by id, but not by name or address
	purged        // the ordinal is not reused
)

// block is 256 users, the unit of copying. Data of variable length is in one array for all of them,
// in the order of the users. Joins and leaves do not copy the users and their keys: one user of
// each block may join a group.
type block struct {
	owner         *vector.Owner
	ownsUsers     bool     // users and groupEnds belong to the owner, too
	ownsKeys      bool     // keys does
	ownsRevisions bool     // revisions does
	users         []user   // at most blockUsers
	revisions     []uint32 // of the users; a write of a document need not copy the users
	keys          []Key    // for each user the name, then the addresses
	groups        []uint32 // for each user its groups
	groupEnds     []uint32 // for each user the end of its groups
}

// user is 28 bytes, the same for every user.
type user struct {
	id      uuid.UUID
	keyEnd  uint32 // end of the user's keys, which begin at the end of the previous user's
	manager uint32 // the ordinal of the manager plus one; 0 for none
	state   state
}

type groupBlock struct {
	owner  *vector.Owner
	groups []group // at most blockGroup
}

// group has its nested groups and owners. Memberships of users are stored with the users: see
// block.groups. The slices are ascending and never changed in place.
type group struct {
	id       uuid.UUID
	revision uint32
	state    state
	members  []uint32 // groups in it
	memberOf []uint32 // groups it is in
	owners   []uint32 // users; may contain purged ones
	unified  bool     // a Microsoft 365 group
	nickname Key      // of its mailNickname; zero without one
}

func (b *block) keySpan(i int) (start, end uint32) {
	if i > 0 {
		start = b.users[i-1].keyEnd
	}
	return start, b.users[i].keyEnd
}

// keysOf returns the key of the name and those of the addresses; nothing for a purged user.
func (b *block) keysOf(i int) []Key {
	start, end := b.keySpan(i)
	return b.keys[start:end:end]
}

func (b *block) groupsOf(i int) []uint32 {
	start := uint32(0)
	if i > 0 {
		start = b.groupEnds[i-1]
	}
	end := b.groupEnds[i]
	return b.groups[start:end:end]
}

// ownUsers makes users and groupEnds ones that may be changed in place.
func (b *block) ownUsers() {
	if !b.ownsUsers {
		b.users, b.groupEnds, b.ownsUsers = slices.Clone(b.users), slices.Clone(b.groupEnds), true
	}
}

// ownRevisions makes revisions one that may be changed in place.
func (b *block) ownRevisions() {
	if !b.ownsRevisions {
		b.revisions, b.ownsRevisions = slices.Clone(b.revisions), true
	}
}

// setKeys replaces the keys of user i.
func (b *block) setKeys(i int, keys ...Key) {
	if !b.ownsKeys {
		b.keys, b.ownsKeys = slices.Clone(b.keys), true
	}
	start, end := b.keySpan(i)
	b.keys = slices.Replace(b.keys, int(start), int(end), keys...)
	for grown := uint32(len(keys)) - (end - start); i < len(b.users); i++ {
		b.users[i].keyEnd += grown // wraps around if there are fewer
	}
}

// setGroup adds the group to the users at the places (ascending), or removes it from them, in one
// pass. It returns how many users changed.
func (b *block) setGroup(group uint32, places []uint8, member bool) (changed int) {
	groups, ends := make([]uint32, 0, len(b.groups)+len(places)), make([]uint32, len(b.groupEnds))
	from := 0
	for _, place := range places {
		i := int(place)
		b.copyGroups(&groups, ends, from, i)
		old := b.groupsOf(i)
		changed += count(has(old, group) != member)
		groups = appendWith(groups, old, group, member)
		ends[i], from = uint32(len(groups)), i+1
	}
	b.copyGroups(&groups, ends, from, len(ends))
	b.groups, b.groupEnds = groups, ends
	return changed
}

// copyGroups appends the groups of some users, and sets their ends.
func (b *block) copyGroups(groups *[]uint32, ends []uint32, from, to int) {
	if from == to {
		return
	}
	start := uint32(0)
	if from > 0 {
		start = b.groupEnds[from-1]
	}
	grown := uint32(len(*groups)) - start // wraps around if there are fewer
	for i := from; i < to; i++ {
		ends[i] = b.groupEnds[i] + grown
	}
	*groups = append(*groups, b.groups[start:b.groupEnds[to-1]]...)
}

// appendWith appends an ascending set, with or without value.
func appendWith(dst, set []uint32, value uint32, in bool) []uint32 {
	at, found := slices.BinarySearch(set, value)
	dst = append(dst, set[:at]...)
	if in {
		dst = append(dst, value)
	}
	if found {
		at++
	}
	return append(dst, set[at:]...)
}

func has(set []uint32, value uint32) bool {
	_, found := slices.BinarySearch(set, value)
	return found
}
