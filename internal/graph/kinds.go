package graph

import (
	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/query"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// objectKind is a kind of directory objects that have ordinals: all except directory roles.
type objectKind struct {
	*query.Kind
	typeName string             // with its namespace
	need     identity.Operation // the permission to read them
	from     int64              // added to ordinals, so that places of different kinds differ
	of       func(sets) *roaring.Bitmap
	// hides reports which properties a degree of access hides.
	hides func(identity.Access) func(name string) bool
	// read yields the objects with some ordinals, as wire.Listing.Read does.
	read func(r *wire.Request, ordinals []uint32, s *wire.Search, w *objectWriter) wire.Source[object]
	// now returns an object as of an image, or a later one if it has been written since.
	now func(r *wire.Request, image *tenant.Image, ordinal uint32) (object, error)
}

// objectKinds are in the order in which lists show them. Directory roles follow them.
var objectKinds = []*objectKind{userKind, groupKind, principalKind, applicationKind, unitKind}

var (
	userKind = kindOf(userList, userObjects, 0,
		func(s sets) *roaring.Bitmap { return s.users },
		func(u *user) object { return u })
	groupKind = kindOf(groupList, groupObjects, groupsFrom,
		func(s sets) *roaring.Bitmap { return s.groups },
		func(g *group) object { return g })
	principalKind = kindOf(principalList, principalObjects, principalsFrom,
		func(s sets) *roaring.Bitmap { return s.principals },
		func(a *application) object { return servicePrincipal{a} })
	applicationKind = kindOf(applicationList, applicationObjects, applicationsFrom,
		func(s sets) *roaring.Bitmap { return s.applications },
		func(a *application) object { return a })
	unitKind = kindOf(unitList, unitObjects, unitsFrom,
		func(s sets) *roaring.Bitmap { return s.units },
		func(u *unit) object { return u })
)

func kindOf[D, T any](
	l wire.Listing[D, T], shown shownType[T], from int64, of func(sets) *roaring.Bitmap, wrap func(*T) object,
) *objectKind {
	return &objectKind{
		Kind: l.Kind, typeName: l.Fields.TypeName, need: shown.need, from: from, of: of, hides: l.Fields.Hides,
		read: func(r *wire.Request, ordinals []uint32, s *wire.Search, w *objectWriter) wire.Source[object] {
			return wire.Mapped(l.Read(r, ordinals, s, w.documented[l.Fields.TypeName]), wrap)
		},
		now: func(r *wire.Request, image *tenant.Image, ordinal uint32) (object, error) {
			document, image, err := l.Document(r.Tenant, r.Context(), image, ordinal)
			if err != nil {
				return nil, err
			}
			return wrap(new(l.Object(r, document, ordinal, image))), nil
		},
	}
}

// The place of an object in a list of several kinds: users come first, by ordinal; groupsFrom is
// added to the ordinals of groups and so on, rolesFrom to the places of roles in
// identity.BuiltInRoles.
const (
	groupsFrom       = int64(1) << 32
	principalsFrom   = int64(2) << 32
	applicationsFrom = int64(3) << 32
	unitsFrom        = int64(4) << 32
	rolesFrom        = int64(5) << 32
)

// kindAt returns the offset of the ordinals of the kind at a place.
func kindAt(place int64) int64 { return place &^ (groupsFrom - 1) }

// idAt returns the id of the object at a place.
func idAt(r *wire.Request, place int64) uuid.UUID {
	ordinal := uint32(place)
	if place >= rolesFrom {
		return identity.RoleObjectID(r.Image.Organization.ID, identity.BuiltInRoles[ordinal].ID)
	}
	return objectKinds[place/groupsFrom].In(r.Image).ID(ordinal)
}

// rowsOf returns the ordinals of places of one kind.
func rowsOf(places []int64) []uint32 {
	rows := make([]uint32, len(places))
	for i, place := range places {
		rows[i] = uint32(place)
	}
	return rows
}

// liveObject returns the live user or group that the path names by its id.
func liveObject(r *wire.Request) (kind *objectKind, ordinal uint32, ok bool) {
	id, ok := guid.Parse(r.Keys[0])
	if !ok {
		return nil, 0, false
	}
	for _, kind := range []*objectKind{userKind, groupKind} {
		if ordinal, ok := directory.LiveByID(kind.In(r.Image), id); ok {
			return kind, ordinal, true
		}
	}
	return nil, 0, false
}

// sendObject answers with an object whose kind is not in the URL.
func sendObject(r *wire.Request, image *tenant.Image, kind *objectKind, ordinal uint32) error {
	o, err := kind.now(r, image, ordinal)
	if err != nil {
		return err
	}
	return sendMixed(r, o)
}
