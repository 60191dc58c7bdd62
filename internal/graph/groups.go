package graph

import (
	"net/http"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/query"
	"licensor/internal/graph/wire"
	"licensor/internal/tenant"
)

// getGroup answers GET /groups/{group}.
func getGroup(r *wire.Request) error {
	return groupList.Get(r, groupSet, (*wire.Request).Group)
}

// createGroup answers POST /groups (P50).
func createGroup(r *wire.Request) error {
	body, err := r.Members()
	if err != nil {
		return err
	}
	fields := groupFields.Annotated(r, groupFields.Shown(r).Defaults)
	return createGroupAs(r, body, tenant.CreateGroup{}, groupSet, fields)
}

// createGroupAs creates the group of a body with a command that may do more, and answers with some
// of its fields, as an object of a set.
func createGroupAs(
	r *wire.Request, body []directory.Member, c tenant.CreateGroup, set string, fields []*wire.Field[group],
) (err error) {
	if body, c.Members, c.Owners, err = takeBindings(r, body); err != nil {
		return err
	}
	if body, err = r.WithoutBeta("group", "Group", body); err != nil {
		return err
	}
	if c.Patch, err = directory.ParseGroupPatch(body); err != nil {
		return err
	}
	if err := r.MayCreate(c.Patch); err != nil {
		return err
	}
	c.Creator = r.Caller.ObjectID
	done, err := r.Do(c)
	if err != nil {
		return r.BadReferences(err, slices.Concat(wire.ReferencesTo("members", c.Members), wire.ReferencesTo("owners", c.Owners)))
	}
	r.W.Header().Set("Location", r.Root+"/groups/"+done.ID.String())
	return groupList.SendOne(r, http.StatusCreated, set, done.Image, done.Ordinal, fields)
}

// takeBindings removes the members and owners of a new group from a body.
func takeBindings(
	r *wire.Request, body []directory.Member,
) (rest []directory.Member, members, owners []uuid.UUID, err error) {
	if rest, members, err = r.TakeBinding(body, "members"); err == nil {
		rest, owners, err = r.TakeBinding(rest, "owners")
	}
	return rest, members, owners, err
}

// updateGroup answers PATCH /groups/{group}, which can add members and owners, too (P51).
func updateGroup(r *wire.Request) error {
	ordinal, err := r.Group()
	if err != nil {
		return err
	}
	body, err := r.Members()
	if err != nil {
		return err
	}
	body, members, owners, err := takeBindings(r, body)
	if err != nil {
		return err
	}
	if body, err = r.WithoutBeta("group", "Group", body); err != nil {
		return err
	}
	patch, err := directory.ParseGroupPatch(body)
	if err != nil {
		return err
	}
	names := patch.Names()
	if len(members) > 0 {
		names = append(names, "members")
	}
	if len(owners) > 0 {
		names = append(names, "owners")
	}
	if err := mayChange(r, names, r.Relation()); err != nil {
		return err
	}
	return r.Change(tenant.UpdateGroup{Group: ordinal, Patch: patch, Members: members, Owners: owners},
		slices.Concat(wire.ReferencesTo("members", members), wire.ReferencesTo("owners", owners))...)
}

// deleteGroup answers DELETE /groups/{group} (P52).
func deleteGroup(r *wire.Request) error {
	ordinal, err := r.Group()
	if err != nil {
		return err
	}
	lost := lostRole(r.Image.Directory.GroupID(ordinal))
	if err := doKeepingAdministrator(r, lost, tenant.DeleteGroup{Group: ordinal}); err != nil {
		return err
	}
	return r.SendNothing()
}

var groupList = wire.Listing[directory.Group, group]{
	Kind: query.Groups, Set: "groups", Fields: groupFields, Expansions: groupExpansions,
	Documents: wire.Tenant.Groups, Document: wire.Tenant.GroupNow, Object: groupAt,
}
