package tenant

import (
	"licensor/internal/directory"
)

// Touches returns how many users a command may touch if these may be many, and at least 1 if it may
// add anything.
func Touches(img *Image, cmd Command) int64 {
	members := func(group uint32) int64 {
		if group >= img.Directory.Groups() {
			return 0
		}
		return int64(img.Licensing.GroupMembers(group).GetCardinality())
	}
	everybody := func() int64 { return max(1, int64(img.Licensing.Everybody().GetCardinality())) }
	switch cmd := cmd.(type) {
	case If:
		return Touches(img, cmd.Then)
	case AssignGroup:
		return max(1, members(cmd.Group))
	case CreateGroup:
		return touchedByRule(img, cmd.Patch)
	case UpdateGroup:
		if cmd.Patch.Has("groupTypes") && img.rule(cmd.Group) != nil { // it may become dynamic again
			return everybody()
		}
		return touchedByRule(img, cmd.Patch)
	case RestoreGroup:
		if img.Rules.of(cmd.Group) == nil {
			return 1
		}
		return everybody()
	case Import:
		n, rules := int64(1), false
		for _, row := range cmd.Rows {
			switch {
			case row.License != nil:
				if group, ok := img.Directory.GroupByID(row.License.Group); ok {
					n += members(group)
				}
			case row.Group != nil && row.Group.Patch.Has("membershipRule") && !rules:
				n, rules = n+everybody(), true
			}
		}
		return n
	case DeleteGroup:
		return members(cmd.Group)
	case PurgeGroup:
		return members(cmd.Group)
	case Reprocess:
		if cmd.check(img.Directory) != nil {
			return 0
		}
		return int64(cmd.scope(img.Licensing).GetCardinality())
	case EvaluateRules, SetCatalog, UpdateSettings, CreateSubscription, UpdateSubscription, DeleteSubscription:
		return everybody()
	case DeleteUser, PurgeUser, DeleteApplication, PurgeApplication, DeletePrincipal, PurgePrincipal, DeleteUnit,
		RemoveMember, RemoveOwner, RemoveManager, RemoveLink, RemoveUnitMember, RevokeSessions, SetPassword:
		return 0
	case SetRole:
		return added(!cmd.Removed)
	case SetGrant:
		return added(len(cmd.Grant.Scopes) > 0)
	}
	return 1
}

// touchedByRule returns how many users a change of a group may touch: all, if their membership may
// follow from it.
func touchedByRule(img *Image, patch directory.GroupPatch) int64 {
	if patch.Has("membershipRule") || patch.Has("membershipRuleProcessingState") {
		return max(1, int64(img.Licensing.Everybody().GetCardinality()))
	}
	return 1
}

// added returns 1 for a command that adds something.
func added(adds bool) int64 {
	if adds {
		return 1
	}
	return 0
}
