package devkit

import (
	"testing"
	"time"

	"licensor/internal/clock"
)

func TestFaultsMatchPathsHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, path string
		want          bool
	}{
		{"/users", "/v1.0/users", true},
		{"/users", "/v1.0/users/", true},
		{"/users", "/beta/USERS", true},
		{"/users", "/v1.0/users/x", false},
		{"/v1.0/users", "/v1.0/users", true},
		{"/v1.0/users", "/beta/users", false},
		{"/users/*", "/v1.0/users/x", true},
		{"/users/*", "/v1.0/users('x')", true},
		{"/users/*", "/v1.0/users/a%2Fb", true},
		{"/users/*", "/v1.0/users/x/memberOf", false},
		{"/users/ann@*", "/v1.0/users/Ann@contoso.example", true},
		{"/users/ann@*", "/v1.0/users/bob@contoso.example", false},
		{"/users/**", "/v1.0/users/x/memberOf", true},
		{"/users/**", "/v1.0/users", true},
		{"/users/**", "/v1.0/groups", false},
		{"/**", "/v1.0/groups/x/members/y/$ref", true},
		{"/groups/*/assignLicense", "/v1.0/groups/x/microsoft.graph.assignLicense", true},
		{"/groups/*/microsoft.graph.assignLicense()", "/v1.0/groups/x/assignLicense", true},
		{"/users/*/explain", "/licensor/v1/users/x/explain", false},
		{"/licensor/v1/users/*/explain", "/licensor/v1/users/x/explain", true},
	} {
		var fs faults
		fs.reset(1)
		fs.add(Fault{Path: test.pattern, Status: 500})
		if _, problem := fs.choose("GET", test.path); (problem != nil) != test.want {
			t.Errorf("%s matches %s: %t", test.pattern, test.path, !test.want)
		}
	}
}

func TestAFaultOfTheCommandLineIsChecked(t *testing.T) {
	t.Parallel()
	d := New(clock.New(time.Now), nil)
	if err := d.AddFault(Fault{Path: "users", Status: 500}); err == nil {
		t.Error("a path without a slash is taken")
	}
	if err := d.AddFault(Fault{Path: "/users", Status: 500}); err != nil {
		t.Error(err)
	}
	if _, problem := d.faults.choose("GET", "/v1.0/users"); problem == nil || problem.Status != 500 {
		t.Errorf("the fault is not in force: %v", problem)
	}
}
