package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// withdrawal is a change set that takes a license from all members of a group.
const withdrawal = `{"requests":[{"id":"1","method":"POST","url":"/groups/` + sales + `/assignLicense",` +
	`"body":{"addLicenses":[],"removeLicenses":["` + e3 + `"]}}]}`

func TestChangesAreTriedAndApplied(t *testing.T) {
	t.Parallel()
	c, args := crowded(t, 3)
	file := newFile(t, "changes.json", withdrawal)
	code, stdout, stderr := call(t, rootCommand(), append([]string{"preview", file}, args...)...)
	if code != exitDone {
		t.Fatalf("preview: exit code %d, %s", code, stderr)
	}
	for _, want := range []string{
		"Users: 0 gain, 1 lose, 0 fail, 2 are cleared of errors, 0 change plans.", "ENTERPRISEPACK      1  1 → 0", "user1@contoso.example  ENTERPRISEPACK  lose",
		"user3@contoso.example  ENTERPRISEPACK  clear", "licensor apply ",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in %s", want, stdout)
		}
	}
	_, id, _ := strings.Cut(stdout, "licensor apply ")

	code, stdout, _ = call(t, rootCommand(), append([]string{"preview", file, "--csv", "--filter", "outcome eq 'lose'"}, args...)...)
	if want := "userPrincipalName,product,outcome,from,state,reason,remedies\nuser1@contoso.example,ENTERPRISEPACK,lose,,,,\n"; code != exitDone || stdout != want {
		t.Errorf("exit code %d, %s", code, stdout)
	}

	code, stdout, stderr = call(t, rootCommand(), append([]string{"check", file}, args...)...)
	if code != exitDamaged || stdout != "KIND  FINDING\nlose  1 users would lose ENTERPRISEPACK\n" || !strings.Contains(stderr, "1 findings") {
		t.Errorf("check: exit code %d, %s, %s", code, stdout, stderr)
	}
	code, stdout, _ = call(t, rootCommand(), append([]string{"check", file, "--fail-on", "fail,short"}, args...)...)
	if code != exitDone || !strings.HasPrefix(stdout, "Nothing is wrong") {
		t.Errorf("check: exit code %d, %s", code, stdout)
	}

	code, _, stderr = call(t, rootCommand(), append([]string{"apply", strings.TrimSpace(id)}, args...)...)
	if code != exitUsage || !strings.Contains(stderr, "add --yes") {
		t.Errorf("apply without a confirmation: exit code %d, %s", code, stderr)
	}
	code, stdout, stderr = call(t, rootCommand(), append([]string{"apply", "--yes", strings.TrimSpace(id)}, args...)...)
	if code != exitDone || !strings.Contains(stdout, "\nDone: commit ") {
		t.Errorf("apply: exit code %d, %s, %s", code, stdout, stderr)
	}
	var user struct{ AssignedLicenses []any }
	if err := c.get(t.Context(), "/v1.0/users/user1@contoso.example?$select=assignedLicenses", &user); err != nil || len(user.AssignedLicenses) > 0 {
		t.Errorf("the license is still there: %v, %v", user, err)
	}
	code, stdout, _ = call(t, rootCommand(), append([]string{"apply", "--yes", "--json", file}, args...)...)
	var again struct{ Changed bool }
	if err := json.Unmarshal([]byte(stdout), &again); code == exitDone && (err != nil || again.Changed) {
		t.Errorf("applied again: exit code %d, %s", code, stdout)
	}
}

func TestAChangeSetThatCannotBeRead(t *testing.T) {
	t.Parallel()
	_, args := crowded(t, 1)
	failing := newFile(t, "failing.json", `{"requests":[{"id":"x","method":"DELETE","url":"/users/nobody@contoso.example"}]}`)
	for name, one := range map[string]struct {
		args []string
		code int
		want string
	}{
		"into a file": {
			[]string{"apply", "-o", filepath.Join(t.TempDir(), "result.txt"), newFile(t, "none.json", `{"requests":[{"id":"1","method":"POST","url":"/reprocess","body":{"all":true}}]}`)},
			exitUsage, "add --yes",
		},
		"no file":         {[]string{"preview", "none.json"}, exitFailed, "read the change set: open none.json"},
		"no JSON":         {[]string{"check", newFile(t, "text.json", "text")}, exitFailed, "is not a change set"},
		"refused":         {[]string{"preview", newFile(t, "get.json", `{"requests":[{"id":"1","method":"GET","url":"/users"}]}`)}, exitFailed, "the method of a change is one of"},
		"a failing one":   {[]string{"apply", "--yes", failing}, exitFailed, "1 requests would fail, so nothing is changed"},
		"checked":         {[]string{"check", failing}, exitDamaged, "1 findings"},
		"a wrong limit":   {[]string{"preview", failing, "--limit", "-1"}, exitUsage, "--limit is -1"},
		"no such preview": {[]string{"apply", "--yes", "c0000000-0000-4000-8000-00000000000f"}, exitFailed, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := call(t, rootCommand(), append(one.args, args...)...)
			if code != one.code || !strings.Contains(stderr, one.want) {
				t.Errorf("exit code %d, %s", code, stderr)
			}
		})
	}
}
