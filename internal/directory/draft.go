package directory

import (
	"fmt"
	"iter"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/directory/column"
	"licensor/internal/licensing/vector"
)

// Draft is a change of an Index in progress. It has all methods of an Index. It does not validate
// its arguments, for example that a name is free, but panics at ordinals that are not in use or
// purged, which only a bug can cause. A Draft is not safe for concurrent use.
type Draft struct {
	view
	mark  *vector.Owner // of the parts that the draft has made or copied and may therefore change
	first uint32        // the first new user

	userColumns, groupColumns *column.Draft
}

// Finish returns the index of the draft. The draft must not be used afterwards.
func (d *Draft) Finish() *Index {
	if d.users > d.first {
		for user := d.first / blockUsers * blockUsers; user < d.users; user += blockUsers {
			b, _ := d.at(user)
			b.users, b.keys, b.groupEnds = snug(b.users), snug(b.keys), snug(b.groupEnds)
			b.revisions = snug(b.revisions)
		}
	}
	for _, l := range []*lookup{d.ids, d.names, d.addresses, d.groupIDs, d.nicknames, d.reports} {
		l.settle()
		l.waiting = nil
	}
	x := &Index{view: d.view, userColumns: d.userColumns.Finish(), groupColumns: d.groupColumns.Finish()}
	d.view = view{}
	return x
}

// UserColumns returns the values of users as of the draft.
func (d *Draft) UserColumns() *column.Table {
	table := d.userColumns.Finish()
	d.userColumns = table.Draft()
	return table
}

// snug frees the spare capacity of a slice if it is large.
func snug[E any](s []E) []E {
	if cap(s)-len(s) > len(s)/16 {
		return append(make([]E, 0, len(s)), s...)
	}
	return s
}

// AddUser adds a user and returns the ordinal, which is the next one.
func (d *Draft) AddUser(id uuid.UUID, name Key, addresses []Key) uint32 {
	ordinal := d.users
	if ordinal%blockUsers == 0 {
		d.blocks.Append(d.mark, &block{
			owner: d.mark, ownsUsers: true, ownsKeys: true, ownsRevisions: true, users: make([]user, 0, blockUsers),
			revisions: make([]uint32, 0, blockUsers), groupEnds: make([]uint32, 0, blockUsers),
		})
	}
	d.users++
	d.userColumns.AddRow()
	b := d.ownBlock(ordinal)
	b.ownUsers()
	b.ownRevisions()
	b.users = append(b.users, user{id: id, keyEnd: uint32(len(b.keys))})
	b.revisions = append(b.revisions, 1)
	b.groupEnds = append(b.groupEnds, uint32(len(b.groups)))
	b.setKeys(len(b.users)-1, append([]Key{name}, addresses...)...)
	d.ids.insert(entry(idPrefix(id), ordinal))
	d.link(ordinal)
	return ordinal
}

func (d *Draft) ownBlock(user uint32) *block {
	b := d.blocks.At(int(user / blockUsers))
	if b.owner != d.mark {
		b = &block{
			owner: d.mark, users: b.users, revisions: b.revisions,
			keys: b.keys, groups: b.groups, groupEnds: b.groupEnds,
		}
		d.blocks.Set(d.mark, int(user/blockUsers), b)
	}
	return b
}

// own returns the block and place of an existing user, for changing.
func (d *Draft) own(user uint32) (*block, int) {
	d.checkUser(user)
	b := d.ownBlock(user)
	b.ownUsers()
	return b, int(user % blockUsers)
}

func (d *Draft) checkUser(user uint32) {
	if d.UserPurged(user) {
		panic(fmt.Sprintf("directory: change of user %d, which is purged or not among the %d there are", user, d.users))
	}
}

// link adds the name and addresses of a user to the lookups.
func (d *Draft) link(user uint32) {
	keys := d.keys(user)
	d.names.insert(entry(keys[0].prefix(), user))
	for _, address := range keys[1:] {
		d.addresses.insert(entry(address.prefix(), user))
	}
}

