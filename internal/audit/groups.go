package audit

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// groups adds the entries of groups that were created, changed or deleted, and of their members and
// owners.
func (b *builder) groups() error {
	created := map[uint32]bool{}
	for _, g := range b.groupEffects() {
		if g.New == nil {
			continue
		}
		created[g.Group] = true
		var list []Property
		if w := b.was(tenant.Changeable(store.KindGroup), g.Group); w != nil {
			list = updated(properties(w.Properties))
		}
		t := b.group(g.Group, list...)
		t.ID = g.New.String()
		b.add("Add group", groups, opAdd, t)
	}
	purged := map[uint32]bool{}
	for _, m := range b.f.Groups {
		purged[m.Ordinal] = m.What == tenant.MarkPurged
		b.groupMark(tenant.Mark(m))
	}
	for _, g := range b.groupEffects() {
		if purged[g.Group] {
			continue // that its members leave it follows from the deletion
		}
		for _, moved := range []struct {
			data   []byte
			joined bool
		}{{g.Joined, true}, {g.Left, false}} {
			if err := b.members(g.Group, moved.data, moved.joined); err != nil {
				return err
			}
		}
	}
	for _, l := range b.f.Nested {
		if !purged[l.Group] && !purged[l.Member] {
			b.member(b.group(l.Group), b.group(l.Member), !l.Removed)
		}
	}
	for _, l := range b.f.Owners {
		b.owner(groups, "group", b.group(l.Group), b.user(l.Member), !l.Removed)
	}
	b.links(true)
	return nil
}

// links adds the entries of members and owners by id: those of groups, or of other objects.
func (b *builder) links(ofGroups bool) {
	for _, l := range b.f.Links {
		if ofGroups == (b.object(l.From).Type == typeGroup && l.Relation != directory.RelationHasRole) {
			b.linked(l)
		}
	}
}

func (b *builder) groupEffects() []licensing.GroupEffect {
	if b.f.Licensing == nil {
		return nil
	}
	return b.f.Licensing.Groups
}

func (b *builder) groupMark(m tenant.Mark) {
	t := b.group(m.Ordinal)
	if m.ID != nil {
		t.ID = m.ID.String()
	}
	switch m.What {
	case tenant.MarkWritten:
		w := b.was(tenant.Changeable(store.KindGroup), m.Ordinal)
		if w == nil {
			w = new(tenant.Was)
			for _, name := range m.Properties {
				w.Properties = append(w.Properties, tenant.Difference{Name: name})
			}
		}
		if list := properties(w.Properties); len(list) > 0 {
			t.Properties = updated(b.asFarAsKnown(list))
			b.add("Update group", groups, opUpdate, t)
		}
	case tenant.MarkDeleted:
		b.add("Delete group", groups, opDelete, t)
	case tenant.MarkRestored:
		b.add("Restore group", groups, opUpdate, t)
	case tenant.MarkPurged:
		if b.operation == "deleteGroup" {
			b.add("Delete group", groups, opDelete, t)
		}
		b.add("Hard Delete group", groups, opDelete, t)
	}
}

// members adds an entry for each user who joined or left a group.
func (b *builder) members(group uint32, data []byte, joined bool) error {
	if len(data) == 0 {
		return nil
	}
	all := roaring.New()
	if err := all.UnmarshalBinary(data); err != nil {
		return err
	}
	if !joined {
		all.AndNot(b.purgedUsers())
	}
	if all.IsEmpty() {
		return nil
	}
	g := b.group(group)
	properties := ofGroup(g, joined)
	b.parts = append(b.parts, part{
		heads: []Head{b.memberHead(joined)}, users: all, count: int(all.GetCardinality()), fixed: []Target{g},
		of:      func(user uint32, _ int) []Target { return []Target{b.user(user, properties...), g} },
		details: b.memberDetails(group),
	})
	return nil
}

// memberDetails returns the additionalDetails of entries about members of a group, which may have
// moved by its rule (U22).
func (b *builder) memberDetails(group uint32) []Detail {
	if slices.Contains(b.record.ByRule, group) {
		return append(b.details(), Detail{"byRule", "true"})
	}
	return b.details()
}

// purgedUsers returns the users that the commit purges.
func (b *builder) purgedUsers() *roaring.Bitmap {
	all := roaring.New()
	for _, m := range b.f.Users {
		if m.What == tenant.MarkPurged {
			all.Add(m.Ordinal)
		}
	}
	return all
}

func (b *builder) memberHead(joined bool) Head {
	if joined {
		return b.head("Add member to group", groups, opAssign)
	}
	return b.head("Remove member from group", groups, opUnassign)
}

func (b *builder) member(g, member Target, joined bool) {
	member.Properties = ofGroup(g, joined)
	b.addHead(b.memberHead(joined), []Target{member, g})
}

// owner adds the entry of an owner of an object that was added or removed.
func (b *builder) owner(category, kind string, object, owner Target, added bool) {
	if kind == "group" {
		owner.Properties = ofGroup(object, added)
	}
	if added {
		b.add("Add owner to "+kind, category, opAssign, owner, object)
	} else {
		b.add("Remove owner from "+kind, category, opUnassign, owner, object)
	}
}

// linked adds the entry of a member or owner by id.
func (b *builder) linked(l tenant.LinkNow) {
	if b.gone[l.From] || b.gone[l.To] {
		return
	}
	from, to := b.object(l.From), b.object(l.To)
	switch l.Relation {
	case directory.RelationHasMember:
		b.member(from, to, !l.Removed)
	case directory.RelationOwnedBy:
		category, kind := groups, "group"
		switch from.Type {
		case typeApplication:
			category, kind = applications, "application"
		case typePrincipal:
			category, kind = applications, "service principal"
		}
		b.owner(category, kind, from, to, !l.Removed)
	case directory.RelationHasRole:
		b.appRole(l, from, to)
	}
}
