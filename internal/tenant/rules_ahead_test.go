package tenant_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"licensor/internal/licensing"
	"licensor/internal/membership"
	"licensor/internal/tenant"
)

// TestRulesEvaluatedAheadAreEvaluatedAgainForChangedUsers covers which users the writer evaluates,
// after a rule was evaluated for all users before some changes.
func TestRulesEvaluatedAheadAreEvaluatedAgainForChangedUsers(t *testing.T) {
	t.Parallel()
	h := newHouseInMemory(t, 1<<30)
	h.must(tenant.CreateSubscription{SKUID: e3, TotalLicenses: 5})
	for i := range 600 {
		h.must(newUser(t, fmt.Sprintf("user%d", i)))
	}
	soon := time.Unix(h.clock.Load()+30, 0).UTC().Format(time.RFC3339)
	h.must(tenant.UpdateUser{User: 20, Patch: userPatch(t, `{"employeeHireDate":%q}`, soon)})
	h.must(tenant.AssignUser{User: 300, Add: []licensing.Assign{{SKUID: e3}}})
	before := h.Image()
	h.clock.Add(60)
	h.must(tenant.UpdateUser{User: 1, Patch: userPatch(t, `{"department":"Sales"}`)})
	h.must(tenant.UpdateUser{User: 2, Patch: userPatch(t, `{"mobilePhone":"+47 1"}`)})
	h.must(tenant.DeleteUser{User: 4})
	h.must(tenant.AssignUser{User: 301, Add: []licensing.Assign{{SKUID: e3}}})
	h.must(newUser(t, "another"))

	for _, test := range []struct {
		rule string
		want []uint32
	}{
		{`user.department -eq "Sales"`, []uint32{1, 4, 600}},
		{`user.mobile -match "^\+47" -or user.department -eq null`, []uint32{1, 2, 4, 600}},
		{`user.objectId -ne null`, []uint32{4, 600}},
		{`user.employeeHireDate -ge system.now`, []uint32{4, 20, 600}},
		{`user.employeeHireDate -ge "2026-11-26T12:00:00Z"`, []uint32{4, 600}},
		{lacking(somePlans(h, e3)[0]), []uint32{4, 301, 600}},
	} {
		rule, err := membership.Parse(test.rule)
		if err != nil {
			t.Fatal(err)
		}
		users, some, err := tenant.Since(t.Context(), before, h.Image(), rule)
		if err != nil || !some || !slices.Equal(users, test.want) {
			t.Errorf("%s is evaluated again for %v (%t, %v), want %v", test.rule, users, some, err, test.want)
		}
	}
	h.reopen()
	rule, _ := membership.Parse(lacking(somePlans(h, e3)[0]))
	if users, some, err := tenant.Since(t.Context(), before, h.Image(), rule); err != nil || some && len(users) < 3 {
		t.Errorf("after a restart, %v are evaluated again (%v)", users, err)
	}
}
