package graph

import (
	"iter"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/tenant"
)

// The relations of users outside licensing.
var (
	ownedByUser    = owned((*wire.Request).UserID)
	createdByUser  = created((*wire.Request).UserID)
	sponsorsOfUser = leadingFrom(directory.RelationSponsoredBy, (*wire.Request).UserID)
)

// The relations of applications and service principals.
var (
	ownersOfApplication       = leadingFrom(directory.RelationOwnedBy, (*wire.Request).ApplicationID)
	ownersOfPrincipal         = leadingFrom(directory.RelationOwnedBy, (*wire.Request).PrincipalID)
	ownedByPrincipal          = owned((*wire.Request).PrincipalID)
	createdByPrincipal        = created((*wire.Request).PrincipalID)
	membershipsOfPrincipal    = memberships{groupsOfPrincipal, false}
	allMembershipsOfPrincipal = memberships{allGroupsOfPrincipal, true}
)

// leadingFrom returns the relation to the targets of links from the object of the request.
func leadingFrom(kind directory.Relation, id func(*wire.Request) (uuid.UUID, error)) relation {
	return func(r *wire.Request) (sets, error) {
		from, err := id(r)
		if err != nil {
			return sets{}, err
		}
		return linked(r, r.Image.Links.From(kind, from)), nil
	}
}

// created returns the relation to the objects that the object of the request has created.
func created(id func(*wire.Request) (uuid.UUID, error)) relation {
	return func(r *wire.Request) (sets, error) {
		creator, err := id(r)
		if err != nil {
			return sets{}, err
		}
		return linked(r, r.Image.Links.To(directory.RelationCreatedBy, creator)), nil
	}
}

// owned returns the relation to the objects that the object of the request owns. Owners of groups
// are stored with the groups.
func owned(id func(*wire.Request) (uuid.UUID, error)) relation {
	return func(r *wire.Request) (sets, error) {
		owner, err := id(r)
		if err != nil {
			return sets{}, err
		}
		of := linked(r, r.Image.Links.To(directory.RelationOwnedBy, owner))
		user, ok := r.Image.Directory.UserByID(owner)
		for group := uint32(0); ok && group < r.Image.Directory.Groups(); group++ {
			if slices.Contains(r.Image.Directory.EverOwners(group), user) {
				of.groups = with(of.groups, group)
			}
		}
		return of, nil
	}
}

// linked sorts objects by their kinds.
func linked(r *wire.Request, ids iter.Seq[uuid.UUID]) (of sets) {
	addLinked(r, &of, ids)
	return of
}

func addLinked(r *wire.Request, of *sets, ids iter.Seq[uuid.UUID]) {
	for id := range ids {
		if user, ok := r.Image.Directory.UserByID(id); ok {
			of.users = with(of.users, user)
		} else if group, ok := r.Image.Directory.GroupByID(id); ok {
			of.groups = with(of.groups, group)
		} else if principal, ok := r.Image.Principals.ByID(id); ok {
			of.principals = with(of.principals, principal)
		} else if a, ok := r.Image.Applications.ByID(id); ok {
			of.applications = with(of.applications, a)
		}
	}
}

func with(set *roaring.Bitmap, ordinal uint32) *roaring.Bitmap {
	if set == nil {
		set = roaring.New()
	}
	set.Add(ordinal)
	return set
}

// groupsOfPrincipal is the relation to the groups that the service principal is a direct member of.
var groupsOfPrincipal relation = func(r *wire.Request) (sets, error) {
	id, err := r.PrincipalID()
	if err != nil {
		return sets{}, err
	}
	of := linked(r, r.Image.Links.To(directory.RelationHasMember, id))
	if of.groups == nil {
		of.groups = roaring.New()
	}
	return of, nil
}

var allGroupsOfPrincipal relation = func(r *wire.Request) (sets, error) {
	of, err := groupsOfPrincipal(r)
	if err != nil {
		return sets{}, err
	}
	return groupsOf(r.Image.Directory.Around(of.groups.ToArray())), nil
}

// allReportsOfUser is the relation to the direct reports, their reports, and so on. A user in a
// cycle of managers is not its own report.
var allReportsOfUser relation = func(r *wire.Request) (sets, error) {
	user, err := r.User()
	if err != nil {
		return sets{}, err
	}
	all, left := roaring.New(), r.Image.Directory.Reports(user)
	for len(left) > 0 {
		report := left[len(left)-1]
		if left = left[:len(left)-1]; report != user && all.CheckedAdd(report) {
			left = append(left, r.Image.Directory.Reports(report)...)
		}
	}
	return sets{users: all}, nil
}

// resourcesOfUser is the relation to the service principals of which the user has an app role,
// directly or as a direct member of a group.
var resourcesOfUser relation = func(r *wire.Request) (sets, error) {
	user, err := r.User()
	if err != nil {
		return sets{}, err
	}
	of := sets{principals: roaring.New()}
	addLinked(r, &of, r.Image.Links.From(directory.RelationHasRole, r.Image.Directory.UserID(user)))
	for _, group := range r.Image.Directory.MemberOf(user) {
		if !r.Image.Directory.GroupDeleted(group) {
			addLinked(r, &of, r.Image.Links.From(directory.RelationHasRole, r.Image.Directory.GroupID(group)))
		}
	}
	return of, nil
}

// linking has the operations that add and remove links of one relation.
type linking struct {
	relation directory.Relation
	from     func(*wire.Request) (uuid.UUID, error)
	name     string // of the property
}

// The links that clients create one by one.
var (
	applicationOwners = linking{directory.RelationOwnedBy, (*wire.Request).ApplicationID, "owners"}
	principalOwners   = linking{directory.RelationOwnedBy, (*wire.Request).PrincipalID, "owners"}
	userSponsors      = linking{directory.RelationSponsoredBy, (*wire.Request).UserID, "sponsors"}
)

// add answers POST …/owners/$ref and similar requests.
func (l linking) add(r *wire.Request) error {
	from, err := l.from(r)
	if err != nil {
		return err
	}
	to, err := r.Reference()
	if err != nil {
		return err
	}
	link := directory.Link{Relation: l.relation, From: from, To: to}
	return r.Change(tenant.AddLink{Link: link}, wire.Reference{Property: l.name, ID: to})
}

// remove answers DELETE …/owners/{owner}/$ref and similar requests.
func (l linking) remove(r *wire.Request) error {
	from, err := l.from(r)
	if err != nil {
		return err
	}
	named := r.Keys[len(r.Keys)-1]
	to, ok := guid.Parse(named)
	if !ok {
		return problem.NotFound(named)
	}
	return r.Change(tenant.RemoveLink{Link: directory.Link{Relation: l.relation, From: from, To: to}})
}
