package graph

import (
	"math"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/identity"
)

// memberships are the objects that an object is a member of: groups by a relation, administrative
// units, and its directory roles. If the relation is transitive, they include the roles of its
// groups.
type memberships struct {
	relation
	transitive bool
}

// The memberships of users, groups, and objects whose type is not in the URL.
var (
	membershipsOfUser      = memberships{groupsOfUser, false}
	allMembershipsOfUser   = memberships{allGroupsOfUser, true}
	membershipsOfGroup     = memberships{groupsOfGroup, false}
	allMembershipsOfGroup  = memberships{allGroupsOfGroup, true}
	allMembershipsOfObject = memberships{allGroupsOfObject, true}
)

// all returns the groups, the administrative units and the roles.
func (m memberships) all(r *wire.Request) (sets, error) {
	of, err := m.relation(r)
	if err != nil {
		return sets{}, err
	}
	id, ok := subjectID(r)
	if !ok {
		return of, nil
	}
	of.units = unitsOf(r, id)
	of.roles = appendRoles(nil, r.Image.Roles[id])
	if m.transitive {
		for _, group := range of.liveGroups(r.Image.Directory) {
			of.roles = appendRoles(of.roles, r.Image.Roles[r.Image.Directory.GroupID(group)])
		}
	}
	slices.Sort(of.roles)
	of.roles = slices.Compact(of.roles)
	return of, nil
}

// appendRoles appends the places of roles in identity.BuiltInRoles.
func appendRoles(places []uint32, roles []uuid.UUID) []uint32 {
	for _, template := range roles {
		at := slices.IndexFunc(identity.BuiltInRoles, func(role identity.Role) bool { return role.ID == template })
		if at >= 0 {
			places = append(places, uint32(at))
		}
	}
	return places
}

// live returns the groups that are not deleted, and the ids of the administrative units and roles.
func (m memberships) live(r *wire.Request) (groups []uint32, others []uuid.UUID, err error) {
	of, err := m.all(r)
	if err != nil {
		return nil, nil, err
	}
	return of.liveGroups(r.Image.Directory), append(unitIDs(r, of.units), roleIDs(r, of.roles)...), nil
}

// subjectID returns the id of the object that the path names.
func subjectID(r *wire.Request) (uuid.UUID, bool) {
	if r.Op.OfUser() {
		user, err := r.User()
		return r.Image.Directory.UserID(user), err == nil
	}
	return guid.Parse(r.Keys[0])
}

// list answers GET …/memberOf.
func (m memberships) list(r *wire.Request) error { return relation(m.all).list(r) }

// cast and countCast answer GET …/memberOf/microsoft.graph.group and similar requests.
func (m memberships) cast(r *wire.Request) error { return relation(m.all).cast(r) }

func (m memberships) countCast(r *wire.Request) error { return relation(m.all).countCast(r) }

// count answers GET …/memberOf/$count.
func (m memberships) count(r *wire.Request) error { return sendLength(r, m.all) }

// getMembers answers POST …/getMemberObjects: the ids of all objects that the object is a member
// of. securityEnabledOnly restricts them to security groups.
func (m memberships) getMembers(r *wire.Request) error {
	groups, others, err := m.live(r)
	if err != nil {
		return err
	}
	groups, secure, err := asked(r, groups)
	if err != nil {
		return err
	}
	if secure {
		others = nil
	}
	return sendMemberships(r, groups, others)
}

// unitIDs returns the ids of the administrative units that are not deleted.
func unitIDs(r *wire.Request, units *roaring.Bitmap) []uuid.UUID {
	var ids []uuid.UUID
	for _, unit := range firstLive(r, units, unitKind, math.MaxInt) {
		ids = append(ids, r.Image.Units.At(unit).ID)
	}
	return ids
}

func roleIDs(r *wire.Request, roles []uint32) []uuid.UUID {
	ids := make([]uuid.UUID, len(roles))
	for i, role := range roles {
		ids[i] = identity.RoleObjectID(r.Image.Organization.ID, identity.BuiltInRoles[role].ID)
	}
	return ids
}

// checkObjects answers POST …/checkMemberObjects.
func (m memberships) checkObjects(r *wire.Request) error {
	groups, others, err := m.live(r)
	if err != nil {
		return err
	}
	return checked(r, "ids", append(groupIDs(r, groups), others...))
}
