package membership_test

import (
	"fmt"
	"strings"
	"testing"

	"licensor/internal/membership"
)

func TestD70NoObject(t *testing.T) {
	t.Parallel()
	areRefused(t, membership.KindNoObject, "No object type", map[string]int{
		`accountEnabled -eq true`: 1, `user.city -eq "Ö" -and  department -eq "x"`: 25, `-not (city -eq "x")`: 7,
		`group.objectId -in ["x"]`: 1, `user -eq "x"`: 1, `foo.city -eq "x"`: 1,
	})
	if code := refused(t, `accountEnabled -eq true`).Code(); code != "InvalidObjectTypeException" {
		t.Errorf("the code is %s", code)
	}
}

func TestD71WrongProperty(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		`user.invalidProperty -eq "Value"`:                    "Property 'invalidProperty' cannot be applied to object 'User', at character 6.",
		`user.city -eq "x" -or user.deviceId -eq "y"`:         "Property 'deviceId' cannot be applied to object 'User', at character 28.",
		`device.city -eq "y"`:                                 "Property 'city' cannot be applied to object 'Device', at character 8.",
		`user.assignedPlans -any (assignedPlan.name -eq "x")`: "Property 'name' cannot be applied to object 'AssignedPlan', at character 39.",
		`user.memberof -any (group.displayName -in ['x'])`:    "Property 'displayName' cannot be applied to object 'Group', at character 27.",
		`user.extensionAttribute16 -eq "x"`:                   "Property 'extensionAttribute16' cannot be applied to object 'User', at character 6.",
		`user.` + strings.Repeat("x", 200) + ` -eq "x"`:       "Property '" + strings.Repeat("x", 100) + "…' cannot be applied to object 'User', at character 6.",
	} {
		r := refused(t, rule)
		if r.Message != invalid+"Wrong property applied. "+want || r.Code() != "Request_BadRequest" {
			t.Errorf("%s: %s", rule, r.Message)
		}
	}
}

func TestD72WrongOperator(t *testing.T) {
	t.Parallel()
	areRefused(t, membership.KindWrongOperator, invalid+"Operator isn't supported on attribute.", map[string]int{
		`user.accountEnabled -contains true`: 21, `user.employeeHireDate -contains "2026"`: 23, `user.city -ge "x"`: 11,
		`user.assignedPlans -eq "x"`: 20, `user.assignedPlans -any (assignedPlan.service -le "x")`: 47,
	})
	r := refused(t, `user.accountEnabled -contains true`)
	if want := "The property 'accountEnabled' supports only -eq, -ne, at character 21."; !strings.HasSuffix(r.Message, want) {
		t.Errorf("the message is %s", r.Message)
	}
}

func TestD73WrongValue(t *testing.T) {
	t.Parallel()
	areRefused(t, membership.KindWrongValue, invalid+"Value can't be applied to property.", map[string]int{
		`user.displayName -eq ["a","b"]`: 22, `user.userPrincipalName -match [".*@a"]`: 31, `user.employeeHireDate -ge "yesterday"`: 27,
		`user.department -eq Sales`: 21, `user.department -startsWith null`: 29, `user.department -match null`: 24,
		`user.department -eq true`: 21, `user.accountEnabled -eq "yes"`: 25, `user.accountEnabled -eq 1`: 25,
		`user.department -eq 5x`: 21, `user.city -eq "Ö" -or user.city -eq Ö`: 37,
	})
}

func TestD74NotAnExpression(t *testing.T) {
	t.Parallel()
	areRefused(t, membership.KindSyntax, invalid+"Query compilation error.", map[string]int{
		``: 1, ` `: 2, `(user.city -eq "a") (user.city -eq "b")`: 21, `(user.city -eq "a"`: 19, `user.city -eq "a")`: 18,
		`user.city -eq "a" -and`: 23, `user.city -eq "a" -or -or user.city -eq "b"`: 23, `user.city`: 10, `user.city "a"`: 11,
		`user. -eq "a"`: 7, `user.city -eq`: 14, `user.city - eq "a"`: 11, `user.city -is "a"`: 11, `user.city -eq "a" %`: 19,
		`()`: 2, `user.city -eq (user.city)`: 15, `user.city -in ["a" "b"]`: 20, `user.city -in ["a"`: 19, `-and`: 1, `and user.city -eq "a"`: 1,
		`user.proxyAddresses -any (user.city -eq "a")`: 27, `user.assignedPlans -any (_ -eq "a")`: 26, `user.proxyAddresses -any ()`: 27,
		`user.proxyAddresses -any (_ -eq "a"`: 36, `user.proxyAddresses -any (_ "a")`: 29, "user.city -eq `x": 15,
		`user.city -eq "a" - 5`: 19, `user.userPrincipalName -match "*@domain.ext"`: 31,
	})
}

