package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestACommitIsUndone(t *testing.T) {
	t.Parallel()
	c, args := crowded(t, 3)
	code, stdout, stderr := call(t, rootCommand(), append([]string{"apply", "--yes", "--json", newFile(t, "changes.json", withdrawal)}, args...)...)
	var applied struct{ Commit int }
	if err := json.Unmarshal([]byte(stdout), &applied); code != exitDone || err != nil {
		t.Fatalf("apply: exit code %d, %s, %s", code, stdout, stderr)
	}
	undo := []string{"undo", fmt.Sprint(applied.Commit)}
	code, stdout, stderr = call(t, rootCommand(), append(undo, args...)...)
	if code != exitUsage || !strings.Contains(stderr, "add --yes") || !strings.Contains(stdout, "Users: 1 gain, 0 lose, 2 fail") {
		t.Errorf("undo without a confirmation: exit code %d, %s, %s", code, stdout, stderr)
	}
	code, stdout, stderr = call(t, rootCommand(), append(append(undo, "--yes"), args...)...)
	if code != exitDone || !strings.Contains(stdout, "\nDone: commit ") || strings.Contains(stdout, "stay different") {
		t.Errorf("undo: exit code %d, %s, %s", code, stdout, stderr)
	}
	var user struct{ AssignedLicenses []any }
	if err := c.get(t.Context(), "/v1.0/users/user1@contoso.example?$select=assignedLicenses", &user); err != nil || len(user.AssignedLicenses) != 1 {
		t.Errorf("the license has not come back: %v, %v", user, err)
	}
	code, stdout, _ = call(t, rootCommand(), append(undo, args...)...)
	if code != exitDone || stdout != "Nothing has to be brought back.\n" {
		t.Errorf("undone again: exit code %d, %s", code, stdout)
	}
	code, stdout, _ = call(t, rootCommand(), append([]string{"undo", "1", "--json"}, args...)...)
	var whole struct{ Stays []staying }
	if err := json.Unmarshal([]byte(stdout), &whole); code != exitDone || err != nil || len(whole.Stays) == 0 {
		t.Errorf("as JSON: exit code %d, %s, %v", code, stdout, err)
	}
	code, stdout, _ = call(t, rootCommand(), append([]string{"undo", "1"}, args...)...)
	for _, want := range []string{"These stay different from before the commit:\nOBJECT", "catalog", "Nothing can be brought back.\n"} {
		if code != exitDone || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, %s, without %q", code, stdout, want)
		}
	}
	code, stdout, _ = call(t, rootCommand(), append([]string{"log", fmt.Sprint(applied.Commit)}, args...)...)
	if code != exitDone || !strings.Contains(stdout, ": apply: assignGroupLicense\n") || !strings.Contains(stdout, "user1@contoso.example  ENTERPRISEPACK  lose") {
		t.Errorf("log: exit code %d, %s", code, stdout)
	}
}
