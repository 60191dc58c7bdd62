package graph

import (
	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"
)

// appendLinks writes the users that an object is linked to under a name such as owners@delta, and as removed those that it is not any
// more. Without any, it writes nothing.
func (d *round) appendLinks(b []byte, name string, users *roaring.Bitmap, is func(user uint32) bool) []byte {
	before := b
	b = append(appendName(b, name), '[')
	empty := len(b)
	for user := range roaring.Values(users) {
		b = d.appendLinked(b, userType, d.userID(user), is(user))
	}
	if len(b) == empty {
		return before
	}
	return append(b, ']')
}

// userID answers a user's id, that of one gone for good too as long as the changes know it.
func (d *round) userID(user uint32) uuid.UUID {
	if !d.image.Directory.UserGone(user) {
		return d.image.Directory.UserID(user)
	}
	id, _ := d.changes.Users.Gone(user)
	return id
}

// appendLinked writes what is linked with its type, as removed when it is not any more. Something nobody knows the id of is left out: it
// went for good after the round had begun, and the next round says so.
func (d *round) appendLinked(b []byte, kind string, id uuid.UUID, is bool) []byte {
	if id == uuid.Nil || !is && d.whole {
		return b
	}
	b = appendID(appendName(d.appendType(appendNext(b), kind), "id"), id)
	if !is {
		b = append(b, `,"@removed":{"reason":"deleted"}`...)
	}
	return append(b, '}')
}