func TestD75WrongOperands(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		`user.mail -not null`:                   "-not",
		`user.city -any (_ -eq "x")`:            "-any",
		`user.accountEnabled -all (_ -eq true)`: "-all",
		`user.otherMails -any`:                  "-any",
		`user.otherMails -all -eq "x"`:          "-all",
		`user.otherMails -any and`:              "-any",
		`user.otherMails -any (_ -not "x")`:     "-not",
	} {
		r := refused(t, rule)
		if !strings.HasPrefix(r.Message, invalid+"Invalid operands found for operator "+want) || r.Kind != membership.KindWrongOperands {
			t.Errorf("%s: %s", rule, r.Message)
		}
	}
}

func TestD76UsersAndDevices(t *testing.T) {
	t.Parallel()
	areRefused(t, membership.KindMixed, invalid+"Invalid object type.", map[string]int{
		`user.department -eq "Sales" -and device.deviceOSType -eq "Windows"`: 34,
		`(device.deviceId -eq "x") -or (user.city -eq "x")`:                  32,
	})
}

func TestD77WhatStandsAlone(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 51 {
		ids = append(ids, "'"+idOf(fmt.Sprint(i)).String()+"'")
	}
	parse(t, `user.memberof -any (group.objectId -in [`+strings.Join(ids[:50], ",")+`])`)
	areRefused(t, membership.KindNotAlone, invalid, map[string]int{
		`Direct Reports for "{bob}" -or user.city -eq "Oslo"`:                        59,
		`user.city -eq "Oslo" -or Direct Reports for "{bob}"`:                        26,
		`user.city -eq "Oslo" Direct Reports for "{bob}"`:                            22,
		`(Direct Reports for "{bob}")`:                                               2,
		`-not Direct Reports for "{bob}"`:                                            6,
		`Direct Reports for "bob"`:                                                   20,
		`Direct Reports for bob`:                                                     20,
		`Direct Reports for`:                                                         19,
		`Direct Reports of "{bob}"`:                                                  16,
		`user.memberof -any (group.objectId -in ['{G1}']) -and user.city -eq "Oslo"`: 1,
		`user.city -eq "Oslo" -or user.memberof -any (group.objectId -in ['{G1}'])`:  26,
		`-not user.memberof -any (group.objectId -in ['{G1}'])`:                      6,
		`user.memberof -any (group.objectId -in ['{G1}'] -and user.city -eq "Oslo")`: 81,
		`user.memberof -any (group.objectId -in ['{G1}']) user.city -eq "Oslo"`:      82,
		`user.memberof -any (group.objectId -in ['G1'])`:                             41,
		`user.memberof -any (group.objectId -in [null])`:                             41,
		`user.memberof -any (group.objectId -in [` + strings.Join(ids, ",") + `])`:   41 + 50*39,
	})
}

func TestD78Length(t *testing.T) {
	t.Parallel()
	rule := func(length int) string {
		const start = `user.city -ne "`
		return start + strings.Repeat("ö", length-len(start)-1) + `"`
	}
	if got := members(t, rule(3072), six()[0]); got != "ann" {
		t.Errorf("the members are %q", got)
	}
	r := refused(t, rule(3073))
	want := "Invalid value specified for property 'membershipRule' of resource 'Group'. It has 3073 characters and may have 3072, at character 3073."
	if r.Kind != membership.KindTooLong || r.Message != want {
		t.Errorf("the message is %s", r.Message)
	}
}
