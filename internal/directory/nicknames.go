package directory

import (
	"slices"

	"licensor/internal/directory/column"
)

// Microsoft 365 groups are found by their mailNickname, which is unique among them. The lookup
// follows from the columns, and is not written to snapshots.

// The columns that the lookup follows from, by their places in GroupSchema.
var nicknamePlace, typesPlace = groupPlace("mailNickname"), groupPlace("groupTypes")

func groupPlace(name string) int {
	p, _ := groupTable.property(name)
	place, _ := p.Column()
	return place
}

// NicknameTaken reports whether a live Microsoft 365 group other than the one with an ordinal has a
// mailNickname, in any letter case.
func (v *view) NicknameTaken(mailNickname string, but uint32) bool {
	key := KeyOf(mailNickname)
	_, taken := v.nicknames.find(key.prefix(), func(group uint32) bool {
		return group != but && v.group(group).nickname == key
	})
	return taken
}

// Nickname returns the mailNickname of a live Microsoft 365 group; false for any other.
func (x *Index) Nickname(group uint32) (string, bool) {
	return x.groupColumns.Text(group, nicknamePlace), x.group(group).nicknamed()
}

// has applies a value of a column to the nickname.
func (g *group) has(place int, value column.Value) {
	switch place {
	case nicknamePlace:
		if g.nickname = (Key{}); value.Text != "" {
			g.nickname = KeyOf(value.Text)
		}
	case typesPlace:
		g.unified = slices.Contains(value.Texts, Unified)
	}
}

// nicknamed reports whether the group is found by its nickname.
func (g *group) nicknamed() bool { return g.state == live && g.unified && g.nickname != Key{} }

// nick changes a group, and updates the lookup of its nickname.
func (d *Draft) nick(ordinal uint32, change func(g *group)) {
	g := d.ownGroup(ordinal)
	before := *g
	change(g)
	if g.nicknamed() == before.nicknamed() && g.nickname == before.nickname {
		return
	}
	if before.nicknamed() {
		d.nicknames.delete(entry(before.nickname.prefix(), ordinal))
	}
	if g.nicknamed() {
		d.nicknames.insert(entry(g.nickname.prefix(), ordinal))
	}
}

// readNicknames fills the lookup from the columns of all groups.
func (x *Index) readNicknames() {
	for ordinal := range x.groups {
		g, row := x.group(ordinal), x.groupColumns.Row(ordinal)
		g.has(nicknamePlace, row.Value(nicknamePlace))
		g.has(typesPlace, row.Value(typesPlace))
	}
}
