package engine_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/licensing"
	"licensor/internal/membership"
	"licensor/internal/tenant"
)

// plainUser is a user of an image as rules see it, read in the plainest way.
type plainUser struct {
	img  *tenant.Image
	user uint32
}

// Value returns the value of a property.
func (u plainUser) Value(p *membership.Property) column.Value {
	if p.Column < 0 {
		return column.Value{Text: u.img.Directory.UserID(u.user).String()}
	}
	return u.img.Directory.UserColumns().Value(u.user, p.Column)
}

// Plans returns the assigned plans.
func (u plainUser) Plans() (list []membership.Plan) {
	for p := range u.img.Licensing.Plans(u.user, u.img.At) {
		list = append(list, membership.Plan{
			ServicePlanID: p.Plan.ID.String(), Service: p.Plan.Service, CapabilityStatus: p.Capability,
		})
	}
	return list
}

// ReportsTo reports whether a user is the manager.
func (u plainUser) ReportsTo(id uuid.UUID) bool {
	manager, ok := u.img.Directory.Manager(u.user)
	return ok && !u.img.Directory.UserDeleted(manager) && u.img.Directory.UserID(manager) == id
}

// IsMember reports whether the user is a direct member of a group.
func (u plainUser) IsMember(id uuid.UUID) bool {
	group, ok := u.img.Directory.LiveGroupByID(id)
	return ok && u.img.Directory.IsMember(u.user, group)
}

// checkRules compares the members of the dynamic groups with a naive evaluation: those whose rules
// mention the time only if all of them were just evaluated.
func checkRules(t fataler, img *tenant.Image, timed bool) {
	t.Helper()
	for group := range img.Directory.Groups() {
		d := img.Dynamic(group)
		if d == nil || !d.On || d.Failed != "" || img.Directory.GroupPurged(group) {
			continue
		}
		if len(d.Rule.Sources()) > 0 && img.MemberOfRules() == tenant.MemberOfRulesFrozen {
			continue
		}
		if d.Rule.UsesNow() && !timed {
			continue
		}
		for user := range img.Directory.Users() {
			want := false
			if !img.Directory.UserPurged(user) && !img.Directory.UserDeleted(user) {
				var err error
				if want, err = d.Rule.Holds(plainUser{img, user}, img.At); err != nil {
					t.Fatal(err)
				}
			}
			has := img.Licensing.GroupMembers(group).Contains(user)
			if has != want || !img.Directory.UserPurged(user) && img.Directory.IsMember(user, group) != has {
				t.Fatalf("user %d in group %d: %t, want %t by %q", user, group, has, want, d.Rule.Text())
			}
		}
		if nested := img.Directory.GroupMembersOf(group); len(nested) > 0 {
			t.Fatalf("the dynamic group %d has groups as members: %v", group, nested)
		}
	}
}

// randomRule returns a rule, which may be refused.
func (p *player) randomRule() string {
	plan := somePlans(p.house, rapid.SampledFrom([]uuid.UUID{e3, ems}).Draw(p.t, "plan of"))[0]
	id := func(of func(uint32) uuid.UUID, n uint32) uuid.UUID {
		if n == 0 {
			return uuid.UUID{9}
		}
		return of(uint32(rapid.IntRange(0, int(n)-1).Draw(p.t, "object")))
	}
	img := p.Image()
	switch rapid.IntRange(0, 9).Draw(p.t, "rule") {
	case 0, 1:
		return fmt.Sprintf(`user.department -eq "%s"`, p.name())
	case 2:
		return fmt.Sprintf(`user.displayName -match "%d$"`, rapid.IntRange(0, 9).Draw(p.t, "digit"))
	case 3:
		return `user.userPrincipalName -ne null -and -not (user.department -eq null)`
	case 4:
		return fmt.Sprintf(`Direct Reports for "%s"`, id(img.Directory.UserID, img.Directory.Users()))
	case 5:
		return fmt.Sprintf(`user.memberOf -any (group.objectId -in ['%s'])`, id(img.Directory.GroupID, img.Directory.Groups()))
	case 6:
		return `user.employeeHireDate -le system.now`
	case 7:
		return fmt.Sprintf(`user.assignedPlans -any (assignedPlan.servicePlanId -eq "%s" -and assignedPlan.capabilityStatus -eq "Enabled")`, plan)
	case 8:
		return fmt.Sprintf(`user.department -ne null -and -not user.assignedPlans -any (assignedPlan.servicePlanId -eq "%s" `+
			`-and assignedPlan.capabilityStatus -eq "Enabled")`, plan)
	}
	return `user.objectId -ne null`
}

