package engine_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/licensing/model"
	"licensor/internal/tenant"
)

// operation returns what a command that was done is in the model; nil if it has changed nothing
// there, except what rules say.
type operation func(done tenant.Done) model.Op

func nothing(tenant.Done) model.Op { return nil }

func always(op model.Op) operation { return func(tenant.Done) model.Op { return op } }

// draw returns a random command.
func (m *modeled) draw() (tenant.Command, operation) {
	switch kind := rapid.IntRange(0, 19).Draw(m.t, "command"); {
	case kind < 1:
		return m.newUser()
	case kind < 5:
		return m.userCommand()
	case kind < 7:
		return m.memberCommand()
	case kind < 11:
		return m.licenseCommand()
	case kind < 13:
		return m.tenantCommand()
	case kind < 16:
		return m.newDynamicGroup()
	}
	return m.groupCommand()
}

// conflicting are Office 365 E3 and E1, which a user cannot hold at once with all plans.
var conflicting = []uuid.UUID{e3, uuid.MustParse("18181a46-0d4e-45cd-891e-60aabd171b4e")}

func (m *modeled) sku() uuid.UUID { return rapid.SampledFrom(conflicting).Draw(m.t, "sku") }

var departments = []string{"null", `"Sales"`, `"SALES"`, `"Support"`}

func (m *modeled) newUser() (tenant.Command, operation) {
	n := m.ids.Load()
	patch := userPatch(m.tb, `{"accountEnabled":true,"displayName":"user %[1]d","mailNickname":"u%[1]d","userPrincipalName":"u%[1]d@test.example",`+
		`"mail":"u%[1]d@test.example","department":%[2]s,"usageLocation":"DE","passwordProfile":{"password":"Secret-123"}}`,
		n, rapid.SampledFrom(departments).Draw(m.t, "department"))
	return tenant.CreateUser{Patch: patch}, func(done tenant.Done) model.Op {
		return model.AddUser{User: done.ID, Location: m.country("DE")}
	}
}

// country returns a usageLocation that is written as JSON, "null" for none.
func (m *modeled) country(text string) licensing.Country {
	if text == "null" {
		return licensing.NoCountry
	}
	country, err := licensing.ParseCountry(strings.Trim(text, `"`))
	if err != nil {
		m.t.Fatal(err)
	}
	return country
}

func (m *modeled) userCommand() (tenant.Command, operation) {
	user := m.user()
	id := m.id(user)
	switch rapid.IntRange(0, 8).Draw(m.t, "user command") {
	case 0:
		return tenant.DeleteUser{User: user}, always(model.DeleteUser{User: id})
	case 1, 2:
		return tenant.RestoreUser{User: user}, always(model.RestoreUser{User: id})
	case 3:
		return tenant.PurgeUser{User: user}, always(model.PurgeUser{User: id})
	case 4:
		return tenant.SetManager{User: user, Manager: m.id(m.user())}, nothing
	case 5:
		return tenant.RemoveManager{User: user}, nothing
	}
	location := rapid.SampledFrom([]string{`"DE"`, `"FR"`, "null"}).Draw(m.t, "location")
	patch := userPatch(m.tb, `{"department":%s,"displayName":"user %d","usageLocation":%s}`,
		rapid.SampledFrom(departments).Draw(m.t, "department"), rapid.IntRange(0, 9).Draw(m.t, "digit"), location)
	return tenant.UpdateUser{User: user, Patch: patch}, func(done tenant.Done) model.Op {
		if !done.Changed {
			return nil
		}
		return model.SetLocation{User: id, Location: m.country(location)}
	}
}

func (m *modeled) memberCommand() (tenant.Command, operation) {
	group, users := m.group(), []uuid.UUID{m.id(m.user())}
	id := m.Image().Directory.GroupID(group)
	if rapid.IntRange(0, 2).Draw(m.t, "leave") == 0 {
		return tenant.RemoveMember{Group: group, Member: users[0]}, always(model.RemoveMembers{Group: id, Users: users})
	}
	return tenant.AddMembers{Group: group, Members: users}, always(model.AddMembers{Group: id, Users: users})
}

