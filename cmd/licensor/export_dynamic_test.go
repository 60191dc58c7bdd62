package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"licensor/internal/importing"
)

// newDynamicContent is a database with dynamic groups: followed, paused with members of before,
// about another group, and nested.
func newDynamicContent(t *testing.T) string {
	t.Helper()
	group := func(id, name, rule string) string {
		return fmt.Sprintf(`{"group":{"id":%q,"displayName":%[2]q,"mailNickname":%[2]q,"mailEnabled":false,"securityEnabled":true,`+
			`"groupTypes":["DynamicMembership"],"membershipRule":%[3]q,"membershipRuleProcessingState":"On"}}`, id, name, rule) + "\n"
	}
	const follower, paused = "b0000000-0000-4000-8000-000000000003", "b0000000-0000-4000-8000-000000000004"
	var lines strings.Builder
	for n := range 5 {
		fmt.Fprintf(&lines, `{"user":{"userPrincipalName":"user%[1]d@contoso.example","displayName":"User %[1]d","mailNickname":"user%[1]d",`+
			`"accountEnabled":true,"usageLocation":"DE","department":"Sales"}}`+"\n", n)
	}
	lines.WriteString(group(sales, "sales", `user.department -eq "Sales"`))
	lines.WriteString(group(follower, "follower", `user.memberof -any (group.objectId -in ['`+sales+`'])`))
	lines.WriteString(group(paused, "paused", `user.department -eq "Sales"`))
	lines.WriteString(`{"group":{"id":"` + marketing + `","displayName":"All","mailNickname":"all","mailEnabled":false,"securityEnabled":true}}` + "\n" +
		`{"member":{"group":"` + marketing + `","member":"` + sales + `"}}` + "\n" +
		`{"subscription":{"skuId":"` + e3 + `","totalLicenses":5}}` + "\n" +
		`{"license":{"group":"` + sales + `","skuId":"` + e3 + `"}}` + "\n")
	data := newDatabase(t)
	summary(t, exitDone, "--data", data, newFile(t, "all.jsonl", lines.String()))
	with(t, data, func(c *connection) {
		for path, body := range map[string]string{
			"/v1.0/groups/" + paused: `{"membershipRuleProcessingState":"Paused","membershipRule":"user.department -eq \"Marketing\""}`,
			"/licensor/v1/settings":  `{"memberOfRules":"frozen"}`,
		} {
			if err := c.do(t.Context(), "PATCH", path, "application/json", []byte(body), nil); err != nil {
				t.Fatal(err)
			}
		}
	})
	return data
}

// newSetup is an empty database for the import of an export.
func newSetup(t *testing.T) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "licensor.db")
	if code, _, stderr := call(t, rootCommand(), "init", "--data", data, "--domain", "contoso.example", "--country", "DE",
		"--admin", "setup"); code != exitDone {
		t.Fatal(stderr)
	}
	return data
}

// TestDynamicGroupsAreImportedAsTheyAre: their members are those of the export, and keep their
// licenses when these are evaluated again.
func TestDynamicGroupsAreImportedAsTheyAre(t *testing.T) {
	t.Parallel()
	first := exported(t, newDynamicContent(t))
	if members := strings.Count(read(t, filepath.Join(first, "memberships.jsonl")), "\n"); members != 16 {
		t.Fatalf("there are %d memberships", members)
	}
	again := newSetup(t)
	files, err := filepath.Glob(filepath.Join(first, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	summary(t, exitDone, append([]string{"--data", again, "--exact"}, files...)...)
	if code, _, stderr := call(t, rootCommand(), "reprocess", "--all", "--data", again); code != exitDone {
		t.Fatal(stderr)
	}
	second := exported(t, again)
	for _, name := range files {
		was, now := read(t, name), read(t, filepath.Join(second, filepath.Base(name)))
		if filepath.Base(name) == "users.jsonl" {
			_, now, _ = strings.Cut(now, "\n") // the administrator
		}
		if was != now {
			t.Errorf("%s was\n%s\nand is\n%s", filepath.Base(name), was, now)
		}
	}
	if code, stdout, stderr := call(t, rootCommand(), "verify", "--deep", "--data", again); code != exitDone {
		t.Errorf("code %d, %s%s", code, stdout, stderr)
	}
}

// TestMembersThatFollowFromARuleAreNotRefused: without --exact, members of dynamic groups follow
// from the rules, and only rows that say otherwise are refused.
func TestMembersThatFollowFromARuleAreNotRefused(t *testing.T) {
	t.Parallel()
	folder := exported(t, newDynamicContent(t), "--format", "jsonl", "--table", "users", "--table", "groups", "--table", "memberships")
	contradicts := `{"member":{"group":"` + sales + `","member":"ann@contoso.example"}}` + "\n" +
		`{"member":{"group":"` + sales + `","member":"` + marketing + `"}}` + "\n" +
		`{"member":{"group":"` + sales + `","member":"gone@contoso.example"}}` + "\n"
	members := newFile(t, "memberships.jsonl", read(t, filepath.Join(folder, "memberships.jsonl"))+contradicts)
	users := newFile(t, "users.jsonl", read(t, filepath.Join(folder, "users.jsonl"))+
		`{"user":{"userPrincipalName":"ann@contoso.example","displayName":"Ann","mailNickname":"ann","accountEnabled":true}}`+"\n")
	var got importing.Result
	for _, r := range summary(t, exitPartial, "--data", newSetup(t), users, filepath.Join(folder, "groups.jsonl"), members) {
		if r.Refused > 0 {
			got = r
		}
	}
	if got.Kind != importing.KindMembers || got.Imported != 16 || got.Refused != 3 {
		t.Fatalf("%+v", got)
	}
	for i, want := range []string{"follow from its rule", "follow from its rule", "does not exist"} {
		if p := got.Problems[i]; p.Line != 17+i || !strings.Contains(p.Message, want) {
			t.Errorf("line %d: %s", p.Line, p.Message)
		}
	}
	if got.Rows != 19 {
		t.Errorf("%+v", got)
	}
}
