package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"licensor/internal/directory"
	"licensor/internal/tenant"
)

// TestD5DynamicGroupsAreBounded covers the maximum numbers of dynamic groups of a tenant.
func TestD5DynamicGroupsAreBounded(t *testing.T) {
	t.Parallel()
	h := newHouseInMemory(t, 1<<30)
	source := h.must(newGroup(t, "source"))
	group := func(n int, rule string) tenant.ImportRow {
		patch, err := directory.ParseGroupImport(members(t, fmt.Sprintf(`{"displayName":"g","mailEnabled":false,"mailNickname":"g%d",`+
			`"securityEnabled":true,"groupTypes":["DynamicMembership"],"membershipRule":%q}`, n, rule)))
		if err != nil {
			t.Fatal(err)
		}
		return tenant.ImportRow{Line: int64(n), Group: &tenant.ImportGroup{Patch: patch}}
	}
	var rows []tenant.ImportRow
	for i := range 15_000 {
		rule := "user.city -eq null"
		if i < 500 {
			rule = fmt.Sprintf("user.memberOf -any (group.objectId -in ['%s'])", source.ID)
		}
		rows = append(rows, group(i+1, rule))
	}
	if done := h.must(tenant.Import{Rows: rows}); len(done.Rows) > 0 {
		t.Fatalf("of 15000 groups, %d are refused: %v", len(done.Rows), done.Rows[0].Problem)
	}
	_, err := h.do(dynamicGroup(t, "one more", "user.city -eq null"))
	if err == nil || err.Error() != "Dynamic group policies max allowed groups count reached" {
		t.Errorf("the 15001st dynamic group: %v", err)
	}
	h.must(tenant.DeleteGroup{Group: source.Ordinal + 15_000})
	_, err = h.do(dynamicGroup(t, "of a group", fmt.Sprintf("user.memberOf -any (group.objectId -in ['%s'])", source.ID)))
	if err == nil || !strings.Contains(err.Error(), "at most 500 groups with a memberOf rule") {
		t.Errorf("the 501st memberOf rule: %v", err)
	}
	h.must(dynamicGroup(t, "in place of another", "user.city -eq null"))
}

func dynamicGroup(tb testing.TB, name, rule string) tenant.CreateGroup {
	tb.Helper()
	patch, err := directory.ParseGroupPatch(members(tb, fmt.Sprintf(`{"displayName":%q,"mailEnabled":false,"mailNickname":"dynamic",`+
		`"securityEnabled":true,"groupTypes":["DynamicMembership"],"membershipRule":%q}`, name, rule)))
	if err != nil {
		tb.Fatal(err)
	}
	return tenant.CreateGroup{Patch: patch}
}
