package engine_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// lacking returns a rule of the users who do not have a plan.
func lacking(plan uuid.UUID) string {
	return fmt.Sprintf(`-not user.assignedPlans -any (assignedPlan.servicePlanId -eq "%s" -and assignedPlan.capabilityStatus -eq "Enabled")`, plan)
}

const circle = "The rule depends on licenses that the group itself gives or takes."

// entriesOf returns the entries of all users, with their times.
func entriesOf(img *tenant.Image) (list []licensing.Entry) {
	for user := range img.Directory.Users() {
		list = append(list, img.Licensing.Entries(user)...)
	}
	return list
}

// TestD24ACircleLeavesNoTrace covers a group that gives the plan whose lack makes users its members
// (docs/spec/dynamic-membership.md D24, scenario 11): who is a member keeps the license and the
// seat that another waits for, and evaluating the rule again writes nothing.
func TestD24ACircleLeavesNoTrace(t *testing.T) {
	t.Parallel()
	h := newHouseInMemory(t, 1<<30)
	h.must(tenant.CreateSubscription{SKUID: e3, TotalLicenses: 1})
	ann, bob := h.must(newUser(t, "ann")).Ordinal, h.must(newUser(t, "bob")).Ordinal
	group := h.must(dynamicGroup(t, "without", lacking(somePlans(h, e3)[0]))).Ordinal
	h.clock.Add(60)
	h.must(tenant.AssignGroup{Group: group, Add: []licensing.Assign{{SKUID: e3}}})

	before := h.Image()
	if got := before.Licensing.GroupMembers(group).ToArray(); !slices.Equal(got, []uint32{ann, bob}) {
		t.Fatalf("the members are %v, want %d and %d as before the license", got, ann, bob)
	}
	if d := before.Dynamic(group); d.Failed != circle {
		t.Errorf("the group has failed with %q, want %q", d.Failed, circle)
	}
	entries := entriesOf(before)
	if len(entries) != 2 || entries[0].Error != licensing.NoViolation || entries[1].Error != licensing.CountViolation {
		t.Fatalf("the entries are %+v, want the seat for the older user", entries)
	}
	for range 3 {
		h.clock.Add(3600)
		if done := h.must(tenant.EvaluateRules{}); done.Changed || h.Image() != before {
			t.Fatalf("evaluating the rules again has written commit %d", h.Image().Seq)
		}
	}
	h.must(tenant.UpdateUser{User: ann, Patch: userPatch(t, `{"department":"Sales"}`)})
	h.must(newUser(t, "cem"))
	after := h.Image()
	if after.Dynamic(group).Failed != circle || !slices.Equal(entriesOf(after)[:2], entries) {
		t.Errorf("after other changes the entries are %+v, want %+v first", entriesOf(after), entries)
	}
}

// TestD24CirclesThatPassOnASeatEnd covers users who would pass on the only seat, each leaving the
// group when it gets the license: they all stay where they were.
func TestD24CirclesThatPassOnASeatEnd(t *testing.T) {
	t.Parallel()
	h := newHouseInMemory(t, 1<<30)
	h.must(tenant.CreateSubscription{SKUID: e3, TotalLicenses: 1})
	for i := range 20 {
		h.must(newUser(t, fmt.Sprintf("user%d", i)))
	}
	group := h.must(newGroup(t, "static")).Ordinal
	h.must(tenant.AssignGroup{Group: group, Add: []licensing.Assign{{SKUID: e3}}})
	patch, err := directory.ParseGroupPatch(members(t, fmt.Sprintf(
		`{"groupTypes":["DynamicMembership"],"membershipRule":%q}`, lacking(somePlans(h, e3)[0]))))
	if err != nil {
		t.Fatal(err)
	}
	h.must(tenant.UpdateGroup{Group: group, Patch: patch})

	img := h.Image()
	if got := img.Licensing.GroupMembers(group).ToArray(); len(got) > 0 || len(entriesOf(img)) > 0 {
		t.Errorf("the members are %v with the entries %+v, want none", got, entriesOf(img))
	}
	if d := img.Dynamic(group); d.Failed != circle {
		t.Errorf("the group has failed with %q, want %q", d.Failed, circle)
	}
	if done := h.must(tenant.EvaluateRules{}); done.Changed {
		t.Error("evaluating the rules again has written something")
	}
	h.must(tenant.DeleteUser{User: 3})
	if d := h.Image().Dynamic(group); d.Failed != circle {
		t.Errorf("after a user was deleted, the group has failed with %q", d.Failed)
	}
}

// TestD24RulesThatDependOnEachOtherSettle covers a rule whose result comes back within a commit: a
// user who gets a plan from another group instead never leaves, and the group has not failed.
func TestD24RulesThatDependOnEachOtherSettle(t *testing.T) {
	t.Parallel()
	h := newHouseInMemory(t, 1<<30)
	h.must(tenant.CreateSubscription{SKUID: e3, TotalLicenses: 5})
	h.must(tenant.CreateSubscription{SKUID: ems, TotalLicenses: 5})
	ann := h.must(newUser(t, "ann")).Ordinal
	h.must(tenant.UpdateUser{User: ann, Patch: userPatch(t, `{"department":"Sales"}`)})
	plan, other := somePlans(h, e3)[0], somePlans(h, ems)[0]
	has := func(plan uuid.UUID) string {
		return fmt.Sprintf(`user.assignedPlans -any (assignedPlan.servicePlanId -eq "%s" -and assignedPlan.capabilityStatus -eq "Enabled")`, plan)
	}
	licensed := func(name, rule string, sku uuid.UUID) uint32 {
		group := h.must(dynamicGroup(t, name, rule)).Ordinal
		h.must(tenant.AssignGroup{Group: group, Add: []licensing.Assign{{SKUID: sku}}})
		return group
	}
	licensed("sales", `user.department -eq "Sales"`, e3)
	licensed("others", `user.department -eq "Other"`, ems)
	also := licensed("also", has(other), e3)
	h.clock.Add(60)
	follower := h.must(dynamicGroup(t, "follower", has(plan))).Ordinal
	updated := h.Image().Dynamic(follower).Updated
	h.clock.Add(60)
	h.must(tenant.UpdateUser{User: ann, Patch: userPatch(t, `{"department":"Other"}`)})

	img := h.Image()
	for _, group := range []uint32{also, follower} {
		if !img.Licensing.GroupMembers(group).Contains(ann) || img.Dynamic(group).Failed != "" {
			t.Errorf("group %d: the members are %v, failed: %q", group, img.Licensing.GroupMembers(group), img.Dynamic(group).Failed)
		}
	}
	if got := img.Dynamic(follower).Updated; !got.Equal(updated) {
		t.Errorf("the members of the follower have changed at %s, want %s", got, updated)
	}
	if done := h.must(tenant.EvaluateRules{}); done.Changed {
		t.Error("evaluating the rules again has written something")
	}
}
