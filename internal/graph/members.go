package graph

import (
	"github.com/google/uuid"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/tenant"
)

// membersInError is the relation to the users with a license error from the group
// (docs/spec/licensing.md L14).
var membersInError relation = func(r *wire.Request) (sets, error) {
	ordinal, err := r.Group()
	if err != nil {
		return sets{}, err
	}
	return sets{users: r.Image.Licensing.GroupErrors(ordinal)}, nil
}

// addMember answers POST /groups/{group}/members/$ref (P51).
func addMember(r *wire.Request) error {
	ordinal, id, err := groupAndReference(r)
	if err != nil {
		return err
	}
	return r.Change(tenant.AddMembers{Group: ordinal, Members: []uuid.UUID{id}}, wire.Reference{Property: "members", ID: id})
}

// removeMember answers DELETE /groups/{group}/members/{member}/$ref. The member loses the roles of
// the group.
func removeMember(r *wire.Request) error {
	ordinal, id, err := groupAndID(r)
	if err != nil {
		return err
	}
	command := tenant.RemoveMember{Group: ordinal, Member: id}
	user, ok := r.LiveUser(id)
	if !ok || !r.Image.RoleAssignable(ordinal) {
		return r.Change(command)
	}
	if err := doKeepingAdministrator(r, lostMembership(r.Image.Directory.GroupID(ordinal), user), command); err != nil {
		return err
	}
	return r.SendNothing()
}

// addOwner answers POST /groups/{group}/owners/$ref.
func addOwner(r *wire.Request) error {
	ordinal, id, err := groupAndReference(r)
	if err != nil {
		return err
	}
	return r.Change(tenant.AddOwners{Group: ordinal, Owners: []uuid.UUID{id}}, wire.Reference{Property: "owners", ID: id})
}

// removeOwner answers DELETE /groups/{group}/owners/{owner}/$ref.
func removeOwner(r *wire.Request) error {
	ordinal, id, err := groupAndID(r)
	if err != nil {
		return err
	}
	return r.Change(tenant.RemoveOwner{Group: ordinal, Owner: id})
}

// groupAndReference reads the key of the group, and the object of the reference in the body.
func groupAndReference(r *wire.Request) (group uint32, id uuid.UUID, err error) {
	if group, err = r.Group(); err != nil {
		return 0, uuid.Nil, err
	}
	id, err = r.Reference()
	return group, id, err
}

// groupAndID reads the two keys of a path below a group.
func groupAndID(r *wire.Request) (group uint32, id uuid.UUID, err error) {
	if group, err = r.Group(); err != nil {
		return 0, uuid.Nil, err
	}
	id, ok := guid.Parse(r.Keys[1])
	if !ok {
		return 0, uuid.Nil, problem.NotFound(r.Keys[1])
	}
	return group, id, nil
}
