package engine

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/membership"
	"licensor/internal/tenant"
	"licensor/internal/turns"
)

// keptPreviews is the number of results of rules that are kept: clients that read who would join
// and leave send the rule again for each page.
const keptPreviews = 4

// previewKey identifies a preview: the commit of its image, the rule and the group.
type previewKey struct {
	seq   uint64
	rule  string
	group int64 // -1: none
}

// RulePreview is what a rule would do. It must not be changed.
type RulePreview struct {
	Join, Leave *roaring.Bitmap
	Members     uint64                      // users who would be members
	Failed      string                      // why the rule cannot be followed; "" if it can
	Licenses    []PreviewedLicense          // of the group
	Errors      map[licensing.Violation]int // how many licenses of the group its members would lack
}

// PreviewedLicense is a license of a group, with the seats of its product before and after.
type PreviewedLicense struct {
	SKUID                                  uuid.UUID
	SKUPartNumber                          string // "" if the product is not in the catalog
	Enabled, ConsumedBefore, ConsumedAfter int
}

// PreviewRule returns what would happen to an image if a group had a rule that is followed, or a
// new group if it is nil (docs/spec/dynamic-membership.md D84). The result is kept for a while.
// With again it may be a kept one, also if the rule depends on the time.
func (t *Tenant) PreviewRule(
	ctx context.Context, img *tenant.Image, rule string, group *uint32, again bool,
) (*RulePreview, error) {
	key := previewKey{img.Seq, rule, -1}
	if group != nil {
		key.group = int64(*group)
	}
	if again {
		if p, ok := t.previews.Get(key); ok {
			return p, nil
		}
	}
	p, err := t.previewRule(ctx, img, rule, group)
	if err == nil {
		t.previews.Add(key, p)
	}
	return p, err
}

func (t *Tenant) previewRule(
	ctx context.Context, img *tenant.Image, rule string, group *uint32,
) (*RulePreview, error) {
	before := roaring.New()
	cmd, err := t.ruled(ctx, img, rule, group)
	if err != nil {
		return nil, err
	}
	done, err := t.preview(ctx, img, cmd)
	if err != nil {
		return nil, err
	}
	p, ordinal := &RulePreview{}, done.Ordinal
	if group != nil {
		ordinal, before = *group, membersIn(img, *group)
	}
	if d := done.Image.Dynamic(ordinal); d != nil {
		p.Failed = d.Failed
	}
	after := membersIn(done.Image, ordinal)
	p.Join, p.Leave, p.Members = roaring.AndNot(after, before), roaring.AndNot(before, after), after.GetCardinality()
	p.license(img.Licensing, done.Image.Licensing, ordinal)
	return p, p.countErrors(ctx, done.Image.Licensing, ordinal)
}

// license notes the licenses of the group, and the seats before and after.
func (p *RulePreview) license(before, after *licensing.Image, group uint32) {
	was := before.SKUs()
	for _, a := range after.GroupLicenses(group) {
		l := PreviewedLicense{SKUID: a.SKUID}
		same := func(s licensing.SKUInfo) bool { return s.SKUID == a.SKUID }
		if at := slices.IndexFunc(was, same); at >= 0 {
			l.ConsumedBefore = was[at].Consumed
		}
		is := after.SKUs()
		if at := slices.IndexFunc(is, same); at >= 0 {
			l.ConsumedAfter, l.Enabled = is[at].Consumed, is[at].Units.Enabled
			if is[at].Product != nil {
				l.SKUPartNumber = is[at].Product.SKUPartNumber
			}
		}
		p.Licenses = append(p.Licenses, l)
	}
}

// countErrors counts the licenses of the group that its members would lack, by error.
func (p *RulePreview) countErrors(ctx context.Context, img *licensing.Image, group uint32) error {
	p.Errors = map[licensing.Violation]int{}
	wrong := img.GroupErrors(group)
	if wrong == nil {
		return nil
	}
	work := turns.Of(ctx)
	for user := range roaring.Values(wrong) {
		if err := work.Yield(); err != nil {
			return err
		}
		for s := range img.States(user) {
			if !s.Direct && s.Group == group && s.Error != licensing.NoViolation {
				p.Errors[s.Error]++
			}
		}
	}
	return nil
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
