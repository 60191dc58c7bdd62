package graph

import (
	"net/http"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/jsontext"
	"licensor/internal/store"
)

// one answers GET …/members/{member} and the like: an object of the relation, by its id (P27).
func (rel relation) one(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	id, of, err := rel.related(r)
	if err != nil {
		return err
	}
	if kind, ordinal, ok := among(r, of, id); ok {
		return sendObject(r, r.Image, kind, ordinal)
	}
	for _, role := range of.roles {
		if o := directoryRoles(r.Image)[role]; o.id == id {
			return sendMixed(r, &o)
		}
	}
	return problem.NotFound(id.String())
}

// oneReference answers GET …/members/{member}/$ref: the address of the object, if it is one of the
// relation. An address has no properties, and $select, which hamilton sends, changes nothing.
func (rel relation) oneReference(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	id, of, err := rel.related(r)
	if err != nil {
		return err
	}
	if _, _, ok := among(r, of, id); !ok {
		return problem.NotFound(id.String())
	}
	return sendReference(r, id)
}

// sendReference answers with the address of an object.
func sendReference(r *wire.Request, id uuid.UUID) error {
	b := r.AppendHead(r.Begin(), "$ref")
	b = append(append(append(jsontext.AppendName(b, "@odata.id"), '"'), r.Root...), "/directoryObjects/"...)
	return r.Send(http.StatusOK, append(jsontext.AppendBareID(b, id), `"}`...))
}

// related is the id at the end of the path, and the objects of the relation.
func (rel relation) related(r *wire.Request) (uuid.UUID, sets, error) {
	of, err := rel(r)
	if err != nil {
		return uuid.Nil, of, err
	}
	key := r.Keys[len(r.Keys)-1]
	id, ok := guid.Parse(key)
	if !ok {
		return uuid.Nil, of, problem.NotFound(key)
	}
	return id, of, nil
}

// among finds an object that is not deleted in sets.
func among(r *wire.Request, of sets, id uuid.UUID) (kind store.Kind, ordinal uint32, ok bool) {
	in := func(set *roaring.Bitmap, ordinal uint32, there bool) bool {
		return there && set != nil && set.Contains(ordinal)
	}
	if user, there := r.LiveUser(id); in(of.users, user, there) {
		return store.KindUser, user, true
	}
	if group, there := r.LiveGroup(id); in(of.groups, group, there) {
		return store.KindGroup, group, true
	}
	if principal, there := r.Image.Principals.ByID(id); in(of.principals, principal, there) {
		return store.KindServicePrincipal, principal, true
	}
	if unit, there := r.Image.Units.ByID(id); in(of.units, unit, there) {
		return store.KindAdministrativeUnit, unit, true
	}
	a, there := r.Image.Applications.ByID(id)
	return store.KindApplication, a, in(of.applications, a, there)
}

// one answers GET …/memberOf/{object}.
func (m memberships) one(r *wire.Request) error { return relation(m.all).one(r) }