// ruleCommand returns a command about dynamic groups, or one that their members follow.
func (p *player) ruleCommand() tenant.Command {
	state := rapid.SampledFrom([]string{"On", "Paused"}).Draw(p.t, "state")
	patch := func(body string, args ...any) directory.GroupPatch {
		patch, err := directory.ParseGroupPatch(members(p.tb, fmt.Sprintf(body, args...)))
		if err != nil {
			p.t.Fatal(err)
		}
		return patch
	}
	rule, _ := json.Marshal(p.randomRule())
	switch rapid.IntRange(0, 12).Draw(p.t, "rule command") {
	case 0, 1:
		return tenant.CreateGroup{Patch: patch(`{"displayName":"d","mailEnabled":true,"mailNickname":"d%d","securityEnabled":true,`+
			`"groupTypes":["Unified","DynamicMembership"],"membershipRule":%s,"membershipRuleProcessingState":"%s"}`, p.ids.Load(), rule, state)}
	case 2:
		return tenant.UpdateGroup{Group: p.group(), Patch: patch(`{"groupTypes":["DynamicMembership"],"membershipRule":%s}`, rule)}
	case 3:
		return tenant.UpdateGroup{Group: p.group(), Patch: patch(`{"groupTypes":["Unified"]}`)}
	case 4:
		return tenant.UpdateGroup{Group: p.group(), Patch: patch(`{"membershipRuleProcessingState":"%s"}`, state)}
	case 5:
		return tenant.UpdateGroup{Group: p.group(), Patch: patch(`{"membershipRule":%s}`, rule)}
	case 6:
		return tenant.RestoreGroup{Group: p.group()}
	case 7:
		frozen := tenant.MemberOfRulesFollowed
		if rapid.Bool().Draw(p.t, "frozen") {
			frozen = tenant.MemberOfRulesFrozen
		}
		return tenant.UpdateSettings{MemberOfRules: &frozen}
	case 8:
		return tenant.EvaluateRules{}
	case 9:
		return p.importCommand()
	}
	hired := rapid.SampledFrom([]string{"null", `"2026-01-31T12:00:30Z"`, `"2020-01-01T00:00:00Z"`}).Draw(p.t, "hired")
	return tenant.UpdateUser{User: p.user(), Patch: userPatch(p.tb, `{"department":%s,"employeeHireDate":%s}`,
		rapid.SampledFrom([]string{"null", `"user1"`, `"USER2"`}).Draw(p.t, "department"), hired)}
}

// importCommand imports users, and a membership by hand.
func (p *player) importCommand() tenant.Command {
	cmd := tenant.Import{}
	for i := range rapid.IntRange(1, 4).Draw(p.t, "rows") {
		patch, err := directory.ParseUserImport(members(p.tb, fmt.Sprintf(
			`{"accountEnabled":true,"mailNickname":"i","displayName":"i%d","userPrincipalName":"i%d@test.example","department":"user1","usageLocation":"DE"}`, i, p.ids.Load()+uint32(i))))
		if err != nil {
			p.t.Fatal(err)
		}
		cmd.Rows = append(cmd.Rows, tenant.ImportRow{Line: int64(i), User: &tenant.ImportUser{Patch: patch}})
	}
	cmd.Rows = append(cmd.Rows, tenant.ImportRow{Line: 9, Membership: &tenant.Membership{
		Group: p.Image().Directory.GroupID(p.group()).String(), Member: p.id(p.user()).String(),
	}})
	return cmd
}

// TestD20D21D22D23D26D29MembersFollowInTheSameCommit plays random commands with dynamic groups, and
// compares the members after each with a naive evaluation (docs/spec/dynamic-membership.md D20 to
// D29). Rules of all users are evaluated ahead, on an image before up to five other commands.
// Restarts, with snapshots and without, change nothing.
func TestD20D21D22D23D26D29MembersFollowInTheSameCommit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouseInMemory(t, rapid.SampledFrom([]int{1, 400, 1 << 30}).Draw(rt, "snapshot after"))
		defer h.close()
		h.must(tenant.CreateSubscription{SKUID: e3, TotalLicenses: 3})
		h.must(tenant.CreateSubscription{SKUID: ems, TotalLicenses: 2})
		p := &player{house: h, t: rt}
		images := []*tenant.Image{p.Image()}
		for range rapid.IntRange(1, 40).Draw(rt, "commands") {
			p.clock.Add(int64(rapid.IntRange(0, 20).Draw(rt, "seconds")))
			cmd := p.ruleOrOther()
			before := p.Image()
			images = append(images[max(0, len(images)-5):], before)
			ahead := images[rapid.IntRange(0, len(images)-1).Draw(rt, "ahead")]
			done, err := p.DoAsOf(rt.Context(), "user test", cmd, ahead, ahead.At)
			rt.Logf("%T %+v: %v", cmd, cmd, err)
			if (err != nil || !done.Changed) && p.Image() != before {
				rt.Fatalf("%T changed the image though it was refused or changed nothing", cmd)
			}
			_, all := cmd.(tenant.EvaluateRules)
			checkRules(rt, p.Image(), all && done.Changed)
			if rapid.IntRange(0, 9).Draw(rt, "restart") == 0 {
				p.restart(rapid.Bool().Draw(rt, "without snapshots"))
			}
		}
		p.checkSeats()
		p.restart(true)
	})
}

