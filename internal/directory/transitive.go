package directory

import "slices"

// Around returns the groups, of those given, that are not soft-deleted, and all groups around them
// by any number of steps; ascending. Groups in circles are met once.
func (v *view) Around(groups []uint32) []uint32 { return v.reach(groups, v.GroupMemberOf) }

// Within returns a group and all groups nested in it by any number of steps, ascending.
// Soft-deleted groups are left out, with what is in them only by way of them.
func (v *view) Within(group uint32) []uint32 { return v.reach([]uint32{group}, v.GroupMembersOf) }

// reach follows the links of live groups.
func (v *view) reach(from []uint32, links func(uint32) []uint32) []uint32 {
	seen := make(map[uint32]bool, len(from))
	var reached []uint32
	meet := func(groups []uint32) {
		for _, group := range groups {
			if !seen[group] && v.group(group).state == live {
				seen[group] = true
				reached = append(reached, group)
			}
		}
	}
	meet(from)
	for at := 0; at < len(reached); at++ { // reached grows meanwhile
		meet(links(reached[at]))
	}
	slices.Sort(reached)
	return reached
}
