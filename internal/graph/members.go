package graph

import (
	"github.com/google/uuid"

	"licensor/internal/graph/problem"
	"licensor/internal/guid"
	"licensor/internal/tenant"
)

// membersInError are the users with a license error by way of the group (docs/spec/licensing.md
// L14).
var membersInError relation = func(r *request) (sets, error) {
	ordinal, err := r.group()
	if err != nil {
		return sets{}, err
	}
	return sets{users: r.image.Licensing.GroupErrors(ordinal)}, nil
}

// addMember answers POST /groups/{group}/members/$ref (P51).
func addMember(r *request) error {
	ordinal, id, err := groupAndReference(r)
	if err != nil {
		return err
	}
	return r.change(tenant.AddMembers{Group: ordinal, Members: []uuid.UUID{id}}, reference{"members", id})
}

// removeMember answers DELETE /groups/{group}/members/{member}/$ref. The roles of the group are no
// longer the member's.
func removeMember(r *request) error {
	ordinal, id, err := groupAndID(r)
	if err != nil {
		return err
	}
	command := tenant.RemoveMember{Group: ordinal, Member: id}
	user, ok := r.liveUser(id)
	if !ok || !r.image.RoleAssignable(ordinal) {
		return r.change(command)
	}
	if err := doKeepingAdministrator(r, lostMembership(r.image.Directory.GroupID(ordinal), user), command); err != nil {
		return err
	}
	return r.sendNothing()
}

// addOwner answers POST /groups/{group}/owners/$ref.
func addOwner(r *request) error {
	ordinal, id, err := groupAndReference(r)
	if err != nil {
		return err
	}
	return r.change(tenant.AddOwners{Group: ordinal, Owners: []uuid.UUID{id}}, reference{"owners", id})
}

// removeOwner answers DELETE /groups/{group}/owners/{owner}/$ref.
func removeOwner(r *request) error {
	ordinal, id, err := groupAndID(r)
	if err != nil {
		return err
	}
	return r.change(tenant.RemoveOwner{Group: ordinal, Owner: id})
}

// groupAndReference reads the key of the group, and the object that the body refers to.
func groupAndReference(r *request) (group uint32, id uuid.UUID, err error) {
	if group, err = r.group(); err != nil {
		return 0, uuid.Nil, err
	}
	id, err = r.reference()
	return group, id, err
}

// groupAndID reads the two keys of a path below a group.
func groupAndID(r *request) (group uint32, id uuid.UUID, err error) {
	if group, err = r.group(); err != nil {
		return 0, uuid.Nil, err
	}
	id, ok := guid.Parse(r.keys[1])
	if !ok {
		return 0, uuid.Nil, problem.NotFound(r.keys[1])
	}
	return group, id, nil
}