func (m *modeled) licenseCommand() (tenant.Command, operation) {
	sku := m.sku()
	var add []licensing.Assign
	var added []model.Assign
	var remove []uuid.UUID
	if rapid.IntRange(0, 2).Draw(m.t, "remove") == 0 {
		remove = []uuid.UUID{sku}
	} else {
		var disabled []uuid.UUID
		if rapid.IntRange(0, 2).Draw(m.t, "disable") == 0 {
			disabled = somePlans(m.house, sku)[:1]
		}
		add = []licensing.Assign{{SKUID: sku, DisabledPlans: disabled}}
		added = []model.Assign{{SKU: sku, Disabled: disabled}}
	}
	if rapid.Bool().Draw(m.t, "direct") {
		user := m.user()
		return tenant.AssignUser{User: user, Add: add, Remove: remove},
			always(model.AssignUser{User: m.id(user), Add: added, Remove: remove})
	}
	group := m.group()
	return tenant.AssignGroup{Group: group, Add: add, Remove: remove},
		always(model.AssignGroup{Group: m.Image().Directory.GroupID(group), Add: added, Remove: remove})
}

// tenantCommand returns a command that is not about one object.
func (m *modeled) tenantCommand() (tenant.Command, operation) {
	img := m.Image()
	switch rapid.IntRange(0, 3).Draw(m.t, "tenant command") {
	case 0:
		one := rapid.SampledFrom(img.Subscriptions).Draw(m.t, "subscription")
		total := rapid.IntRange(1, 5).Draw(m.t, "seats")
		return tenant.UpdateSubscription{ID: one.ID, TotalLicenses: &total},
			always(model.SetUnits{SKU: one.SKUID, Units: model.Units{Enabled: total}, Subscribed: true})
	case 1:
		on := rapid.Bool().Draw(m.t, "on")
		return tenant.UpdateSettings{AutoReprocess: &on},
			always(model.SetSettings{Settings: model.Settings{AutoReprocess: on}})
	case 2:
		both := []tenant.MemberOfRules{tenant.MemberOfRulesFollowed, tenant.MemberOfRulesFrozen}
		frozen := rapid.SampledFrom(both).Draw(m.t, "memberOf")
		return tenant.UpdateSettings{MemberOfRules: &frozen}, nothing
	}
	user := m.user()
	return tenant.Reprocess{Users: []uint32{user}}, always(model.Reprocess{Users: []uuid.UUID{m.id(user)}})
}

func (m *modeled) groupPatch(body string, args ...any) directory.GroupPatch {
	m.t.Helper()
	patch, err := directory.ParseGroupPatch(members(m.tb, fmt.Sprintf(body, args...)))
	if err != nil {
		m.t.Fatal(err)
	}
	return patch
}

func (m *modeled) newDynamicGroup() (tenant.Command, operation) {
	patch := m.groupPatch(`{"displayName":"d","mailEnabled":true,"mailNickname":"d%d","securityEnabled":true,`+
		`"groupTypes":["Unified","DynamicMembership"],"membershipRule":%s,"membershipRuleProcessingState":"%s"}`,
		m.ids.Load(), m.rule(), m.state())
	return tenant.CreateGroup{Patch: patch}, func(done tenant.Done) model.Op { return model.AddGroup{Group: done.ID} }
}

func (m *modeled) state() string {
	return rapid.SampledFrom([]string{"On", "On", "Paused"}).Draw(m.t, "state")
}

// groupCommand returns a command about the rule of a group, or its deletion.
func (m *modeled) groupCommand() (tenant.Command, operation) {
	group := m.group()
	switch rapid.IntRange(0, 6).Draw(m.t, "group command") {
	case 0:
		return tenant.UpdateGroup{Group: group, Patch: m.groupPatch(`{"groupTypes":["Unified"]}`)}, nothing
	case 1:
		return tenant.UpdateGroup{Group: group, Patch: m.groupPatch(
			`{"groupTypes":["Unified","DynamicMembership"],"membershipRule":%s,"membershipRuleProcessingState":"%s"}`, m.rule(), m.state())}, nothing
	case 2:
		return tenant.UpdateGroup{Group: group, Patch: m.groupPatch(`{"groupTypes":["DynamicMembership"],"membershipRule":%s}`, m.rule())}, nothing
	case 3:
		return tenant.DeleteGroup{Group: group}, m.deletion(group)
	case 4:
		return tenant.RestoreGroup{Group: group}, nothing
	case 5:
		return tenant.UpdateGroup{Group: group, Patch: m.groupPatch(`{"membershipRule":%s}`, m.rule())}, nothing
	}
	return tenant.UpdateGroup{Group: group, Patch: m.groupPatch(`{"membershipRuleProcessingState":"%s"}`, m.state())}, nothing
}

