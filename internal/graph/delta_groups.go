package graph

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/wire"
	"licensor/internal/store"
)

// groupsDelta answers GET /groups/delta: all groups at first, later which came, went or changed in
// what is shown; with members@delta, unless $select leaves them out, and with owners@delta when it
// has them.
func groupsDelta(r *wire.Request) error {
	d, err := deltaRound(r, store.KindGroup, "groups", groupFields.Spell)
	if err != nil {
		return err
	}
	if slices.Contains(d.token.selected, "owners") { // members have a place in every answer
		if err := r.MayExpand(groupFields.TypeName, "owners"); err != nil {
			return err
		}
	}
	w := &groupWriter{memberWriter: memberWriter{round: d, room: maxDeltaMembers}, members: d.showsMembers(), owners: slices.Contains(d.token.selected, "owners")}
	w.places, w.member = w.placesOf, w.memberAt
	w.fields, err = deltaFields(d, groupFields, except(except(d.token.selected, "members"), "owners"))
	if err != nil {
		return err
	}
	if err := d.read(); err != nil {
		return err
	}
	page, more := d.elements(d.among(w.touched))
	rows := groupList.At(r, there(page), wire.Documented(w.fields))
	return sendWithMembers(&w.memberWriter, groupType, page, more, wire.Finder(rows, func(g *group) uint32 { return g.ordinal }), w.appendGroup)
}

// groupWriter writes a page of groups.
type groupWriter struct {
	memberWriter
	fields          []*wire.Field[group]
	members, owners bool
}

// touched are the groups that changed in what is shown.
func (w *groupWriter) touched() *roaring.Bitmap {
	touched := w.objects.Touched(namesOf(w.fields))
	if w.members {
		touched.Or(w.changes.Membership())
	}
	if w.owners {
		touched.Or(w.changes.Owners.Touched())
		touched.Or(w.changes.OwnersPrincipals.Touched())
	}
	return touched
}

// appendGroup writes a group with what there is to say of its members. When there is more than the
// page has room for, it answers the place of the last member written, otherwise -1.
func (w *groupWriter) appendGroup(b []byte, g *group) ([]byte, int64) {
	b = wire.AppendFields(append(b, '{'), w.fields, g)
	rest := int64(-1)
	if w.owners && int64(g.ordinal) != w.token.place { // otherwise the page before has shown them
		b = w.appendOwners(b, g.ordinal)
	}
	if w.members {
		b, rest = w.appendMembers(b, g.ordinal)
	}
	return append(b, '}'), rest
}

func (w *groupWriter) appendOwners(b []byte, group uint32) []byte {
	x, owners, principals := w.Image.Directory, roaring.New(), roaring.New()
	if touched := w.changes.Owners[group]; touched != nil {
		owners.Or(touched)
	}
	if touched := w.changes.OwnersPrincipals[group]; touched != nil {
		principals.Or(touched)
	}
	if w.whole || w.objects.Created(group) {
		owners.AddMany(x.Owners(group))
		if of := linked(w.memberWriter.round.Request, w.Image.Links.From(directory.OwnedBy, x.GroupID(group))); of.principals != nil {
			principals.Or(of.principals)
		}
	}
	return w.appendLinks(b, "owners@delta", func(b []byte) []byte {
		for user := range roaring.Values(owners) {
			b = w.appendLinked(b, userType, w.userID(user), slices.Contains(x.Owners(group), user) && !x.UserDeleted(user))
		}
		for principal := range roaring.Values(principals) {
			kind, id, is := w.principal(directory.OwnedBy, group, principal)
			b = w.appendLinked(b, kind, id, is)
		}
		return b
	})
}

// placesOf are those of the members to be shown, or shown as removed: all, when the client cannot
// know the group yet.
func (w *groupWriter) placesOf(group uint32) memberPlaces {
	users, groups, principals := roaring.New(), roaring.New(), roaring.New()
	if m := w.changes.Members(group); m != nil {
		users.Or(m.Users)
		groups.Or(m.Groups)
		principals.Or(m.Principals)
	}
	if w.whole || w.objects.Created(group) {
		users.Or(w.Image.Licensing.GroupMembers(group))
		for _, member := range w.Image.Directory.GroupMembersOf(group) {
			groups.Add(member)
		}
		if of := linked(w.memberWriter.round.Request, w.Image.Links.From(directory.HasMember, w.Image.Directory.GroupID(group))); of.principals != nil {
			principals.Or(of.principals)
		}
	}
	return memberPlaces{users, groups, principals}
}

// memberAt returns the type and id at a place, and whether that is a member of the group.
func (w *groupWriter) memberAt(group uint32, place int64) (kind string, id uuid.UUID, is bool) {
	x, ordinal := w.Image.Directory, uint32(place&(groupsFrom-1))
	switch {
	case place >= principalsFrom:
		return w.principal(directory.HasMember, group, ordinal)
	case place >= groupsFrom:
		id, live := w.groupID(ordinal)
		return groupType, id, live && slices.Contains(x.GroupMembersOf(group), ordinal)
	}
	id, live := w.liveUserID(ordinal)
	return userType, id, live && x.IsMember(ordinal, group)
}

// principal returns the type and id of a service principal, and whether the group is in a relation
// to it.
func (w *groupWriter) principal(relation directory.Relation, group, principal uint32) (kind string, id uuid.UUID, is bool) {
	p := w.Image.Principals.At(principal)
	if p == nil {
		id, _ = w.changes.Principals.Purged(principal)
		return principalFields.TypeName, id, false
	}
	is = w.Image.Links.Has(directory.Link{Relation: relation, From: w.Image.Directory.GroupID(group), To: p.ID})
	return principalFields.TypeName, p.ID, is && p.DeletedDateTime.IsZero()
}
