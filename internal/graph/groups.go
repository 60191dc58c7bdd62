package graph

import (
	"net/http"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/query"
	columns "licensor/internal/query"
	"licensor/internal/tenant"
)

// listGroups answers GET /groups.
func listGroups(r *request) error { return groupList.send(r, columns.Live) }

// countGroups answers GET /groups/$count.
func countGroups(r *request) error { return groupList.sendCount(r, columns.Live) }

// getGroup answers GET /groups/{group}.
func getGroup(r *request) error {
	if err := r.allow("$select", "$expand", "$count"); err != nil {
		return err
	}
	fields, err := groupFields.visible(r, r.access)
	if err != nil {
		return err
	}
	if fields, err = expanded(r, groupFields, groupExpansions, fields); err != nil {
		return err
	}
	ordinal, err := r.group()
	if err != nil {
		return err
	}
	return sendGroup(r, http.StatusOK, groupSet, r.image, ordinal, fields)
}

// sendGroup answers with one group, as an object of a set, as of an image, or of a later one when
// the group has been written since.
func sendGroup(r *request, status int, set string, image *tenant.Image, ordinal uint32, fields []*field[group]) error {
	g := groupAt(r, nil, ordinal, image)
	if documented(fields) || r.Header.Get("If-None-Match") != "" {
		document, image, err := r.tenant.GroupNow(r.Context(), image, ordinal)
		if err != nil {
			return err
		}
		g = groupAt(r, document, ordinal, image)
	}
	return sendEntity(r, groupFields, status, set, fields, &g)
}

// createGroup answers POST /groups (P50).
func createGroup(r *request) error {
	body, err := r.members()
	if err != nil {
		return err
	}
	return createGroupAs(r, body, tenant.CreateGroup{}, groupSet, groupFields.annotated(r, groupFields.shown(r).defaults))
}

// createGroupAs creates the group of a body with a command that may say more of it, and answers
// with some of its fields, as an object of a set.
func createGroupAs(r *request, body []directory.Member, c tenant.CreateGroup, set string, fields []*field[group]) (err error) {
	if body, c.Members, c.Owners, err = takeBindings(r, body); err != nil {
		return err
	}
	if body, err = r.withoutBeta("group", "Group", body); err != nil {
		return err
	}
	if c.Patch, err = directory.ParseGroupPatch(body); err != nil {
		return err
	}
	if err := mayCreate(r, c.Patch); err != nil {
		return err
	}
	c.Creator = r.caller.ObjectID
	done, err := r.do(c)
	if err != nil {
		return r.badReferences(err, slices.Concat(referencesTo("members", c.Members), referencesTo("owners", c.Owners)))
	}
	r.w.Header().Set("Location", r.root+"/groups/"+done.ID.String())
	return sendGroup(r, http.StatusCreated, set, done.Image, done.Ordinal, fields)
}

// takeBindings takes the members and owners that a group is to get out of a body.
func takeBindings(r *request, body []directory.Member) (rest []directory.Member, members, owners []uuid.UUID, err error) {
	if rest, members, err = r.takeBinding(body, "members"); err == nil {
		rest, owners, err = r.takeBinding(rest, "owners")
	}
	return rest, members, owners, err
}

// updateGroup answers PATCH /groups/{group}, which can add members and owners, too (P51).
func updateGroup(r *request) error {
	ordinal, err := r.group()
	if err != nil {
		return err
	}
	body, err := r.members()
	if err != nil {
		return err
	}
	body, members, owners, err := takeBindings(r, body)
	if err != nil {
		return err
	}
	if body, err = r.withoutBeta("group", "Group", body); err != nil {
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
	if err := mayChange(r, names, r.relation()); err != nil {
		return err
	}
	return r.change(tenant.UpdateGroup{Group: ordinal, Patch: patch, Members: members, Owners: owners},
		slices.Concat(referencesTo("members", members), referencesTo("owners", owners))...)
}

// deleteGroup answers DELETE /groups/{group} (P52).
func deleteGroup(r *request) error {
	ordinal, err := r.group()
	if err != nil {
		return err
	}
	if err := doKeepingAdministrator(r, lostRole(r.image.Directory.GroupID(ordinal)), tenant.DeleteGroup{Group: ordinal}); err != nil {
		return err
	}
	return r.sendNothing()
}

var groupList = listing[directory.Group, group]{
	Kind: query.Groups, set: "groups", fields: groupFields, expansions: groupExpansions,
	documents: handle.Groups, document: handle.GroupNow, object: groupAt,
}
