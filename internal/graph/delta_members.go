package graph

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
)

// maxDeltaMembers is how many members a page shows, in all its groups or units. One with more goes
// on on the next page.
const maxDeltaMembers = 2000

// memberWriter writes a page of groups, or of administrative units, with members@delta.
type memberWriter struct {
	*round
	room int // for members
	// places are those of the members to be shown of an object, in ascending order; member is the type
	// and id at a place, and whether it is a member still.
	places func(ordinal uint32) memberPlaces
	member func(ordinal uint32, place int64) (kind string, id uuid.UUID, is bool)
}

// showsMembers says whether members@delta is wanted: it is unless $select leaves it out.
func (d *round) showsMembers() bool {
	return d.token.selected == nil || slices.Contains(d.token.selected, "members")
}

// sendWithMembers answers with a page. find returns an object, nil when it is not there, and write
// writes it: when there are more members than the page has room for, it returns the place of the
// last one written, otherwise -1.
func sendWithMembers[T any](
	w *memberWriter, typeName string, page []deltaElement, more bool, find func(ordinal uint32) (*T, error), write func([]byte, *T) ([]byte, int64),
) error {
	b, last := w.head(), int64(-1)
	for _, e := range page {
		if err := w.Work.Yield(); err != nil {
			return err
		}
		last = int64(e.ordinal)
		if e.removed != "" {
			b = w.appendRemoved(wire.AppendNext(b), typeName, e)
			continue
		}
		object, err := find(e.ordinal)
		if err != nil {
			return err
		}
		if object == nil { // gone since; the next round says so
			continue
		}
		rest := int64(-1)
		if b, rest = write(wire.AppendNext(b), object); rest >= 0 {
			next := w.continued(last)
			next.member = rest
			return w.finish(b, next)
		}
		if b, err = w.Request.More(b); err != nil {
			return err
		}
	}
	if !more {
		return w.finish(b, nil)
	}
	return w.finish(b, w.continued(last))
}

func (w *memberWriter) appendMembers(b []byte, of uint32) ([]byte, int64) {
	from := int64(0)
	if int64(of) == w.token.place { // the page before has shown some
		from = w.token.member + 1
	}
	room := max(w.room, 1)
	places := w.places(of).from(from, room+1)
	if len(places) == 0 {
		return b, -1
	}
	rest := int64(-1)
	if len(places) > room {
		places, rest = places[:room], places[room-1]
	}
	w.room -= len(places)
	b = append(jsontext.AppendName(b, "members@delta"), '[')
	for _, place := range places {
		kind, id, is := w.member(of, place)
		b = w.appendLinked(b, kind, id, is)
	}
	return append(b, ']'), rest
}

// memberPlaces are the places of users, groups and service principals.
type memberPlaces struct{ users, groups, principals *roaring.Bitmap }

// from returns the first n places that are not before one, in ascending order.
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

// liveUserID is the id of a user, as userID, and whether the user is there.
func (d *round) liveUserID(user uint32) (id uuid.UUID, live bool) {
	x := d.Image.Directory
	return d.userID(user), !x.UserPurged(user) && !x.UserDeleted(user)
}

// groupID is liveUserID for groups.
func (d *round) groupID(group uint32) (id uuid.UUID, live bool) {
	if x := d.Image.Directory; !x.GroupPurged(group) {
		return x.GroupID(group), !x.GroupDeleted(group)
	}
	id, _ = d.changes.Groups.Purged(group)
	return id, false
}
