package graph

import (
	"iter"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/guid"
	"licensor/internal/tenant"
)

// The relations of users that are not among those of licensing.
var (
	ownedByUser    = owned((*request).userID)
	createdByUser  = created((*request).userID)
	sponsorsOfUser = leadingFrom(directory.SponsoredBy, (*request).userID)
)

// The relations of applications and service principals.
var (
	ownersOfApplication       = leadingFrom(directory.OwnedBy, (*request).applicationID)
	ownersOfPrincipal         = leadingFrom(directory.OwnedBy, (*request).principalID)
	ownedByPrincipal          = owned((*request).principalID)
	createdByPrincipal        = created((*request).principalID)
	membershipsOfPrincipal    = memberships{groupsOfPrincipal, false}
	allMembershipsOfPrincipal = memberships{allGroupsOfPrincipal, true}
)

// leadingFrom is the relation that links lead to from the object of the request.
func leadingFrom(kind directory.Relation, id func(*request) (uuid.UUID, error)) relation {
	return func(r *request) (sets, error) {
		from, err := id(r)
		if err != nil {
			return sets{}, err
		}
		return linked(r, r.image.Links.From(kind, from)), nil
	}
}

// created is the relation to what the object of the request has created.
func created(id func(*request) (uuid.UUID, error)) relation {
	return func(r *request) (sets, error) {
		creator, err := id(r)
		if err != nil {
			return sets{}, err
		}
		return linked(r, r.image.Links.To(directory.CreatedBy, creator)), nil
	}
}

// owned is the relation to what the object of the request owns. Which groups a user owns only the
// groups know.
func owned(id func(*request) (uuid.UUID, error)) relation {
	return func(r *request) (sets, error) {
		owner, err := id(r)
		if err != nil {
			return sets{}, err
		}
		of := linked(r, r.image.Links.To(directory.OwnedBy, owner))
		user, ok := r.image.Directory.UserByID(owner)
		for group := uint32(0); ok && group < r.image.Directory.Groups(); group++ {
			if slices.Contains(r.image.Directory.EverOwners(group), user) {
				of.groups = with(of.groups, group)
			}
		}
		return of, nil
	}
}

// linked sorts objects by their kinds.
func linked(r *request, ids iter.Seq[uuid.UUID]) (of sets) {
	addLinked(r, &of, ids)
	return of
}

func addLinked(r *request, of *sets, ids iter.Seq[uuid.UUID]) {
	for id := range ids {
		if user, ok := r.image.Directory.UserByID(id); ok {
			of.users = with(of.users, user)
		} else if group, ok := r.image.Directory.GroupByID(id); ok {
			of.groups = with(of.groups, group)
		} else if principal, ok := r.image.Principals.ByID(id); ok {
			of.principals = with(of.principals, principal)
		} else if a, ok := r.image.Applications.ByID(id); ok {
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

// groupsOfPrincipal are those that the service principal is in directly.
var groupsOfPrincipal relation = func(r *request) (sets, error) {
	id, err := r.principalID()
	if err != nil {
		return sets{}, err
	}
	of := linked(r, r.image.Links.To(directory.HasMember, id))
	if of.groups == nil {
		of.groups = roaring.New()
	}
	return of, nil
}

var allGroupsOfPrincipal relation = func(r *request) (sets, error) {
	of, err := groupsOfPrincipal(r)
	if err != nil {
		return sets{}, err
	}
	return groupsOf(r.image.Directory.Around(of.groups.ToArray())), nil
}

// allReportsOfUser are the direct reports, and theirs, and so on. A user in a circle of managers is
// no report of itself.
var allReportsOfUser relation = func(r *request) (sets, error) {
	user, err := r.user()
	if err != nil {
		return sets{}, err
	}
	all, left := roaring.New(), r.image.Directory.Reports(user)
	for len(left) > 0 {
		report := left[len(left)-1]
		if left = left[:len(left)-1]; report != user && all.CheckedAdd(report) {
			left = append(left, r.image.Directory.Reports(report)...)
		}
	}
	return sets{users: all}, nil
}

// resourcesOfUser are the service principals of which the user has an app role, by itself or as a
// direct member of a group.
var resourcesOfUser relation = func(r *request) (sets, error) {
	user, err := r.user()
	if err != nil {
		return sets{}, err
	}
	of := sets{principals: roaring.New()}
	addLinked(r, &of, r.image.Links.From(directory.HasRole, r.image.Directory.UserID(user)))
	for _, group := range r.image.Directory.MemberOf(user) {
		if !r.image.Directory.GroupDeleted(group) {
			addLinked(r, &of, r.image.Links.From(directory.HasRole, r.image.Directory.GroupID(group)))
		}
	}
	return of, nil
}

// linking are the operations that add and remove links of one relation.
type linking struct {
	relation directory.Relation
	from     func(*request) (uuid.UUID, error)
	name     string // of the property
}

// The links that clients make one by one.
var (
	applicationOwners = linking{directory.OwnedBy, (*request).applicationID, "owners"}
	principalOwners   = linking{directory.OwnedBy, (*request).principalID, "owners"}
	userSponsors      = linking{directory.SponsoredBy, (*request).userID, "sponsors"}
)

// add answers POST …/owners/$ref and the like.
func (l linking) add(r *request) error {
	from, err := l.from(r)
	if err != nil {
		return err
	}
	to, err := r.reference()
	if err != nil {
		return err
	}
	return r.change(tenant.AddLink{Link: directory.Link{Relation: l.relation, From: from, To: to}}, reference{l.name, to})
}

// remove answers DELETE …/owners/{owner}/$ref and the like.
func (l linking) remove(r *request) error {
	from, err := l.from(r)
	if err != nil {
		return err
	}
	named := r.keys[len(r.keys)-1]
	to, ok := guid.Parse(named)
	if !ok {
		return problem.NotFound(named)
	}
	return r.change(tenant.RemoveLink{Link: directory.Link{Relation: l.relation, From: from, To: to}})
}
