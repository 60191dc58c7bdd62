package graph

import (
	"github.com/google/uuid"

	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
)

// appendLinks writes what an object is linked to under a name such as owners@delta. When write
// writes nothing, it writes nothing.
func (d *round) appendLinks(b []byte, name string, write func([]byte) []byte) []byte {
	before := b
	b = append(jsontext.AppendName(b, name), '[')
	empty := len(b)
	if b = write(b); len(b) == empty {
		return before
	}
	return append(b, ']')
}

// userID returns a user's id, that of one gone for good too as long as the changes know it.
func (d *round) userID(user uint32) uuid.UUID {
	if !d.Image.Directory.UserPurged(user) {
		return d.Image.Directory.UserID(user)
	}
	id, _ := d.changes.Users.Purged(user)
	return id
}

// appendLinked writes what is linked with its type, as removed when it is not any more. Something
// nobody knows the id of is left out: it went for good after the round had begun, and the next
// round says so.
func (d *round) appendLinked(b []byte, kind string, id uuid.UUID, is bool) []byte {
	if id == uuid.Nil || !is && d.whole {
		return b
	}
	b = jsontext.AppendID(jsontext.AppendName(d.AppendType(wire.AppendNext(b), kind), "id"), id)
	if !is {
		b = append(b, `,"@removed":{"reason":"deleted"}`...)
	}
	return append(b, '}')
}
