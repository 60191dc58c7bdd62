package graph

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/engine"
)

// memberList has the members in members@delta: users, groups and service principals.
type memberList struct {
	changed func(c *engine.Changes, of uint32) *engine.MemberChanges // nil: no changes
	all     func(d *round, e deltaElement) sets
	has     func(d *round, e deltaElement, kind *objectKind, member uint32, id uuid.UUID) bool
}

// groupMembersLink shows the members of groups.
var groupMembersLink = deltaLink{
	name: "members", unasked: true,
	touched: func(d *round) *roaring.Bitmap { return d.changes.Membership() },
	members: &memberList{(*engine.Changes).Members, allInGroup, isInGroup},
}

func allInGroup(d *round, e deltaElement) sets { return inGroup(d.Request, e.ordinal) }

func isInGroup(d *round, e deltaElement, kind *objectKind, member uint32, id uuid.UUID) bool {
	switch kind {
	case userKind:
		return d.Image.Directory.IsMember(member, e.ordinal)
	case groupKind:
		return slices.Contains(d.Image.Directory.GroupMembersOf(e.ordinal), member)
	}
	return d.Image.Links.Has(directory.Link{Relation: directory.RelationHasMember, From: e.id, To: id})
}

// unitMembersLink shows the members of administrative units.
var unitMembersLink = deltaLink{
	name: "members", unasked: true,
	touched: func(d *round) *roaring.Bitmap { return d.changes.UnitMembership() },
	members: &memberList{(*engine.Changes).UnitMembers, allInUnit, isInUnit},
}

func allInUnit(d *round, e deltaElement) sets { return inUnit(d.Image, e.ordinal) }

func isInUnit(d *round, e deltaElement, kind *objectKind, member uint32, _ uuid.UUID) bool {
	return d.Image.UnitMembers.Has(directory.UnitMember{Unit: e.ordinal, Member: member, IsGroup: kind == groupKind})
}