func (p *player) ruleOrOther() tenant.Command {
	dir := p.Image().Directory
	if dir.Users() == 0 || dir.Groups() == 0 || rapid.IntRange(0, 2).Draw(p.t, "other") == 0 {
		return p.command()
	}
	if rapid.IntRange(0, 5).Draw(p.t, "licenses") == 0 {
		return tenant.AssignGroup{Group: p.group(), Add: []licensing.Assign{{SKUID: p.sku()}}}
	}
	return p.ruleCommand()
}

// restart opens the tenant again, and compares its content. What depends on the time is evaluated
// first, since that is done when a tenant is loaded.
func (p *player) restart(withoutSnapshots bool) {
	p.t.Helper()
	p.must(tenant.EvaluateRules{})
	if done := p.must(tenant.EvaluateRules{}); done.Changed {
		p.t.Fatal("evaluating the rules a second time has changed something")
	}
	before, states := content(p.tb, p.Image()), statesOf(p.Image())
	if withoutSnapshots {
		p.forgetSnapshots()
	} else {
		p.reopen()
	}
	if after := content(p.tb, p.Image()); after != before {
		p.t.Fatalf("before the restart\n%s\nafter it\n%s", before, after)
	}
	if after := statesOf(p.Image()); !slices.Equal(after, states) {
		p.t.Fatalf("the states of rules were\n%v\nand are\n%v", states, after)
	}
}

// statesOf describes the dynamic groups of an image.
func statesOf(img *tenant.Image) (list []string) {
	for group := range img.Directory.Groups() {
		if d := img.Dynamic(group); d != nil {
			text := ""
			if d.Rule != nil {
				text = d.Rule.Text()
			}
			state := fmt.Sprint(d.On, d.Deleted, d.Updated, d.Failed, d.Culprit)
			list = append(list, fmt.Sprint(group, text, state, img.MemberOfRules()))
		}
	}
	return list
}

// TestD22ImportedUsersFollowAllRules covers imports of many users while rules are on: after each,
// the members are those of a naive evaluation (docs/spec/dynamic-membership.md, scenario 14).
func TestD22ImportedUsersFollowAllRules(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouseInMemory(t, 1<<30)
		defer h.close()
		for _, sku := range []uuid.UUID{e3, ems} {
			h.must(tenant.CreateSubscription{SKUID: sku, TotalLicenses: 200})
		}
		h.must(newUser(t, "first"))
		h.must(newGroup(t, "first"))
		p := &player{house: h, t: rt}
		for range rapid.IntRange(1, 6).Draw(rt, "rules") {
			group, err := h.do(dynamicGroup(t, "d", p.randomRule()))
			if err == nil && rapid.Bool().Draw(rt, "licensed") {
				h.must(tenant.AssignGroup{Group: group.Ordinal, Add: []licensing.Assign{{SKUID: p.sku()}}})
			}
		}
		for batch := range 2 {
			cmd := tenant.Import{}
			for i := range rapid.SampledFrom([]int{1, 255, 256, 300}).Draw(rt, "users") {
				patch, err := directory.ParseUserImport(members(t, fmt.Sprintf(
					`{"accountEnabled":true,"mailNickname":"i","displayName":"i%[1]d","userPrincipalName":"i%[1]d.%[2]d@test.example","department":%[3]s,"usageLocation":"DE"}`,
					i, batch, []string{"null", `"user1"`, `"USER2"`}[i%3])))
				if err != nil {
					rt.Fatal(err)
				}
				cmd.Rows = append(cmd.Rows, tenant.ImportRow{Line: int64(i), User: &tenant.ImportUser{Patch: patch}})
			}
			if done := h.must(cmd); len(done.Rows) > 0 {
				rt.Fatal(done.Rows[0].Problem)
			}
			checkRules(rt, p.Image(), false)
		}
	})
}
