package engine_test

import (
	"encoding/json"
	"fmt"

	"licensor/internal/directory"
	"licensor/internal/tenant"
)

// ruleCommand returns a random command about dynamic groups.
func (s *simulation) ruleCommand() tenant.Command {
	state := []string{"On", "On", "Paused"}[s.random.IntN(3)]
	rule, err := json.Marshal(s.rule())
	if err != nil {
		s.tb.Fatal(err)
	}
	switch s.random.IntN(6) {
	case 0:
		return tenant.UpdateGroup{Group: s.group(), Patch: s.groupPatch(`{"membershipRuleProcessingState":"%s"}`, state)}
	case 1:
		return tenant.UpdateGroup{Group: s.group(), Patch: s.groupPatch(`{"membershipRule":%s}`, rule)}
	case 2:
		return tenant.UpdateGroup{Group: s.group(), Patch: s.groupPatch(
			`{"groupTypes":["DynamicMembership"],"membershipRule":%s,"membershipRuleProcessingState":"%s"}`, rule, state)}
	case 3:
		return tenant.UpdateGroup{Group: s.group(), Patch: s.groupPatch(`{"groupTypes":[],"membershipRuleProcessingState":"Paused"}`)}
	}
	return tenant.CreateGroup{Patch: s.groupPatch(`{"displayName":"d","mailEnabled":true,"mailNickname":"d%d","securityEnabled":true,`+
		`"groupTypes":["Unified","DynamicMembership"],"membershipRule":%s,"membershipRuleProcessingState":"%s"}`, s.random.IntN(1000), rule, state)}
}

func (s *simulation) groupPatch(body string, args ...any) directory.GroupPatch {
	s.tb.Helper()
	patch, err := directory.ParseGroupPatch(members(s.tb, fmt.Sprintf(body, args...)))
	if err != nil {
		s.tb.Fatal(err)
	}
	return patch
}

// rule returns a random rule, which may be refused. It has no pattern for the backtracking engine,
// whose clock is a goroutine that would outlive the bubble.
func (s *simulation) rule() string {
	dir := s.Image().Directory
	switch s.random.IntN(8) {
	case 0:
		return ofSales.text
	case 1:
		return `user.department -match "^su"`
	case 2:
		return fmt.Sprintf(`user.displayName -match "^user.*%d"`, s.random.IntN(10))
	case 3:
		return fmt.Sprintf(`Direct Reports for "%s"`, dir.UserID(s.user()))
	case 4, 5:
		return fmt.Sprintf(`user.memberOf -any (group.objectId -in ['%s'])`, dir.GroupID(s.group()))
	case 6:
		return fmt.Sprintf(`user.assignedPlans -any (assignedPlan.servicePlanId -eq "%s" -and assignedPlan.capabilityStatus -eq "Enabled")`,
			somePlans(s.house, s.sku())[0])
	}
	return `user.department -ne null`
}

// followsLicenses reports whether a group has a rule over assigned plans.
func followsLicenses(img *tenant.Image) bool {
	for group := range img.Directory.Groups() {
		if d := img.Dynamic(group); d != nil && d.Rule != nil && d.Rule.UsesPlans() {
			return true
		}
	}
	return false
}
