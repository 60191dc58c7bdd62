package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	staticGroup = "b0000000-0000-4000-8000-000000000002"
	salesRule   = `user.department -eq "Sales" -or user.jobTitle -eq "Boss"`
)

// trialPlaces prepares the same users and groups in a file and on a server, and returns the
// arguments for each. The dynamic group is paused from the beginning, so it has no members.
func trialPlaces(t *testing.T) map[string][]string {
	t.Helper()
	data := newDatabase(t)
	with(t, data, func(c *connection) { fillForTrials(t, c) })
	login, args := newServer(t, nil)
	c, err := openRemote(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	fillForTrials(t, c)
	return map[string][]string{"file": {"--data", data}, "server": args}
}

func fillForTrials(t *testing.T, c *connection) {
	t.Helper()
	var rows strings.Builder
	fmt.Fprintf(&rows, `{"subscription":{"skuId":%q,"totalLicenses":2}}`+"\n", e3)
	for i, department := range []string{"Sales", "Sales", "Sales", "Marketing"} {
		fmt.Fprintf(&rows, `{"user":{"id":"%s%d","displayName":"User\t%[2]d","userPrincipalName":"o'user%[2]d@contoso.example","mailNickname":"user%[2]d",`+
			`"accountEnabled":true,"usageLocation":"DE","department":%[3]q}}`+"\n", "a0000000-0000-4000-8000-00000000000", i, department)
	}
	fmt.Fprintf(&rows, `{"group":{"id":%q,"displayName":"Sales","mailNickname":"sales","mailEnabled":false,"securityEnabled":true,`+
		`"groupTypes":["DynamicMembership"],"membershipRule":%q,"membershipRuleProcessingState":"Paused"}}`+"\n", sales, salesRule)
	fmt.Fprintf(&rows, `{"group":{"id":%q,"displayName":"It's static","mailNickname":"static","mailEnabled":false,"securityEnabled":true}}`+"\n", staticGroup)
	for i := range 2 {
		fmt.Fprintf(&rows, `{"group":{"displayName":"Twins","mailNickname":"twin%d","mailEnabled":false,"securityEnabled":true}}`+"\n", i)
	}
	fmt.Fprintf(&rows, `{"member":{"group":%q,"member":"o'user3@contoso.example"}}`+"\n", staticGroup)
	var answer struct {
		Refused  int
		Problems []any
	}
	err := c.do(t.Context(), http.MethodPost, "/licensor/v1/import", "application/x-ndjson", []byte(rows.String()), &answer)
	if err != nil || answer.Refused != 0 {
		t.Fatalf("%v, %d rows were refused: %v", err, answer.Refused, answer.Problems)
	}
	give := `{"addLicenses":[{"skuId":"` + e3 + `","disabledPlans":[]}],"removeLicenses":[]}`
	if err := c.do(t.Context(), http.MethodPost, "/v1.0/groups/"+staticGroup+"/assignLicense", "application/json", []byte(give), nil); err != nil {
		t.Fatal(err)
	}
}

func TestRuleTest(t *testing.T) {
	t.Parallel()
	for place, where := range trialPlaces(t) {
		for _, test := range []struct {
			name string
			args []string
			want string
		}{
			{"the rule of a group", []string{"--group", "sales"}, `Group Sales (` + sales + `), which is paused: its members do not follow its rule
3 users would join, 0 would leave. There would be 3 members.

OUTCOME  USER                     NAME    ID
join     o'user0@contoso.example  User 0  a0000000-0000-4000-8000-000000000000
join     o'user1@contoso.example  User 1  a0000000-0000-4000-8000-000000000001
join     o'user2@contoso.example  User 2  a0000000-0000-4000-8000-000000000002
`},
			{"a rule for a group", []string{"--group", "It's static", "--rule", `user.department -eq "Sales"`, "--limit", "2"}, `Group It's static (` + staticGroup + `)
3 users would join, 1 would leave. There would be 3 members.

LICENSE         SEATS  IN USE NOW  IN USE THEN
ENTERPRISEPACK      2           1            1
Licenses that members would lack because of CountViolation: 2

OUTCOME  USER                     NAME    ID
leave    o'user3@contoso.example  User 3  a0000000-0000-4000-8000-000000000003
join     o'user0@contoso.example  User 0  a0000000-0000-4000-8000-000000000000

There are 2 more; --limit 0 prints all.
`},
			{"a rule", []string{"--rule", `user.department -eq "None"`}, "0 users would join, 0 would leave. There would be 0 members.\n"},
			{"one user", []string{"--group", sales, "--user", "o'user1@contoso.example"}, `Group Sales (` + sales + `), which is paused: its members do not follow its rule
o'user1@contoso.example (a0000000-0000-4000-8000-000000000001) fulfills the rule.

RESULT  PART OF THE RULE                                          VALUE OF THE USER
true    user.department -eq "Sales" -or user.jobTitle -eq "Boss"  -
true      user.department -eq "Sales"                             department is "Sales"
false     user.jobTitle -eq "Boss"                                jobTitle is null
`},
			{
				"one user and a rule",
				[]string{"--group", staticGroup, "--rule", "-not\nuser.department -eq \"Sales\"", "--user", "a0000000-0000-4000-8000-000000000001"},
				`Group It's static (` + staticGroup + `)
o'user1@contoso.example (a0000000-0000-4000-8000-000000000001) does not fulfill the rule.

RESULT  PART OF THE RULE                  VALUE OF THE USER
false   -not user.department -eq "Sales"  -
true      user.department -eq "Sales"     department is "Sales"
`,
			},
		} {
			code, stdout, stderr := call(t, rootCommand(), slices.Concat([]string{"rule", "test"}, where, test.args)...)
			if code != exitDone || stdout != test.want {
				t.Errorf("%s, %s: exit code %d, %s\n%s\nnot\n%s", place, test.name, code, stderr, stdout, test.want)
			}
		}
	}
}

func TestRuleTestRefuses(t *testing.T) {
	t.Parallel()
	for place, where := range trialPlaces(t) {
		for _, test := range []struct {
			args []string
			code int
			want string
		}{
			{nil, exitUsage, "at least one of the flags"},
			{[]string{"--rule", ""}, exitUsage, "--rule is empty"},
			{[]string{"--group", sales, "--user", ""}, exitUsage, "--user is empty"},
			{[]string{"--group", sales, "--limit", "-1"}, exitUsage, "--limit is -1"},
			{[]string{"--group", sales, "--limit", "1", "--user", "x"}, exitUsage, "none of the others can be"},
			{[]string{"--group", staticGroup}, exitFailed, `group "It's static" has no rule`},
			{[]string{"--group", "Nothing"}, exitFailed, `there is no group with the displayName "Nothing"`},
			{[]string{"--group", ann}, exitFailed, "there is no group with the id " + ann},
			{[]string{"--group", "Twins"}, exitFailed, `several groups have the displayName "Twins"; give the id of one of them: `},
			{[]string{"--group", sales, "--user", "delta"}, exitFailed, `there is no user "delta"`},
			{[]string{"--rule", "user.city -ne null", "--user", "x@contoso.example"}, exitFailed, `there is no user "x@contoso.example"`},
			{[]string{"--rule", "user.city -eq \"Oslo\" -or\n user.city -eq"}, exitDamaged, "--rule:2:15: Dynamic membership rule validation error: " +
				"Query compilation error. The rule ends where a value is expected, at character 40.\n     user.city -eq\n                  ^\n"},
			{[]string{"--rule", "user.city", "--user", "o'user1@contoso.example"}, exitDamaged, "--rule:1:10: "},
			{[]string{"--rule", `device.deviceId -eq "x"`}, exitDamaged, "--rule:1:1: Rules about devices are not served."},
			{[]string{"--rule", "Direct Reports for '" + staticGroup + "'"}, exitFailed, "there is no user '" + staticGroup + "'"},
		} {
			code, stdout, stderr := call(t, rootCommand(), slices.Concat([]string{"rule", "test"}, where, test.args)...)
			if code != test.code || stdout != "" || !strings.Contains(stderr, test.want) {
				t.Errorf("%s, %v: exit code %d, %s%s; want %d, %q", place, test.args, code, stdout, stderr, test.code, test.want)
			}
		}
	}
}

// TestRuleTestFollowsThePages tests a rule for more users than a page has, also while the tenant
// changes between the pages.
func TestRuleTestFollowsThePages(t *testing.T) {
	t.Parallel()
	const n = 1200
	var change func()
	login, where := newServer(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if change != nil && strings.Contains(r.URL.RawQuery, "skiptoken") {
			change()
		}
		return false
	})
	people := "userPrincipalName,displayName,mailNickname,accountEnabled,city\n"
	for i := range n {
		people += fmt.Sprintf("user%d@contoso.example,User %[1]d,user%[1]d,true,Oslo\n", i)
	}
	summary(t, exitDone, append(slices.Clone(where), newFile(t, "users.csv", people))...)
	args := slices.Concat([]string{"rule", "test", "--json", "--rule", `user.city -eq "Oslo"`}, where)
	for limit, want := range map[string]int{"0": n, "1100": 1100, "999": 999, "3": 3} {
		code, stdout, stderr := call(t, rootCommand(), append(slices.Clone(args), "--limit", limit)...)
		var got rulePreview
		if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != exitDone {
			t.Fatalf("exit code %d, %v, %s", code, err, stderr)
		}
		if got.Joining != n || len(got.Value) != want || got.More != n-want || got.Value[want-1].Outcome != "join" {
			t.Errorf("limit %s: %d join, %d of them shown, %d more", limit, got.Joining, len(got.Value), got.More)
		}
	}
	c, err := openRemote(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	change = func() {
		if err := c.do(t.Context(), http.MethodDelete, "/v1.0/users/user7@contoso.example", "", nil, nil); err != nil {
			t.Error(err)
		}
	}
	code, _, stderr := call(t, rootCommand(), append(args, "--limit", "0")...)
	if code != exitFailed || !strings.Contains(stderr, "the tenant was changed while its users were read") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestRuleTestOfAUserAsJSON(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	with(t, data, func(c *connection) { fillForTrials(t, c) })
	code, stdout, stderr := call(t, rootCommand(), "rule", "test", "--data", data, "--json", "--group", sales, "--user", "o'user3@contoso.example")
	var got ruleEvaluation
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != exitDone {
		t.Fatalf("exit code %d, %v, %s", code, err, stderr)
	}
	if got.Result || got.User.DisplayName != "User\t3" || got.Group.ID != sales || got.MembershipRule != salesRule ||
		len(got.Details.Parts) != 2 || *got.Details.Parts[0].Property.Value != "Marketing" {
		t.Errorf("the result is %s", stdout)
	}
}

func TestRuleTestWithoutADatabase(t *testing.T) {
	t.Parallel()
	code, _, stderr := call(t, rootCommand(), "rule", "test", "--group", sales, "--data", filepath.Join(t.TempDir(), "missing.db"))
	if code != exitFailed || !strings.Contains(stderr, "missing.db") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}
