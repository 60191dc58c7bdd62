package tenant

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"licensor/internal/licensing"
	"licensor/internal/membership"
)

// TestRulesEvaluatedAheadAreEvaluatedAgainForChangedUsers covers which users the writer evaluates,
// after a rule was evaluated for all users before some changes.
func TestRulesEvaluatedAheadAreEvaluatedAgainForChangedUsers(t *testing.T) {
	t.Parallel()
	h := newPure(t)
	h.must(CreateSubscription{SKUID: e3, TotalLicenses: 5})
	for i := range 600 {
		h.must(h.newUser(fmt.Sprintf("user%d", i)))
	}
	soon := h.at.Add(30 * time.Second).Format(time.RFC3339)
	h.must(UpdateUser{User: 20, Patch: h.userPatch(`{"employeeHireDate":%q}`, soon)})
	h.must(AssignUser{User: 300, Add: []licensing.Assign{{SKUID: e3}}})
	before := h.img
	h.at = h.at.Add(time.Minute)
	h.must(UpdateUser{User: 1, Patch: h.userPatch(`{"department":"Sales"}`)})
	h.must(UpdateUser{User: 2, Patch: h.userPatch(`{"mobilePhone":"+47 1"}`)})
	h.must(DeleteUser{User: 4})
	h.must(AssignUser{User: 301, Add: []licensing.Assign{{SKUID: e3}}})
	h.must(h.newUser("another"))

	product, _ := h.img.Licensing.Product(e3)
	lacking := fmt.Sprintf(`-not user.assignedPlans -any (assignedPlan.servicePlanId -eq "%s" -and `+
		`assignedPlan.capabilityStatus -eq "Enabled")`, product.ServicePlanIDs[0])
	for _, test := range []struct {
		rule string
		want []uint32
	}{
		{`user.department -eq "Sales"`, []uint32{1, 4, 600}},
		{`user.mobile -match "^\+47" -or user.department -eq null`, []uint32{1, 2, 4, 600}},
		{`user.objectId -ne null`, []uint32{4, 600}},
		{`user.employeeHireDate -ge system.now`, []uint32{4, 20, 600}},
		{`user.employeeHireDate -ge "2026-11-26T12:00:00Z"`, []uint32{4, 600}},
		{lacking, []uint32{4, 301, 600}},
	} {
		rule, err := membership.Parse(test.rule)
		if err != nil {
			t.Fatal(err)
		}
		users, some, err := sinceOf(t.Context(), before, h.img, rule)
		if err != nil || !some || !slices.Equal(users, test.want) {
			t.Errorf("%s is evaluated again for %v (%t, %v), want %v", test.rule, users, some, err, test.want)
		}
	}
	h.img = h.replayed()
	rule, _ := membership.Parse(lacking)
	if users, some, err := sinceOf(t.Context(), before, h.img, rule); err != nil || some && len(users) < 3 {
		t.Errorf("after a restart, %v are evaluated again (%v)", users, err)
	}
}

// sinceOf returns the users for whom a rule that was evaluated ahead on an image is evaluated again
// in another; false if it is evaluated for all.
func sinceOf(ctx context.Context, from, img *Image, rule *membership.Rule) ([]uint32, bool, error) {
	f := &img.change(ctx, img.At, nil).following
	f.table, f.ahead = img.Directory.UserColumns(), &Ahead{image: from, at: from.At}
	users, err := f.since(rule)
	if users == nil {
		return nil, false, err
	}
	return users.ToArray(), true, err
}
