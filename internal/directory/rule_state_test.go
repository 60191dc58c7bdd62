package directory

import "testing"

// TestD1D3D10StateOfARule covers what becomes of the rule and its state when groups become dynamic
// and static (docs/spec/dynamic-membership.md D1, D3, D10).
func TestD1D3D10StateOfARule(t *testing.T) {
	t.Parallel()
	dynamic := Group{
		ID: someID, SecurityEnabled: true, GroupTypes: []string{DynamicMembership}, MembershipRule: "x",
		MembershipRuleProcessingState: RuleOn,
	}
	static := Group{ID: someID, SecurityEnabled: true}
	former := Group{ID: someID, SecurityEnabled: true, MembershipRule: "x", MembershipRuleProcessingState: RulePaused}
	tests := []struct {
		name, body  string
		group       Group
		rule, state string
		refused     bool
	}{
		{"a missing state is On", `{"groupTypes":["DynamicMembership"],"membershipRule":"y"}`, static, "y", "On", false},
		{"or as it is sent", `{"groupTypes":["DynamicMembership"],"membershipRule":"y","membershipRuleProcessingState":"paused"}`, static, "y", "Paused", false},
		{"static again", `{"groupTypes":[]}`, dynamic, "x", "Paused", false},
		{"static and Paused", `{"groupTypes":[],"membershipRuleProcessingState":"Paused"}`, dynamic, "x", "Paused", false},
		{"static and On", `{"groupTypes":[],"membershipRuleProcessingState":"On"}`, dynamic, "", "", true},
		{"the former rule is removed", `{"membershipRule":null}`, former, "", "", false},
		{"the former rule stays", `{"description":"d"}`, former, "x", "Paused", false},
		{"a dynamic group needs its rule", `{"membershipRule":null}`, dynamic, "", "", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g, err := patchGroup(test.group, test.body)
			if test.refused {
				if err == nil {
					t.Fatal("the change is not refused")
				}
				return
			}
			if err != nil || g.MembershipRule != test.rule || g.MembershipRuleProcessingState != test.state {
				t.Errorf("got %q %q %v, want %q %q", g.MembershipRule, g.MembershipRuleProcessingState, err, test.rule, test.state)
			}
		})
	}
}
