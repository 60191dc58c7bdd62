package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// completions returns what a shell gets for the end of a command line.
func completions(t *testing.T, args ...string) []string {
	t.Helper()
	code, stdout, stderr := call(t, rootCommand(), append([]string{"__complete"}, args...)...)
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	if code != exitDone || len(lines) == 0 || !strings.HasPrefix(lines[len(lines)-1], ":") {
		t.Fatalf("%v: exit code %d, %s%s", args, code, stdout, stderr)
	}
	if rest := strings.ReplaceAll(stderr, "Completion ended with directive: ShellCompDirectiveNoFileComp\n", ""); rest != "" {
		t.Errorf("%v: complains %s", args, rest)
	}
	return lines[:len(lines)-1]
}

func TestNamesAreCompleted(t *testing.T) {
	t.Parallel()
	_, args := crowded(t, 3)
	for _, test := range []struct {
		before []string
		prefix string
		want   []string
	}{
		{[]string{"explain"}, "user", []string{"user1@contoso.example\tUser 1", "user2@contoso.example\tUser 2", "user3@contoso.example\tUser 3"}},
		{[]string{"explain"}, "USER2", []string{"user2@contoso.example\tUser 2"}},
		{[]string{"explain"}, "o'neill", nil},
		{[]string{"explain", "user1@contoso.example"}, "user", nil},
		{[]string{"reprocess", "--user"}, "user3", []string{"user3@contoso.example\tUser 3"}},
		{[]string{"rule", "test", "--group"}, "Sa", []string{"Sales\t" + sales}},
		{[]string{"errors", "--group"}, "", []string{"Sales\t" + sales}},
		{[]string{"errors", "--sku"}, "enter", []string{"ENTERPRISEPACK\tOffice 365 E3"}},
		{[]string{"errors", "--sku"}, "x", nil},
		{[]string{"swap", "--from"}, "ENTER", []string{"ENTERPRISEPACK\tOffice 365 E3"}},
		{[]string{"drift", "--kind"}, "emp", []string{"covered", "duplicate", "disabledAccount", "emptyGroup", "stuck", "noLocation", "inactive", "unassigned"}},
		{[]string{"costs", "--by"}, "", []string{"department", "companyName", "country", "usageLocation", "group"}},
	} {
		// The flags of the connection come first, as they must for a shell to use them.
		line := slices.Concat(test.before[:1:1], args, test.before[1:], []string{test.prefix})
		if test.before[0] == "rule" {
			line = slices.Concat(test.before[:2:2], args, test.before[2:], []string{test.prefix})
		}
		if got := completions(t, line...); !slices.Equal(got, test.want) {
			t.Errorf("%v %q is completed by %q, not %q", test.before, test.prefix, got, test.want)
		}
	}
}

func TestNothingIsCompletedWithoutAServer(t *testing.T) {
	t.Parallel()
	slow, args := newServer(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/v1.0/users") {
			<-r.Context().Done()
		}
		return false
	})
	began := time.Now()
	for name, args := range map[string][]string{
		"a database":     {"--data", newDatabase(t)},
		"nothing there":  {"--server", "http://127.0.0.1:1", "--tenant", "x", "--client-id", "x", "--client-secret", "x"},
		"a wrong secret": {"--server", slow.Graph, "--tenant", "contoso.example", "--client-id", "x", "--client-secret", "x"},
		"a slow server":  args,
	} {
		if got := completions(t, slices.Concat([]string{"explain"}, args, []string{""})...); len(got) > 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("the shell waits %s", took)
	}
}

func TestShellsHaveCompletions(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		code, stdout, stderr := call(t, rootCommand(), "completion", shell)
		if code != exitDone || !strings.Contains(stdout, "__complete") {
			t.Errorf("%s: exit code %d, %.200s %s", shell, code, stdout, stderr)
		}
	}
}