// deletion returns what the deletion of a group is: those that can be restored keep their members.
func (m *modeled) deletion(group uint32) operation {
	id := m.Image().Directory.GroupID(group)
	return func(tenant.Done) model.Op {
		if !m.Image().Directory.GroupPurged(group) {
			return nil
		}
		return model.DeleteGroup{Group: id}
	}
}

// rule returns a random rule, as JSON. It may be refused.
func (m *modeled) rule() string {
	r := m.statedRule()
	m.said[r.text] = r
	text, err := json.Marshal(r.text)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(text)
}

var (
	ofSales = statedRule{`user.department -eq "sales"`, model.StageUsers, func(f *facts, _ *model.Model, user uuid.UUID) bool {
		return strings.EqualFold(f.users[user].Department, "sales")
	}}
	// ofSupport has a pattern that only the backtracking engine knows.
	ofSupport = statedRule{`user.department -match "(.)\1"`, model.StageUsers, func(f *facts, _ *model.Model, user uuid.UUID) bool {
		return f.users[user].Department == "Support"
	}}
)

func (m *modeled) statedRule() statedRule {
	switch rapid.IntRange(0, 9).Draw(m.t, "rule") {
	case 0, 1:
		return m.planRule()
	case 2:
		digit := fmt.Sprint(rapid.IntRange(0, 9).Draw(m.t, "digit"))
		text := fmt.Sprintf(`user.displayName -match "^USER .*%s$"`, digit)
		return statedRule{text, model.StageUsers, func(f *facts, _ *model.Model, user uuid.UUID) bool {
			return strings.HasSuffix(f.users[user].DisplayName, digit)
		}}
	case 3:
		return m.memberOfRule()
	case 4:
		return statedRule{`user.userPrincipalName -ne null -and -not (user.department -eq null)`, model.StageUsers, func(f *facts, _ *model.Model, user uuid.UUID) bool {
			return f.users[user].Department != ""
		}}
	case 5:
		boss := m.id(m.user())
		return statedRule{fmt.Sprintf(`Direct Reports for "%s"`, boss), model.StageUsers, func(f *facts, _ *model.Model, user uuid.UUID) bool {
			return f.users[boss] != nil && f.managers[user] == boss
		}}
	case 6, 7:
		return ofSales
	case 8:
		return ofSupport
	}
	return m.memberOfRule()
}

func (m *modeled) memberOfRule() statedRule {
	sources := []uuid.UUID{m.Image().Directory.GroupID(m.group()), m.Image().Directory.GroupID(m.group())}
	return statedRule{
		fmt.Sprintf(`user.memberOf -any (group.objectId -in ['%s','%s'])`, sources[0], sources[1]), model.StageGroups,
		func(f *facts, at *model.Model, user uuid.UUID) bool {
			return slices.ContainsFunc(at.Groups, func(g *model.Group) bool {
				return slices.Contains(sources, g.ID) && f.group(g.ID) && g.Members[user]
			})
		},
	}
}

func (m *modeled) planRule() statedRule {
	plan := somePlans(m.house, m.sku())[0]
	has := fmt.Sprintf(`user.assignedPlans -any (assignedPlan.servicePlanId -eq "%s" -and assignedPlan.capabilityStatus -eq "Enabled")`, plan)
	lacks := rapid.IntRange(0, 3).Draw(m.t, "lacks") == 3
	if lacks {
		has = "user.department -ne null -and -not " + has
	}
	return statedRule{has, model.StagePlans, func(f *facts, at *model.Model, user uuid.UUID) bool {
		held := slices.Contains(at.Plans(user), plan)
		return !lacks && held || lacks && !held && f.users[user].Department != ""
	}}
}
