package directory

import (
	"fmt"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/directory/column"
)

// AddGroup adds a group and returns its ordinal, which is the next one.
func (d *Draft) AddGroup(id uuid.UUID) uint32 {
	ordinal := d.groups
	if ordinal%blockGroup == 0 {
		d.groupBlocks.Append(d.mark, &groupBlock{owner: d.mark})
	}
	d.groups++
	d.groupColumns.AddRow()
	b := d.ownGroupBlock(ordinal)
	b.groups = append(b.groups, group{id: id, revision: 1})
	d.groupIDs.insert(entry(idPrefix(id), ordinal))
	return ordinal
}

func (d *Draft) ownGroupBlock(group uint32) *groupBlock {
	b := d.groupBlocks.At(int(group / blockGroup))
	if b.owner != d.mark {
		b = &groupBlock{owner: d.mark, groups: slices.Clone(b.groups)}
		d.groupBlocks.Set(d.mark, int(group/blockGroup), b)
	}
	return b
}

// ownGroup returns an existing group, for changing.
func (d *Draft) ownGroup(group uint32) *group {
	d.checkGroup(group)
	return &d.ownGroupBlock(group).groups[group%blockGroup]
}

func (d *Draft) checkGroup(group uint32) {
	if d.GroupPurged(group) {
		panic(fmt.Sprintf("directory: change of group %d, which is purged or not among the %d there are",
			group, d.groups))
	}
}

// TouchGroup records a write of the group's document.
func (d *Draft) TouchGroup(group uint32) { d.ownGroup(group).revision++ }

// SetGroupValues sets a group's values in columns of GroupSchema, as part of a write of its
// document.
func (d *Draft) SetGroupValues(ordinal uint32, changes []column.Change) {
	d.nick(ordinal, func(g *group) {
		for _, c := range changes {
			d.groupColumns.Set(ordinal, c.Column, c.Value)
			g.has(c.Column, c.Value)
		}
	})
}

// DeleteGroup soft-deletes a group. Its memberships and owners are kept.
func (d *Draft) DeleteGroup(ordinal uint32) {
	d.nick(ordinal, func(g *group) { g.state, g.revision = deleted, g.revision+1 })
	d.groupColumns.SetDeleted(ordinal, true)
}

// RestoreGroup restores a soft-deleted group.
func (d *Draft) RestoreGroup(ordinal uint32) {
	d.nick(ordinal, func(g *group) { g.state, g.revision = live, g.revision+1 })
	d.groupColumns.SetDeleted(ordinal, false)
}

// PurgeGroup removes a group with its owners and nested memberships. Its user members must have
// left before: the licensing rules know them, and finding them here would require checking every
// user.
func (d *Draft) PurgeGroup(ordinal uint32) {
	g := d.ownGroup(ordinal)
	for _, member := range g.members {
		d.LeaveGroup(ordinal, member)
	}
	for _, outer := range g.memberOf {
		d.LeaveGroup(outer, ordinal)
	}
	d.groupColumns.Purge(ordinal)
	d.groupIDs.delete(entry(idPrefix(g.id), ordinal))
	d.nick(ordinal, func(g *group) { *g = noGroup })
}

// JoinGroup adds the group member to group; false if it was a member. The caller must refuse to add
// a group to itself.
func (d *Draft) JoinGroup(group, member uint32) bool { return d.nest(group, member, true) }

// LeaveGroup removes member from group; false if it was not a member.
func (d *Draft) LeaveGroup(group, member uint32) bool { return d.nest(group, member, false) }

func (d *Draft) nest(group, member uint32, in bool) bool {
	d.checkGroup(member)
	if group == member {
		panic(fmt.Sprintf("directory: group %d in itself", group))
	}
	if outer := d.ownGroup(group); !setIn(&outer.members, member, in) {
		return false
	}
	return setIn(&d.ownGroup(member).memberOf, group, in)
}

// AddOwner makes a user an owner of the group; false if it was one.
func (d *Draft) AddOwner(group, user uint32) bool {
	d.checkUser(user)
	return setIn(&d.ownGroup(group).owners, user, true)
}

// RemoveOwner removes an owner; false if the user was not one.
func (d *Draft) RemoveOwner(group, user uint32) bool {
	return setIn(&d.ownGroup(group).owners, user, false)
}

// setIn adds value to an ascending set or removes it, in a new array, and reports whether that was
// a change.
func setIn(set *[]uint32, value uint32, in bool) bool {
	if has(*set, value) == in {
		return false
	}
	*set = appendWith(make([]uint32, 0, len(*set)+1), *set, value, in)
	return true
}
