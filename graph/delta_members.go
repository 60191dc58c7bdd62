package graph

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"
)

// maxDeltaMembers is how many members a page shows, in all its groups or units. One with more goes on on the next page.
const maxDeltaMembers = 2000

// memberWriter writes a page of groups, or of administrative units, with members@delta.
type memberWriter struct {
	*round
	room int // for members
	// places are those of the members to be shown of an object, in ascending order; member is the type and id at a place, and whether it
	// is a member still.
	places func(ordinal uint32) []int64
	member func(ordinal uint32, place int64) (kind string, id uuid.UUID, is bool)
}

// showsMembers says whether members@delta is wanted: it is unless $select leaves it out.
func (d *round) showsMembers() bool {
	return d.token.selected == nil || slices.Contains(d.token.selected, "members")
}

// sendWithMembers answers with a page. find returns an object that is there, and write writes it: when there are more members than the page
// has room for, it returns the place of the last one written, otherwise -1.
func sendWithMembers[T any](
	w *memberWriter, typeName string, page []deltaElement, more bool, find func(ordinal uint32) (*T, bool), write func([]byte, *T) ([]byte, int64),
) error {
	b, last := w.head(), int64(-1)
	for _, e := range page {
		if err := w.work.Yield(); err != nil {
			return err
		}
		object, ok := find(e.ordinal)
		switch {
		case e.removed != "":
			b = w.appendRemoved(appendNext(b), typeName, e)
		case ok: // otherwise gone since; the next round says so
			rest := int64(-1)
			if b, rest = write(appendNext(b), object); rest >= 0 {
				next := w.continued(int64(e.ordinal))
				next.member = rest
				return w.finish(b, next)
			}
		}
		last = int64(e.ordinal)
	}
	if !more {
		return w.finish(b, nil)
	}
	return w.finish(b, w.continued(last))
}

func (w *memberWriter) appendMembers(b []byte, of uint32) ([]byte, int64) {
	places := w.places(of)
	if int64(of) == w.token.place { // the page before has shown some
		from, _ := slices.BinarySearch(places, w.token.member+1)
		places = places[from:]
	}
	if len(places) == 0 {
		return b, -1
	}
	rest := int64(-1)
	if room := max(w.room, 1); len(places) > room {
		places, rest = places[:room], places[room-1]
	}
	w.room -= len(places)
	b = append(appendName(b, "members@delta"), '[')
	for _, place := range places {
		kind, id, is := w.member(of, place)
		b = w.appendLinked(b, kind, id, is)
	}
	return append(b, ']'), rest
}

// placesIn lists the places of users, groups and service principals, in ascending order.
func placesIn(users, groups, principals *roaring.Bitmap) []int64 {
	places := make([]int64, 0, users.GetCardinality()+groups.GetCardinality()+principals.GetCardinality())
	for user := range roaring.Values(users) {
		places = append(places, int64(user))
	}
	for member := range roaring.Values(groups) {
		places = append(places, groupsFrom+int64(member))
	}
	for member := range roaring.Values(principals) {
		places = append(places, principalsFrom+int64(member))
	}
	return places
}

// liveUserID is the id of a user, as userID, and whether the user is there.
func (d *round) liveUserID(user uint32) (id uuid.UUID, live bool) {
	x := d.image.Directory
	return d.userID(user), !x.UserGone(user) && !x.UserHidden(user)
}

// groupID is liveUserID for groups.
func (d *round) groupID(group uint32) (id uuid.UUID, live bool) {
	if x := d.image.Directory; !x.GroupGone(group) {
		return x.GroupID(group), !x.GroupHidden(group)
	}
	id, _ = d.changes.Groups.Gone(group)
	return id, false
}
