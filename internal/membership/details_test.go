package membership_test

import (
	"fmt"
	"strings"
	"testing"

	"licensor/internal/membership"
)

// show writes details as text, one line for each.
func show(d *membership.Detail, indent string) string {
	value := ""
	if p := d.Property; p != nil {
		value = " " + p.Name + "=null"
		if p.Value != nil {
			value = fmt.Sprintf(" %s='%s'", p.Name, *p.Value)
		}
	}
	text := fmt.Sprintf("%s%s: %t%s\n", indent, d.Expression, d.Result, value)
	for i := range d.Parts {
		text += show(&d.Parts[i], indent+"  ")
	}
	return text
}

func TestD82Details(t *testing.T) {
	t.Parallel()
	users := six()
	for _, c := range []struct {
		rule string
		user *person
		want string
	}{
		{`((user.Department -eq "Sales"))`, users[0], `user.Department -eq "Sales": true Department='Sales'`},
		{`user.department -eq null`, users[2], `user.department -eq null: true department=null`},
		{`user.accountEnabled -eq false`, users[2], `user.accountEnabled -eq false: true accountEnabled='false'`},
		{
			`user.employeeHireDate -ge system.now -plus P1D`, users[0],
			`user.employeeHireDate -ge system.now -plus P1D: false employeeHireDate='2026-06-10T18:13:20Z'`,
		},
		{
			`user.otherMails -contains "ann"`, users[2],
			`user.otherMails -contains "ann": false otherMails='c1@contoso.example, c2@fabrikam.example'`,
		},
		{
			`user.department -eq "Sales" -and user.city -eq "Lagos" -or user.city -eq "Oslo"`, users[3], `
user.department -eq "Sales" -and user.city -eq "Lagos" -or user.city -eq "Oslo": false
  user.department -eq "Sales" -and user.city -eq "Lagos": false
    user.department -eq "Sales": true department='sales'
    user.city -eq "Lagos": false city=null
  user.city -eq "Oslo": false city=null`,
		},
		{`-not (user.city -eq "Oslo")`, users[0], `
-not (user.city -eq "Oslo"): true
  user.city -eq "Oslo": false city='Lagos'`},
		{`user.proxyAddresses -any (_ -startsWith "smtp:a.")`, users[0], `
user.proxyAddresses -any (_ -startsWith "smtp:a."): true
  _ -startsWith "smtp:a.": false _='SMTP:ann@contoso.example'
  _ -startsWith "smtp:a.": true _='smtp:a.berg@contoso.example'`},
		{`user.assignedPlans -all (assignedPlan.service -eq "exchange" -and assignedPlan.capabilityStatus -eq "Enabled")`, users[1], `
user.assignedPlans -all (assignedPlan.service -eq "exchange" -and assignedPlan.capabilityStatus -eq "Enabled"): false
  assignedPlan.service -eq "exchange" -and assignedPlan.capabilityStatus -eq "Enabled": false
    assignedPlan.service -eq "exchange": true assignedPlan.service='exchange'
    assignedPlan.capabilityStatus -eq "Enabled": false assignedPlan.capabilityStatus='Deleted'`},
		{` Direct Reports for "{bob}" `, users[0], `Direct Reports for "{bob}": true`},
		{`(user.memberOf -any (group.objectId -in ['{G1}']))`, users[1], `user.memberOf -any (group.objectId -in ['{G1}']): false`},
	} {
		d, err := parse(t, c.rule).Evaluate(c.user, now)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.TrimSpace(show(d, "")), strings.TrimSpace(names(c.want)); got != want {
			t.Errorf("%s:\n%s\nnot\n%s", c.rule, got, want)
		}
	}
}
