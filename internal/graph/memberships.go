package graph

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
)

// getMembers answers POST …/getMemberGroups: the ids of all groups that the object is in, directly
// or indirectly. A group can only be in groups, so for groups it also answers getMemberObjects.
func (rel relation) getMembers(r *wire.Request) error {
	of, err := rel(r)
	if err != nil {
		return err
	}
	groups, _, err := asked(r, of.liveGroups(r.Image.Directory))
	if err != nil {
		return err
	}
	return sendMemberships(r, groups, nil)
}

// maxMemberships is the maximum number of ids in the response of an action, which has no pages. As
// in the real service, more are refused.
const maxMemberships = 11_000

// sendMemberships answers with the ids of groups and those of others.
func sendMemberships(r *wire.Request, groups []uint32, others []uuid.UUID) error {
	if n := len(groups) + len(others); n > maxMemberships {
		return &problem.ResponseError{
			Status: http.StatusForbidden, Code: "Directory_ResultSizeLimitExceeded",
			Message: fmt.Sprintf("The object is in %d groups and other objects, and at most %d are possible in the "+
				"answer to an action. "+
				"List transitiveMemberOf instead, which has pages.", n, maxMemberships),
		}
	}
	return sendIDs(r, append(groupIDs(r, groups), others...))
}

// asked returns the groups that the body requests: all, or security groups only.
func asked(r *wire.Request, groups []uint32) (_ []uint32, secure bool, err error) {
	if err := r.Parameters(map[string]any{"securityEnabledOnly": &secure}); err != nil || !secure {
		return groups, false, err
	}
	if isOfGroup(r) {
		return nil, true, problem.Refuse("securityEnabledOnly can be true for users only. Send false, which " +
			"answers all groups that the group is in.")
	}
	return securityGroups(r, groups), true, nil
}

// isOfGroup reports whether the path names a group, in any set.
func isOfGroup(r *wire.Request) bool {
	kind, _, ok := liveObject(r)
	return ok && kind == groupKind
}

// securityGroups returns the security groups among some groups.
func securityGroups(r *wire.Request, groups []uint32) (secure []uint32) {
	about, _ := directory.AboutGroup("securityEnabled")
	columns := r.Image.Directory.GroupColumns()
	for _, group := range groups {
		if columns.Truth(group, about.Column) == column.TruthTrue {
			secure = append(secure, group)
		}
	}
	return secure
}

func groupIDs(r *wire.Request, groups []uint32) []uuid.UUID {
	ids := make([]uuid.UUID, len(groups))
	for i, group := range groups {
		ids[i] = r.Image.Directory.GroupID(group)
	}
	return ids
}

// checkGroups answers POST …/checkMemberGroups.
func (rel relation) checkGroups(r *wire.Request) error {
	of, err := rel(r)
	if err != nil {
		return err
	}
	return checked(r, "groupIds", groupIDs(r, of.liveGroups(r.Image.Directory)))
}

// maxChecked is the maximum number of ids in one request.
const maxChecked = 20

// checked returns the ids of the body that are among some, without duplicates.
func checked(r *wire.Request, parameter string, among []uuid.UUID) error {
	var ids []uuid.UUID
	if err := r.Parameters(map[string]any{parameter: &ids}); err != nil {
		return err
	}
	if len(ids) > maxChecked {
		return problem.Refuse("'%s' has %d ids; at most %d are possible in one request.",
			parameter, len(ids), maxChecked)
	}
	in := make([]uuid.UUID, 0, len(ids))
	for _, id := range ids {
		if slices.Contains(among, id) && !slices.Contains(in, id) {
			in = append(in, id)
		}
	}
	return sendIDs(r, in)
}

// sendIDs answers with ids as texts.
func sendIDs(r *wire.Request, ids []uuid.UUID) error {
	b := append(jsontext.AppendName(r.AppendHead(r.Begin(), "Collection(Edm.String)"), "value"), '[')
	b, err := wire.AppendRows(r, b, wire.SourceOf(ids), jsontext.AppendID)
	if err != nil {
		return err
	}
	return r.Send(http.StatusOK, append(b, "]}"...))
}