func (d *Draft) unlink(user uint32) {
	keys := d.keys(user)
	d.names.delete(entry(keys[0].prefix(), user))
	for _, address := range keys[1:] {
		d.addresses.delete(entry(address.prefix(), user))
	}
}

// SetUserKeys replaces the name and addresses of a user, as part of a write of its document.
func (d *Draft) SetUserKeys(user uint32, name Key, addresses []Key) {
	d.TouchUser(user)
	b, i := d.own(user)
	keys := append([]Key{name}, addresses...)
	if slices.Equal(keys, b.keysOf(i)) {
		return
	}
	if b.users[i].state == live {
		d.unlink(user)
		defer d.link(user)
	}
	b.setKeys(i, keys...)
}

// TouchUser records a write of the user's document that changes neither name nor addresses.
func (d *Draft) TouchUser(user uint32) {
	d.checkUser(user)
	b := d.ownBlock(user)
	b.ownRevisions()
	b.revisions[user%blockUsers]++
}

// SetUserValues sets a user's values in columns of UserSchema, as part of a write of its document.
func (d *Draft) SetUserValues(user uint32, changes []column.Change) {
	for _, c := range changes {
		d.userColumns.Set(user, c.Column, c.Value)
	}
}

// DeleteUser soft-deletes a user: its name and addresses become free, its id and memberships are
// kept.
func (d *Draft) DeleteUser(user uint32) { d.show(user, deleted) }

// RestoreUser restores a soft-deleted user.
func (d *Draft) RestoreUser(user uint32) { d.show(user, live) }

func (d *Draft) show(user uint32, to state) {
	d.TouchUser(user)
	b, i := d.own(user)
	if b.users[i].state == to {
		return
	}
	b.users[i].state = to
	d.userColumns.SetDeleted(user, to != live)
	if to == live {
		d.link(user)
	} else {
		d.unlink(user)
	}
}

// PurgeUser removes a user with its memberships, manager and reports. Its ordinal stays in use.
func (d *Draft) PurgeUser(user uint32) {
	d.DeleteUser(user)
	d.RemoveManager(user)
	for _, report := range d.Reports(user) {
		d.RemoveManager(report)
	}
	b, i := d.own(user)
	for _, group := range slices.Clone(b.groupsOf(i)) {
		b.setGroup(group, []uint8{uint8(i)}, false)
	}
	b.setKeys(i)
	d.userColumns.Purge(user)
	d.ids.delete(entry(idPrefix(b.users[i].id), user))
	b.users[i].id, b.users[i].state = uuid.Nil, purged
}

// Join adds users to the group and returns the number of new members. A block is copied once for
// consecutive users of it, so ascending users are fast.
func (d *Draft) Join(group uint32, users iter.Seq[uint32]) (joined int) {
	return d.setMembers(group, users, true)
}

// Leave removes users from the group and returns how many were members.
func (d *Draft) Leave(group uint32, users iter.Seq[uint32]) (left int) {
	return d.setMembers(group, users, false)
}

func (d *Draft) setMembers(group uint32, users iter.Seq[uint32], member bool) (changed int) {
	d.checkGroup(group)
	var (
		places  = make([]uint8, 0, blockUsers)
		current uint32 // a user of the block of the places
	)
	for user := range users {
		if user/blockUsers != current/blockUsers {
			changed += d.setInBlock(group, current, places, member)
			places = places[:0]
		}
		current = user
		if d.IsMember(user, group) != member {
			places = append(places, uint8(user%blockUsers))
		}
	}
	return changed + d.setInBlock(group, current, places, member)
}

// setInBlock sets the memberships of users of one block, given by their places in it.
func (d *Draft) setInBlock(group, user uint32, places []uint8, member bool) int {
	if len(places) == 0 {
		return 0
	}
	slices.Sort(places)
	places = slices.Compact(places)
	for _, place := range places {
		d.checkUser(user/blockUsers*blockUsers + uint32(place))
	}
	return d.ownBlock(user).setGroup(group, places, member)
}
