package graph

import (
	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/wire"
	"licensor/internal/store"
)

// unitsDelta answers GET /directory/administrativeUnits/delta: all units at first, later those that
// came, went or changed in what is shown; with members@delta, unless $select leaves them out.
func unitsDelta(r *wire.Request) error {
	d, err := deltaRound(r, store.KindAdministrativeUnit, unitContext(r), unitFields.Spell)
	if err != nil {
		return err
	}
	w := &unitWriter{memberWriter: memberWriter{round: d, room: maxDeltaMembers}, members: d.showsMembers()}
	w.places, w.member = w.placesOf, w.memberAt
	if w.fields, err = deltaFields(d, unitFields, except(d.token.selected, "members")); err != nil {
		return err
	}
	if err := d.read(); err != nil {
		return err
	}
	page, more := d.elements(d.among(w.touched))
	return sendWithMembers(&w.memberWriter, unitFields.TypeName, page, more, func(ordinal uint32) (*unit, error) {
		return new(unitAt(r.Image, ordinal)), nil // it is in memory
	}, w.appendUnit)
}

// unitWriter writes a page of administrative units.
type unitWriter struct {
	memberWriter
	fields  []*wire.Field[unit]
	members bool
}

// touched are the units that changed, those with other members among them where these are shown.
func (w *unitWriter) touched() *roaring.Bitmap {
	touched := w.objects.Touched(namesOf(w.fields))
	if w.members {
		touched.Or(w.changes.UnitMembership())
	}
	return touched
}

func (w *unitWriter) appendUnit(b []byte, u *unit) ([]byte, int64) {
	b = wire.AppendFields(append(b, '{'), w.fields, u)
	rest := int64(-1)
	if w.members {
		b, rest = w.appendMembers(b, u.ordinal)
	}
	return append(b, '}'), rest
}

// placesOf are those of the members to be shown, or shown as removed: all, when the client cannot
// know the unit yet.
func (w *unitWriter) placesOf(unit uint32) memberPlaces {
	users, groups := roaring.New(), roaring.New()
	if m := w.changes.UnitMembers(unit); m != nil {
		users.Or(m.Users)
		groups.Or(m.Groups)
	}
	if w.whole || w.objects.Created(unit) {
		if all := w.Image.UnitMembers.Users(unit); all != nil {
			users.Or(all)
		}
		if all := w.Image.UnitMembers.Groups(unit); all != nil {
			groups.Or(all)
		}
	}
	return memberPlaces{users, groups, roaring.New()}
}

// memberAt is the type and id at a place, and whether that is a member of the unit.
func (w *unitWriter) memberAt(unit uint32, place int64) (kind string, id uuid.UUID, is bool) {
	ordinal := uint32(place & (groupsFrom - 1))
	if place >= groupsFrom {
		id, live := w.groupID(ordinal)
		return groupType, id, live && w.Image.UnitMembers.Has(directory.UnitMember{Unit: unit, Member: ordinal, IsGroup: true})
	}
	id, live := w.liveUserID(ordinal)
	return userType, id, live && w.Image.UnitMembers.Has(directory.UnitMember{Unit: unit, Member: ordinal})
}
