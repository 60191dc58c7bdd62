package directory

import "slices"

// Around returns those of the given groups that are not soft-deleted, and all groups that contain
// them, directly or indirectly, ascending. Groups in cycles are returned once.
func (v *view) Around(groups []uint32) []uint32 { return v.reach(groups, v.GroupMemberOf) }

// Within returns a group and all groups nested in it, directly or indirectly, ascending.
// Soft-deleted groups are omitted, and so are groups that are nested only through them.
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
	for at := 0; at < len(reached); at++ { // reached grows during the loop
		meet(links(reached[at]))
	}
	slices.Sort(reached)
	return reached
}
