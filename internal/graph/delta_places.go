package graph

import (
	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/jsontext"
)

// maxDeltaMembers is the maximum number of members on a page, in all its groups or units. An object
// with more continues on the next page.
const maxDeltaMembers = 2000

// appendMembers writes the members of an object, and former ones as removed. If there are more than
// fit on the page, rest is the place of the last one written, otherwise -1.
func (d *round) appendMembers(b []byte, e deltaElement, link deltaLink) (_ []byte, rest int64, err error) {
	if err := d.Work.Yield(); err != nil {
		return b, -1, err
	}
	from := int64(0)
	if int64(e.ordinal) == d.token.place { // the previous page has shown some
		from = d.token.member + 1
	}
	room := max(d.room, 1)
	places := d.memberPlaces(e, link.members).from(from, room+1)
	if len(places) == 0 {
		return b, -1, nil
	}
	rest = -1
	if len(places) > room {
		places, rest = places[:room], places[room-1]
	}
	d.room -= len(places)
	b = append(jsontext.AppendName(b, link.name+"@delta"), '[')
	for _, place := range places {
		kind, member := objectKinds[place/groupsFrom], uint32(place)
		id, live := d.find(kind, member)
		b = d.appendLinked(b, kind.typeName, id, live && link.members.has(d, e, kind, member, id))
	}
	return append(b, ']'), rest, nil
}

// memberPlaces returns the places of the members to show, or to show as removed: all, if the client
// cannot have seen the object yet.
func (d *round) memberPlaces(e deltaElement, l *memberList) memberPlaces {
	m := memberPlaces{roaring.New(), roaring.New(), roaring.New()}
	if changed := l.changed(d.changes, e.ordinal); changed != nil {
		m.add(changed.Users, changed.Groups, changed.Principals)
	}
	if d.isNew(e) {
		all := l.all(d, e)
		m.add(all.users, all.groups, all.principals)
	}
	return m
}

func (m memberPlaces) add(users, groups, principals *roaring.Bitmap) {
	add(m.users, users)
	add(m.groups, groups)
	add(m.principals, principals)
}

// memberPlaces are the places of users, groups and service principals.
type memberPlaces struct{ users, groups, principals *roaring.Bitmap }

// from returns the first n places from a place on, in ascending order.
func (m memberPlaces) from(first int64, n int) (places []int64) {
	for i, kind := range []*roaring.Bitmap{m.users, m.groups, m.principals} {
		base := int64(i) * groupsFrom
		it := kind.Iterator()
		if first >= base+groupsFrom {
			continue
		}
		for it.AdvanceIfNeeded(uint32(max(0, first-base))); it.HasNext() && len(places) < n; {
			places = append(places, base+int64(it.Next()))
		}
	}
	return places
}
