package graph

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
)

// deltaLink describes a property with the name of a link and @delta, which shows changes of linked
// objects.
type deltaLink struct {
	name    string
	unasked bool                      // even without a $select; then every response has it
	may     func(*wire.Request) error // nil: everyone who may see the changes may see it
	touched func(*round) *roaring.Bitmap
	append  func(d *round, b []byte, e deltaElement) []byte
	members *memberList // instead of append
}

// shown reports whether a $select has the link.
func (l deltaLink) shown(selected []string) bool {
	return selected == nil && l.unasked || slices.Contains(selected, l.name)
}

func (l deltaLink) allowed(r *wire.Request) error {
	if l.may == nil {
		return nil
	}
	return l.may(r)
}

// appendLinks writes the links of an object. If it has more members than fit on the page, rest is
// the place of the last member written, otherwise -1.
func (d *round) appendLinks(b []byte, e deltaElement) (_ []byte, rest int64, err error) {
	rest = -1
	for _, link := range d.links {
		switch {
		case link.members != nil:
			if b, rest, err = d.appendMembers(b, e, link); err != nil {
				return b, rest, err
			}
		case int64(e.ordinal) != d.token.place: // otherwise the previous page has shown them
			b = appendList(b, link.name+"@delta", func(b []byte) []byte { return link.append(d, b, e) })
		}
	}
	return b, rest, nil
}

// appendList writes a list under a name. If write writes nothing, so does appendList.
func appendList(b []byte, name string, write func([]byte) []byte) []byte {
	before := b
	b = append(jsontext.AppendName(b, name), '[')
	empty := len(b)
	if b = write(b); len(b) == empty {
		return before
	}
	return append(b, ']')
}

// isNew reports whether the client cannot have seen the object yet, so that all of it must be
// shown.
func (d *round) isNew(e deltaElement) bool { return d.whole || d.objects.Created(e.ordinal) }

// appendAll writes linked objects of a kind, those that are deleted or not linked as removed.
func (d *round) appendAll(
	b []byte, kind *objectKind, ordinals *roaring.Bitmap, is func(ordinal uint32, id uuid.UUID) bool,
) []byte {
	for ordinal := range roaring.Values(ordinals) {
		id, live := d.find(kind, ordinal)
		b = d.appendLinked(b, kind.typeName, id, live && is(ordinal, id))
	}
	return b
}

// find returns the id of an object and whether it is live. For a purged object it returns the id if
// the changes have it.
func (d *round) find(kind *objectKind, ordinal uint32) (id uuid.UUID, live bool) {
	in := kind.In(d.Image)
	if in.IsPurged(ordinal) {
		id, _ = changesOf(d.changes, kind.Type).Purged(ordinal)
		return id, false
	}
	return in.ID(ordinal), !in.IsDeleted(ordinal)
}

// appendLinked writes a linked object with its type, as removed if it is no longer linked. An
// object whose id is unknown is omitted: it was purged after the beginning of the round, and the
// next round reports that.
func (d *round) appendLinked(b []byte, typeName string, id uuid.UUID, is bool) []byte {
	if id == uuid.Nil || !is && d.whole {
		return b
	}
	b = jsontext.AppendID(jsontext.AppendName(d.AppendType(wire.AppendNext(b), typeName), "id"), id)
	if !is {
		b = append(b, `,"@removed":{"reason":"deleted"}`...)
	}
	return append(b, '}')
}

// add adds a set that may be nil.
func add(to, some *roaring.Bitmap) {
	if some != nil {
		to.Or(some)
	}
}

// managerLink shows the managers of users.
var managerLink = deltaLink{
	name: "manager",
	may: func(r *wire.Request) error {
		if r.Access != identity.AccessFull {
			return &identity.ForbiddenError{Operation: r.Op.Need}
		}
		return nil
	},
	touched: func(d *round) *roaring.Bitmap { return d.changes.Managers.Touched() },
	append:  (*round).appendManager,
}

// appendManager writes a user's manager, and former ones as removed.
func (d *round) appendManager(b []byte, e deltaElement) []byte {
	managers := roaring.New()
	add(managers, d.changes.Managers[e.ordinal])
	now, managed := d.Image.Directory.Manager(e.ordinal)
	if managed && d.isNew(e) {
		managers.Add(now)
	}
	return d.appendAll(b, userKind, managers, func(user uint32, _ uuid.UUID) bool { return managed && user == now })
}
