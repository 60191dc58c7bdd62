package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ruleFile writes a rule to a file.
func ruleFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "group.rule")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestRuleCheck(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("(", 40) + `user.city -eq "` + strings.Repeat("x", 90) + `" -or user.city -is "` + strings.Repeat("y", 90) + `"`
	for name, test := range map[string]struct {
		text, want string // FILE is the name of the file
		code       int
	}{
		"valid":         {"user.department -eq \"Sales\"\r\n", "FILE: valid\n", exitDone},
		"byte order":    {"\ufeffuser.department -eq \"Sales\"", "FILE: valid\n", exitDone},
		"several lines": {"user.department -eq\n\n  \"Sales\"\n", "FILE: valid\n", exitDone},
		"wrong value": {
			"user.city -eq \"Öslo\" -or\r\n\tuser.department -eq Sales\n", `FILE:2:22: Dynamic membership rule validation error: ` +
				`Value can't be applied to property. 'department' must be compared with a text in quotation marks or null, not with 'Sales', at character 48.
     user.department -eq Sales
                         ^
`, exitDamaged,
		},
		"an end": {`user.city -eq`, `FILE:1:14: Dynamic membership rule validation error: Query compilation error. ` +
			`The rule ends where a value is expected, at character 14.
    user.city -eq
                 ^
`, exitDamaged},
		"empty": {"\n", `FILE:1:1: Dynamic membership rule validation error: Query compilation error. ` +
			`The rule ends where a property, such as user.department, is expected, at character 1.
    
    ^
`, exitDamaged},
		"devices": {`device.deviceId -eq "x"`, `FILE:1:1: Rules about devices are not served. The rule mentions 'device.deviceId', at character 1.
    device.deviceId -eq "x"
    ^
`, exitDamaged},
		"long": {long, `FILE:1:162: Dynamic membership rule validation error: Query compilation error. ` +
			`Found '-is' where an operator, such as -eq, is expected, at character 162.
    …` + strings.Repeat("x", 44) + `" -or user.city -is "` + strings.Repeat("y", 55) + `…
                                                                 ^
`, exitDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := ruleFile(t, test.text)
			code, stdout, stderr := call(t, rootCommand(), "rule", "check", file)
			if want := strings.ReplaceAll(test.want, "FILE", file); stdout != want || code != test.code {
				t.Errorf("exit code %d, %s%s\nnot\n%s", code, stdout, stderr, want)
			}
		})
	}
}

func TestRuleCheckReadsTheStandardInput(t *testing.T) {
	t.Parallel()
	var out, err output
	code := execute(t.Context(), rootCommand(), []string{"rule", "check", "-"}, strings.NewReader("user.city eq 5"), &out, &err)
	if code != exitDone || out.String() != "-: valid\n" {
		t.Errorf("exit code %d: %s%s", code, out.String(), err.String())
	}
}

func TestRuleCheckOfSeveralAsJSON(t *testing.T) {
	t.Parallel()
	valid, wrong := ruleFile(t, `user.city -eq "x"`), ruleFile(t, "user.city -eq \"x\" -and\ncity -eq \"y\"")
	code, stdout, stderr := call(t, rootCommand(), "rule", "check", "--json", valid, wrong)
	var got struct{ Rules []checkedRule }
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != exitDamaged || len(got.Rules) != 2 {
		t.Fatalf("exit code %d: %v, %s%s", code, err, stdout, stderr)
	}
	one, two := got.Rules[0], got.Rules[1]
	if !one.Valid || one.File != valid || one.Message != "" || one.Line != 0 {
		t.Errorf("the first is %+v", one)
	}
	if two.Valid || two.Code != "InvalidObjectTypeException" || two.Line != 2 || two.Column != 1 ||
		!strings.HasPrefix(two.Message, "No object type") {
		t.Errorf("the second is %+v", two)
	}
	if !strings.Contains(stderr, "1 of 2 rules are not valid") {
		t.Errorf("the error is %s", stderr)
	}
}

func TestRuleCheckWithoutARule(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"requires at least 1 arg": {"rule", "check"},
		"no such file":            {"rule", "check", filepath.Join(t.TempDir(), "missing")},
		"not in UTF-8":            {"rule", "check", ruleFile(t, "user.city -eq \"\xff\"")},
		"more than 1 MB":          {"rule", "check", ruleFile(t, strings.Repeat(" ", maxRuleFile+1))},
	} {
		code, _, stderr := call(t, rootCommand(), args...)
		exit := exitFailed
		if len(args) == 2 {
			exit = exitUsage
		}
		if code != exit || !strings.Contains(stderr, want) {
			t.Errorf("exit code %d: %s, not %s", code, stderr, want)
		}
	}
}
