package tenant

import (
	"context"
	"encoding/json"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/membership"
)

// EvaluateRule evaluates a rule for a user of an image, now, and returns the result of each part
// (docs/spec/dynamic-membership.md D80, D82). Errors are *membership.PatternError.
func (t *Tenant) EvaluateRule(
	ctx context.Context, img *Image, rule *membership.Rule, user uint32,
) (*membership.Detail, error) {
	c := img.change(ctx, t.now(img), t.options.NewID) // it is discarded
	c.following.table = c.dir.UserColumns()
	return rule.Evaluate(c.following.draftUser(user), c.at)
}

// RulePreview is what a rule would do.
type RulePreview struct {
	Image       *Image // with the rule
	Group       uint32 // that has it there
	Join, Leave *roaring.Bitmap
	Members     uint64 // users who would be members
}

// PreviewRule returns what would happen to an image if a group had a rule that is followed, or a
// new group if it is nil (docs/spec/dynamic-membership.md D84). Nothing is kept.
func (t *Tenant) PreviewRule(ctx context.Context, img *Image, rule string, group *uint32) (*RulePreview, error) {
	before := roaring.New()
	cmd, err := t.ruled(ctx, img, rule, group)
	if err != nil {
		return nil, err
	}
	done, err := t.preview(ctx, img, cmd)
	if err != nil {
		return nil, err
	}
	p := &RulePreview{Image: done.Image, Group: done.Ordinal}
	if group != nil {
		p.Group = *group
		before = membersIn(img, *group)
	}
	after := membersIn(done.Image, p.Group)
	p.Join, p.Leave, p.Members = roaring.AndNot(after, before), roaring.AndNot(before, after), after.GetCardinality()
	return p, nil
}

// membersIn returns the users who are members of a group, without deleted ones.
func membersIn(img *Image, group uint32) *roaring.Bitmap {
	members := img.Licensing.GroupMembers(group)
	if members == nil {
		return roaring.New()
	}
	return roaring.AndNot(members, img.Licensing.DeletedUsers())
}

// ruled returns the command that gives a rule to a group, or creates one with it.
func (t *Tenant) ruled(ctx context.Context, img *Image, rule string, group *uint32) (Command, error) {
	body := map[string]any{"membershipRule": rule, "membershipRuleProcessingState": directory.RuleOn}
	types := []string{directory.DynamicMembership}
	if group != nil {
		g, err := t.Group(ctx, img, *group)
		if err != nil {
			return nil, err
		}
		if !g.Dynamic() {
			body["groupTypes"] = append(types, g.GroupTypes...)
		}
	} else {
		body["groupTypes"], body["displayName"], body["mailNickname"] = types, "Preview", "preview-"+uuid.NewString()
		body["mailEnabled"], body["securityEnabled"] = false, true
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	members, err := directory.Members(text)
	if err != nil {
		return nil, err
	}
	patch, err := directory.ParseGroupPatch(members)
	if err != nil {
		return nil, err
	}
	if group != nil {
		return UpdateGroup{Group: *group, Patch: patch}, nil
	}
	return CreateGroup{Patch: patch}, nil
}
