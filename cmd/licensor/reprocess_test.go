package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// crowded makes members of a group with a license that there is one seat of, so that all but the
// first are in error. The arguments say where they are.
func crowded(t *testing.T, n int) (c *connection, args []string) {
	t.Helper()
	login, args := newServer(t, nil)
	people, in := "userPrincipalName,displayName,mailNickname,accountEnabled\n", "group,member\n"
	for i := 1; i <= n; i++ {
		people += fmt.Sprintf("user%d@contoso.example,User %d,user%d,true\n", i, i, i)
		in += fmt.Sprintf("%s,user%d@contoso.example\n", sales, i)
	}
	summary(t, exitDone, append(args,
		newFile(t, "users.csv", people), newFile(t, "groups.csv", groupsCSV), newFile(t, "members.csv", in),
		newFile(t, "subscriptions.csv", "skuId,totalLicenses\n"+e3+",1\n"))...)
	c, err := openRemote(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.close() })
	body := `{"addLicenses":[{"skuId":"` + e3 + `","disabledPlans":[]}],"removeLicenses":[]}`
	if err := c.do(t.Context(), "POST", "/v1.0/groups/"+sales+"/assignLicense", "application/json", []byte(body), nil); err != nil {
		t.Fatal(err)
	}
	return c, args
}

func TestReprocessTellsReasons(t *testing.T) {
	t.Parallel()
	_, args := crowded(t, 4)
	code, stdout, stderr := call(t, rootCommand(), append([]string{"reprocess", "--all", "--limit", "2"}, args...)...)
	if code != exitDone {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	for _, want := range []string{
		"5 users processed: 0 fixed, 0 with new errors.", "3 CountViolation", "user2@contoso.example  ENTERPRISEPACK  Sales  CountViolation  20", "Z  No seat of",
		"→ Free or buy", "There are more; --limit 0 prints all.",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in %s", want, stdout)
		}
	}
	if strings.Contains(stdout, "user4@") {
		t.Errorf("more than 2 users: %s", stdout)
	}
}

func TestReprocessFollowsThePages(t *testing.T) {
	t.Parallel()
	const n = 250
	_, args := crowded(t, n)
	for limit, want := range map[string]int{"0": n - 1, "150": 150, "3": 3} {
		code, stdout, stderr := call(t, rootCommand(), append([]string{"reprocess", "--in-error", "--json", "--limit", limit}, args...)...)
		var got struct {
			reprocessed
			More bool
		}
		if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != exitDone {
			t.Fatalf("exit code %d, %v, %s", code, err, stderr)
		}
		if got.Processed != n-1 || len(got.Value) != want || got.More != (want < n-1) || got.StillInError["CountViolation"] != n-1 {
			t.Errorf("limit %s: processed %d, %d reasons, more %v, %v", limit, got.Processed, len(got.Value), got.More, got.StillInError)
		}
	}
}

func TestReprocessPutsRight(t *testing.T) {
	t.Parallel()
	c, args := crowded(t, 2)
	one := append([]string{"reprocess", "--fail-on-errors", "--user", "user2@contoso.example"}, args...)
	if code, _, stderr := call(t, rootCommand(), one...); code != exitPartial || !strings.Contains(stderr, "license errors remain") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if err := c.do(t.Context(), "DELETE", "/v1.0/users/user1@contoso.example", "", nil, nil); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := call(t, rootCommand(), one...)
	if code != exitDone || stdout != "1 users processed: 1 fixed, 0 with new errors.\nThere are no license errors.\n" {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
	code, stdout, _ = call(t, rootCommand(), append([]string{"reprocess", "--group", sales}, args...)...)
	if code != exitDone || !strings.HasPrefix(stdout, "1 users processed: 0 fixed") {
		t.Errorf("exit code %d, %s", code, stdout)
	}
}

func TestReprocessNeedsToKnowWhom(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{nil, exitUsage, "at least one of the flags"},
		{[]string{"--all", "--in-error"}, exitUsage, "none of the others can be"},
		{[]string{"--all", "--limit", "-1"}, exitUsage, "--limit is -1"},
		{[]string{"--user", "nobody@contoso.example"}, exitFailed, "nobody@contoso.example"},
	} {
		code, _, stderr := call(t, rootCommand(), append([]string{"reprocess", "--data", data}, test.args...)...)
		if code != test.code || !strings.Contains(stderr, test.want) {
			t.Errorf("%v: exit code %d, %s; want %d, %q", test.args, code, stderr, test.code, test.want)
		}
	}
}
