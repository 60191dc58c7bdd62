package membership_test

import (
	"strings"
	"testing"

	"licensor/internal/membership"
)

// examples are those of docs/spec/dynamic-membership.md, in their order: a rule, and its members or
// the number of the refusal.
var examples = []struct{ rule, want string }{
	{`user.department -eq "Sales"`, "ann dia"},
	{`(user.department -eq "Sales") -or (user.department -eq "Marketing")`, "ann bob dia"},
	{`(user.department -eq "Sales") -and -not (user.jobTitle -startsWith "SDE")`, ""},
	{`user.department -ne "Sales"`, "bob cem eve fay"},
	{`user.department -eq null`, "cem fay"},
	{`user.department -ne $null`, "ann bob dia eve"},
	{`user.department -eq "null"`, ""},
	{`user.department -in ["sales","marketing"]`, "ann bob dia"},
	{`user.department -notIn ["Sales","Marketing"]`, "cem eve fay"},
	{`user.department -startsWith "sales"`, "ann dia eve"},
	{`user.department -notStartsWith "Sales"`, "bob cem fay"},
	{`user.department -contains "EMEA"`, "eve"},
	{`user.department -notContains "a"`, "cem fay"},
	{`user.mail -endsWith "@fabrikam.example"`, "bob"},
	{`user.mail -notEndsWith "@contoso.example"`, "bob cem fay"},
	{`user.city -match "ago"`, "ann cem"},
	{`user.city -match "^Lag"`, "ann cem"},
	{`user.displayName -match "^Da.*"`, "dia"},
	{`user.displayName -match ".*vid"`, "bob dia"},
	{`user.displayName -notMatch "vid$"`, "ann bob cem dia eve fay"},
	{`user.physicalDeliveryOfficeName -match "6.*"`, "ann bob cem dia"},
	{`user.physicalDeliveryOfficeName -match "^6\d{2}$"`, "ann dia"},
	{`user.userPrincipalName -match "^(?!fay)"`, "ann bob cem dia eve"},
	{`user.accountEnabled -eq true`, "ann bob dia eve fay"},
	{`user.accountEnabled -ne true`, "cem"},
	{`user.userType -eq "Guest"`, "fay"},
	{`user.objectId -ne null`, "ann bob cem dia eve fay"},
	{`(user.objectId -ne null) -and (user.userType -eq "Member")`, "ann bob cem dia eve"},
	{`user.department -eq "Sales" -and user.city -eq "Lagos" -or user.city -eq "Oslo"`, "ann bob"},
	{`user.city -eq "Oslo" -or user.department -eq "Sales" -and user.city -eq "Lagos"`, "ann bob"},
	{`(user.city -eq "Oslo" -or user.department -eq "Sales") -and user.city -eq "Lagos"`, "ann"},
	{`-not user.city -eq "Lagos"`, "bob dia eve fay"},
	{`-not (user.city -eq "Lagos" -or user.city -eq "Oslo") -and user.userType -eq "Member"`, "dia eve"},
	{`user.department eq "Sales" and user.country eq "US"`, "dia"},
	{`USER.Department -EQ "SALES"`, "ann dia"},
	{`user.country –eq "NO"`, "bob"},
	{`user.proxyAddresses -any (_ -startsWith "smtp:a.")`, "ann"},
	{`user.proxyAddresses -any _ -contains "fabrikam"`, "bob"},
	{`user.otherMails -all (_ -endsWith "@contoso.example")`, "bob dia eve"},
	{`user.otherMails -any (_ -endsWith "@contoso.example" -or _ -endsWith "@mail.example")`, "ann cem eve"},
	{`user.otherMails -startsWith "c2@"`, "cem"},
	{`user.proxyAddresses -notEndsWith "@contoso.example"`, "bob cem dia eve fay"},
	{`user.assignedPlans -any (assignedPlan.servicePlanId -eq "efb87545-963c-4e0d-99df-69c6916d9eb0" -and assignedPlan.capabilityStatus -eq "Enabled")`, "ann"},
	{`user.assignedPlans -any (assignedPlan.service -eq "exchange")`, "ann bob"},
	{`user.assignedPlans -all (assignedPlan.servicePlanId -eq null)`, "cem dia eve fay"},
	{`user.employeeHireDate -ge system.now`, "bob"},
	{`user.employeehiredate -ge system.now -plus p1d`, "bob"},
	{`user.employeeHireDate -le 2026-06-10T18:13:20Z`, "ann"},
	{`user.employeeHireDate -le system.now -minus P30D`, "ann"},
	{`Direct Reports for "{bob}"`, "ann dia"},
	{`user.memberof -any (group.objectId -in ['{G1}'])`, "ann cem"},
	{`user.extensionAttribute15 -eq "Marketing"`, "eve"},
	{"user.displayName -contains \"`\"Sales`\"\"", "eve"},
	{`user.employeeId -eq 500`, "ann"},
	{`user.sipProxyAddress -eq null`, "ann bob cem dia eve fay"},
	{`(user.department -eq "Sales") (user.department -eq "Marketing")`, "D74"},
	{`user.invalidProperty -eq "Value"`, "D71"},
	{`user.accountEnabled -contains true`, "D72"},
	{`user.userPrincipalName -match "*@domain.ext"`, "D74"},
	{`accountEnabled -eq true`, "D70"},
	{`user.displayName -eq ["a","b"]`, "D73"},
	{`user.userPrincipalName -match [".*@a",".*@b"]`, "D73"},
	{`user.mail -not null`, "D75"},
	{`user.department -eq "Sales" -and device.deviceOSType -eq "Windows"`, "D76"},
	{`device.deviceOSType -eq "Windows"`, "501"},
	{`Direct Reports for "{bob}" -or user.city -eq "Oslo"`, "D77"},
	{`user.memberof -any (group.objectId -in ['{G1}']) -and user.city -eq "Oslo"`, "D77"},
	{`user.memberof -any (group.displayName -eq 'x')`, "D71"},
	{`(user.department -eq "Sales"`, "D74"},
	{strings.Repeat(" ", 3073), "D78"},
	{`user.employeeHireDate -contains "2026"`, "D72"},
	{`user.employeeHireDate -ge "yesterday"`, "D73"},
	{`user.department -eq Sales`, "D73"},
	{`user.assignedPlans -eq "x"`, "D72"},
	{`user.proxyAddresses -any (user.city -eq "Oslo")`, "D74"},
	{`user.assignedPlans -any (assignedPlan.name -eq "x")`, "D71"},
	{`user.city -any (_ -eq "Oslo")`, "D75"},
	{`user.extension_c272a57b722d4eb29bfe327874ae79cb_OfficeNumber -eq "123"`, "501"},
}

// kinds are the refusals by their numbers.
var kinds = map[string]membership.Kind{
	"D70": membership.KindNoObject, "D71": membership.KindWrongProperty, "D72": membership.KindWrongOperator,
	"D73": membership.KindWrongValue, "D74": membership.KindSyntax, "D75": membership.KindWrongOperands,
	"D76": membership.KindMixed, "D77": membership.KindNotAlone, "D78": membership.KindTooLong,
	"501": membership.KindNotImplemented,
}

// TestExamples shows the examples, each by its number.
func TestExamples(t *testing.T) {
	t.Parallel()
	if len(examples) != 78 {
		t.Fatalf("there are %d examples", len(examples))
	}
	for i, example := range examples {
		if kind, ok := kinds[example.want]; ok {
			if r := refused(t, example.rule); r.Kind != kind {
				t.Errorf("example %d: %s: kind %d: %s", i+1, example.rule, r.Kind, r.Message)
			}
			continue
		}
		if got := members(t, example.rule, six()...); got != example.want {
			t.Errorf("example %d: %s: the members are %q, not %q", i+1, example.rule, got, example.want)
		}
	}
}
