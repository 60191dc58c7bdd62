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
// in the order of the users.
type block struct {
	owner    *vector.Owner
	ownsKeys bool   // keys belongs to the owner, too
	users    []user // at most blockUsers
	keys     []Key  // for each user the name, then the addresses
	groups   []uint32
}

// user is 36 bytes, the same for every user.
type user struct {
	id       uuid.UUID
	revision uint32
	keyEnd   uint32 // end of the user's keys, which begin at the end of the previous user's
	groupEnd uint32
	manager  uint32 // the ordinal of the manager plus one; 0 for none
	state    state
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
		start = b.users[i-1].groupEnd
	}
	end := b.users[i].groupEnd
	return b.groups[start:end:end]
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
	next := make([]uint32, 0, len(b.groups)+len(places))
	start := uint32(0)
	for i := range b.users {
		end := b.users[i].groupEnd
		groups := b.groups[start:end]
		start = end
		if len(places) > 0 && int(places[0]) == i {
			places = places[1:]
			changed += count(has(groups, group) != member)
			next = appendWith(next, groups, group, member)
		} else {
			next = append(next, groups...)
		}
		b.users[i].groupEnd = uint32(len(next))
	}
	b.groups = next
	return changed
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
