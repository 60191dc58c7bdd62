package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/membership"
	"licensor/internal/tenant"
)

// RulePreview is what a rule would do.
type RulePreview struct {
	Image       *tenant.Image // with the rule
	Group       uint32        // that has it there
	Join, Leave *roaring.Bitmap
	Members     uint64 // users who would be members
}

// PreviewRule returns what would happen to an image if a group had a rule that is followed, or a
// new group if it is nil (docs/spec/dynamic-membership.md D84). Nothing is kept.
func (t *Tenant) PreviewRule(ctx context.Context, img *tenant.Image, rule string, group *uint32) (*RulePreview, error) {
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
func membersIn(img *tenant.Image, group uint32) *roaring.Bitmap {
	members := img.Licensing.GroupMembers(group)
	if members == nil {
		return roaring.New()
	}
	return roaring.AndNot(members, img.Licensing.DeletedUsers())
}

// ruled returns the command that gives a rule to a group, or creates one with it. If the group
// follows the rule already, the command evaluates it again.
func (t *Tenant) ruled(ctx context.Context, img *tenant.Image, rule string, group *uint32) (tenant.Command, error) {
	body := map[string]any{"membershipRule": rule, "membershipRuleProcessingState": directory.RuleOn}
	types := []string{directory.DynamicMembership}
	if group != nil {
		if d := img.Dynamic(*group); d != nil && d.On && d.Rule != nil && d.Rule.Text() == rule {
			return tenant.EvaluateRules{Groups: []uint32{*group}}, nil
		}
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
		return tenant.UpdateGroup{Group: *group, Patch: patch}, nil
	}
	return tenant.CreateGroup{Patch: patch}, nil
}

// EvaluateRule evaluates a rule for a user of an image, now (tenant.Image.EvaluateRule).
func (t *Tenant) EvaluateRule(
	ctx context.Context, img *tenant.Image, rule *membership.Rule, user uint32,
) (*membership.Detail, error) {
	return img.EvaluateRule(ctx, t.now(img), rule, user)
}

// evaluateAhead evaluates on the current image the rules that a command will need for all users. It
// returns nil if there are none.
func (t *Tenant) evaluateAhead(ctx context.Context, cmd tenant.Command) (*tenant.Ahead, error) {
	img := t.Image()
	if !img.EvaluatesAll(cmd) {
		return nil, nil
	}
	turn, err := t.Turn(ctx)
	if err != nil {
		return nil, err
	}
	defer turn.End()
	return img.EvaluateAhead(ctx, t.now(img), cmd, turn.Pause)
}

// EvaluateRules evaluates rules as the command EvaluateRules does, if there are any.
func (t *Tenant) EvaluateRules(ctx context.Context) error {
	if !t.Image().Timed() {
		return nil
	}
	_, err := t.Do(ctx, "system", tenant.EvaluateRules{})
	return err
}

// EvaluateRules evaluates the rules of loaded tenants that depend on the time at each full hour,
// until the context ends (D25). The others are evaluated when they are loaded.
func (all *Tenants) EvaluateRules(ctx context.Context) {
	for {
		now := all.options.Now()
		wait := time.NewTimer(now.Truncate(time.Hour).Add(time.Hour).Sub(now))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return
		}
		for _, id := range all.loadedIDs() {
			if err := all.evaluateRules(ctx, id); err != nil && ctx.Err() == nil {
				all.options.Log.Error("rules of dynamic groups could not be evaluated; it is tried again in an hour",
					"tenant", id, "error", err)
			}
		}
	}
}

func (all *Tenants) evaluateRules(ctx context.Context, id uuid.UUID) error {
	t, err := all.Tenant(ctx, id)
	if err != nil {
		return err
	}
	defer t.Release()
	return t.EvaluateRules(ctx)
}
