package main

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"licensor/internal/server"
)

// What was, and what has changed, is printed of a server and of a file.
func TestCommandsAboutThePast(t *testing.T) {
	t.Parallel()
	data := newContent(t)
	time.Sleep(1100 * time.Millisecond) // times have seconds
	then := time.Now().UTC().Format(time.RFC3339)
	time.Sleep(1100 * time.Millisecond)
	with(t, data, func(c *connection) {
		if err := c.do(t.Context(), http.MethodDelete, "/v1.0/users/"+ann, "", nil, nil); err != nil {
			t.Fatal(err)
		}
	})
	copied, err := os.ReadFile(data)
	if err != nil {
		t.Fatal(err)
	}
	_, args := newServerWith(t, server.Options{Data: newFile(t, "licensor.db", string(copied))}, nil)
	for name, where := range map[string][]string{"a server": args, "a file": {"--data", data}} {
		for _, test := range []struct {
			args []string
			want string
		}{
			{[]string{"errors"}, "There are no license errors."},
			{[]string{"errors", "--at", then}, "ben@contoso.example  ENTERPRISEPACK  Sales  CountViolation"},
			{[]string{"errors", "--at", then, "--summary"}, "1 users with license errors"},
			{[]string{"explain", "ben@contoso.example", "--at", then}, "CountViolation"},
			{[]string{"products", "--at", then, "--csv"}, "ENTERPRISEPACK,Office 365 E3,1,1,0,1,1,"},
			{[]string{"costs", "--at", then, "--by", "group"}, "21.90"},
			{[]string{"costs", "history", "--from", then, "--step", "PT1M", "--csv"}, "\n" + then + ",EUR,21.90,21.90,0.00,0.00,0.00,21.90\n"},
			{[]string{"diff", "--from", then}, "ann@contoso.example  ENTERPRISEPACK  lose"},
			{[]string{"diff", "--from", then}, "21.90       21.90 → 0.00  EUR"},
			{[]string{"diff", "--from", then}, "Users: 1 gain, 1 lose, 0 fail, 1 are cleared of errors, 0 change plans."},
			{[]string{"diff", "--from", then, "--filter", "outcome eq 'lose'", "--csv"}, "reason,remedies\nann@contoso.example,ENTERPRISEPACK,lose,,,,\n"},
			{[]string{"diff", "--from", then, "--to", then}, "No user gains, loses or fails to get a license."},
		} {
			code, stdout, stderr := call(t, rootCommand(), slices.Concat(test.args, where)...)
			if code != exitDone || !strings.Contains(stdout, test.want) {
				t.Errorf("%s: %v: exit code %d, %s%s without %q", name, test.args, code, stdout, stderr, test.want)
			}
		}
		asked := slices.Concat([]string{"diff", "--from", then, "--json", "--limit", "1"}, where)
		code, stdout, stderr := call(t, rootCommand(), asked...)
		var got struct {
			FromDateTime string
			Users        outcomes
			Value        []previewedUser
			More         bool
		}
		err := json.Unmarshal([]byte(stdout), &got)
		right := got.FromDateTime == then && got.Users.Lose == 1 && len(got.Value) == 1 && got.More
		if err != nil || code != exitDone || !right {
			t.Errorf("%s: exit code %d, %s%s, %v", name, code, stdout, stderr, err)
		}
	}
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"errors", "--at", "2020-01-01"}, exitFailed, "410"},
		{[]string{"products", "--at", "soon"}, exitUsage, "--at is"},
		{[]string{"explain", "ben@contoso.example", "--at", "soon"}, exitUsage, "--at is"},
		{[]string{"costs", "--at", "soon"}, exitUsage, "--at is"},
		{[]string{"costs", "history", "--from", "soon"}, exitUsage, "--from is"},
		{[]string{"diff", "--from", "1d", "--to", "soon"}, exitUsage, "--to is"},
		{[]string{"diff"}, exitUsage, `required flag(s) "from" not set`},
		{[]string{"costs", "history", "--step", "P"}, exitFailed, "400"},
	} {
		code, stdout, stderr := call(t, rootCommand(), append(test.args, "--data", data)...)
		if code != test.code || !strings.Contains(stderr, test.want) {
			t.Errorf("%v: exit code %d, %s%s; want %d, %q", test.args, code, stdout, stderr, test.code, test.want)
		}
	}
}
