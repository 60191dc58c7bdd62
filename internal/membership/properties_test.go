package membership_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/membership"
)

// TestD50Properties sets the property of Graph and asks for the one of rules.
func TestD50Properties(t *testing.T) {
	t.Parallel()
	same := "city companyName country department displayName employeeId givenName jobTitle mail " +
		"onPremisesDistinguishedName onPremisesSecurityIdentifier passwordPolicies postalCode preferredLanguage state " +
		"streetAddress surname usageLocation userPrincipalName userType"
	graph := map[string]string{
		"facsimileTelephoneNumber": "faxNumber", "mailNickName": "mailNickname", "mobile": "mobilePhone",
		"physicalDeliveryOfficeName": "officeLocation",
	}
	for name := range strings.FieldsSeq(same) {
		graph[name] = name
	}
	for i := 1; i <= 15; i++ {
		name := fmt.Sprintf("extensionAttribute%d", i)
		graph[name] = "onPremisesExtensionAttributes/" + name
	}
	for name, property := range graph {
		people := []*person{one("x", property, "Abc"), one("y", property, "Abd"), {name: "z"}}
		are(t, people, map[string]string{
			"user." + name + ` -eq "abc"`: "x", "user." + name + ` -contains "B"`: "x y", "user." + name + ` -ne "abc"`: "y z",
			"user." + name + ` -eq null`: "z", "user." + name + ` -match "d$"`: "y",
		})
	}
	people := []*person{one("x", "onPremisesSyncEnabled", true), one("y", "onPremisesSyncEnabled", false), {name: "z", id: idOf("bob")}}
	are(t, people, map[string]string{
		`user.dirSyncEnabled -eq true`: "x", `user.dirSyncEnabled -ne true`: "y z", `user.dirSyncEnabled -eq null`: "z",
		`user.objectId -eq "{bob}"`: "z", `user.objectId -in ["x","{bob}"]`: "z", `user.objectId -ne "{bob}"`: "x y",
		`user.objectId -match "^[0-9a-f-]{36}$"`: "x y z", `user.objectId -eq null`: "",
	})
}

// TestD50DerivedTexts are one of a collection.
func TestD50DerivedTexts(t *testing.T) {
	t.Parallel()
	people := []*person{
		one("ann", "proxyAddresses", []string{"smtp:a@x.example", "SIP:Ann@x.example", "sip:b@x.example"}),
		one("bob", "proxyAddresses", []string{"smtp:ann@x.example"}), one("cem", "proxyAddresses", []string{"sip:"}),
		one("dia", "businessPhones", []string{"+1 5", "+2 6"}), one("eve", "businessPhones", []string{"+2 6"}),
	}
	are(t, people, map[string]string{
		`user.sipProxyAddress -eq "ann@x.example"`: "ann", `user.sipProxyAddress -eq null`: "bob cem dia eve",
		`user.sipProxyAddress -ne null`: "ann", `user.sipProxyAddress -startsWith "b"`: "", `user.sipProxyAddress -match "^a.*e$"`: "ann",
		`user.telephoneNumber -eq "+2 6"`: "eve", `user.telephoneNumber -notStartsWith "+1"`: "ann bob cem eve",
		`user.telephoneNumber -match "\d$"`: "dia eve", `user.telephoneNumber -in [null, "+1 5"]`: "ann bob cem dia",
	})
}

// TestD50Columns says which properties have no column of users.
func TestD50Columns(t *testing.T) {
	t.Parallel()
	var without []string
	for _, rule := range everyProperty() {
		for _, p := range parse(t, rule).Properties() {
			if p.Column < 0 {
				without = append(without, p.Name)
			} else if directory.UserSchema().Columns[p.Column].Name != p.Graph {
				t.Errorf("%s reads another column", p.Name)
			}
		}
	}
	slices.Sort(without)
	if got := strings.Join(without, " "); got != "assignedPlans objectId" {
		t.Errorf("without a column are %s", got)
	}
}

// everyProperty returns a rule for each property of D50 but memberOf.
func everyProperty() []string {
	rules := []string{
		"user.accountEnabled eq true", "user.dirSyncEnabled eq true", "user.employeeHireDate le system.now",
		`user.assignedPlans any (assignedPlan.service eq "x")`,
	}
	for name := range strings.FieldsSeq("city companyName country department displayName employeeId facsimileTelephoneNumber givenName " +
		"jobTitle mail mailNickName mobile objectId onPremisesDistinguishedName onPremisesSecurityIdentifier passwordPolicies " +
		"physicalDeliveryOfficeName postalCode preferredLanguage sipProxyAddress state streetAddress surname telephoneNumber " +
		"usageLocation userPrincipalName userType otherMails proxyAddresses extensionAttribute1 extensionAttribute15") {
		rules = append(rules, "user."+name+` eq "x"`)
	}
	return rules
}

func TestD51DeletedPlansAreListed(t *testing.T) {
	t.Parallel()
	are(t, six(), map[string]string{
		`user.assignedPlans -any (assignedPlan.service -eq "exchange")`:                                                    "ann bob",
		`user.assignedPlans -any (assignedPlan.service -eq "exchange" -and assignedPlan.capabilityStatus -eq "Enabled")`:   "ann",
		`user.assignedPlans -any (assignedPlan.service -eq "exchange" -and -not (assignedPlan.capabilityStatus -eq null))`: "ann bob",
	})
}

func TestD52DirectoryExtensionsAreNotServed(t *testing.T) {
	t.Parallel()
	const name = "user.extension_c272a57b722d4eb29bfe327874ae79cb_OfficeNumber"
	for _, rest := range []string{
		` -eq "123"`, ` -eq 5`, ` -ne true`, ` -eq null`, ` -in ["a"]`, ` -match "x"`, ` -le 2026-01-01T00:00:00Z`,
	} {
		r := refused(t, `user.city -eq "x" -or `+name+rest)
		if r.Kind != membership.KindNotImplemented || r.Code() != "NotImplemented" || r.At != 23 ||
			!strings.Contains(r.Message, name[5:]) {
			t.Errorf("%s: %d at %d: %s", rest, r.Kind, r.At, r.Message)
		}
	}
	for rule, kind := range map[string]membership.Kind{
		name + ` -eq Sales`: membership.KindWrongValue, name + ` -any (_ -eq "x")`: membership.KindWrongOperands,
		name + ` -eq "x" -or`: membership.KindSyntax, `user.extension_c272_Office -eq "x"`: membership.KindWrongProperty,
		name + ` -eq ["x"]`: membership.KindWrongValue,
	} {
		if r := refused(t, rule); r.Kind != kind {
			t.Errorf("%s: kind %d: %s", rule, r.Kind, r.Message)
		}
	}
}

func TestD53DevicesAreCheckedAndNotServed(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{
		`device.accountEnabled -eq true`, `(device.deviceOwnership -eq "Company") -and (device.isRooted -ne true)`,
		`device.devicePhysicalIDs -any _ -contains "[ZTDId]"`, `device.extensionAttribute15 -match "x"`,
		`device.memberOf -any (group.objectId -in ['{G1}'])`, `device.systemLabels -contains "M365Managed"`,
	} {
		r := refused(t, rule)
		if r.Kind != membership.KindNotImplemented || !strings.HasPrefix(r.Message, "Rules about devices are not served") {
			t.Errorf("%s: %s", rule, r.Message)
		}
	}
	for rule, kind := range map[string]membership.Kind{
		`device.department -eq "x"`: membership.KindWrongProperty, `device.isRooted -contains "x"`: membership.KindWrongOperator,
		`device.isRooted -eq "x"`: membership.KindWrongValue, `device.deviceId -eq "x" -or`: membership.KindSyntax,
		`device.deviceId -any (_ -eq "x")`: membership.KindWrongOperands,
	} {
		if r := refused(t, rule); r.Kind != kind {
			t.Errorf("%s: kind %d: %s", rule, r.Kind, r.Message)
		}
	}
}

func TestD54DirectReports(t *testing.T) {
	t.Parallel()
	manager, ok := parse(t, `Direct Reports for "{bob}"`).Manager()
	if !ok || manager != idOf("bob") {
		t.Errorf("the manager is %v, %t", manager, ok)
	}
	if _, ok := parse(t, `user.city -eq "x"`).Manager(); ok {
		t.Error("another rule has a manager")
	}
	are(t, six(), map[string]string{`Direct Reports for "{bob}"`: "ann dia", `Direct Reports for "{ann}"`: ""})
}

func TestD55MemberOf(t *testing.T) {
	t.Parallel()
	sources := parse(t, `user.memberof -any (group.objectId -in ['{G1}', "{G2}", '{G1}'])`).Sources()
	if !slices.Equal(sources, []uuid.UUID{idOf("G1"), idOf("G2")}) {
		t.Errorf("the sources are %v", sources)
	}
	if sources := parse(t, `user.city -eq "x"`).Sources(); sources != nil {
		t.Errorf("another rule has the sources %v", sources)
	}
	are(t, six(), map[string]string{
		`user.memberof -any (group.objectId -in ['{G1}'])`: "ann cem", `user.memberof -any (group.objectId -in ['{G2}'])`: "",
	})
	for rule, kind := range map[string]membership.Kind{
		`user.memberOf -all (group.objectId -in ['{G1}'])`: membership.KindWrongOperator,
		`user.memberOf -eq '{G1}'`:                         membership.KindWrongOperator,
		`user.memberOf -any (group.objectId -eq '{G1}')`:   membership.KindWrongOperator,
		`user.memberOf -any (group.objectId -in '{G1}')`:   membership.KindWrongValue,
		`user.memberOf -any (_ -in ['{G1}'])`:              membership.KindSyntax,
		`user.memberOf -any (group.objectId -in ['{G1}']`:  membership.KindSyntax,
	} {
		if r := refused(t, rule); r.Kind != kind {
			t.Errorf("%s: kind %d: %s", rule, r.Kind, r.Message)
		}
	}
}

// TestWhatARuleDependsOn is what an index of rules needs.
func TestWhatARuleDependsOn(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		`user.city -eq "x" -or -not (user.CITY -eq "y" -and user.mobile -eq null)`: "city mobilePhone",
		`user.sipProxyAddress -eq "x" -or user.proxyAddresses -any (_ -eq "y")`:    "proxyAddresses proxyAddresses",
		`user.extensionAttribute3 -eq "x"`:                                         "onPremisesExtensionAttributes/extensionAttribute3",
		`user.employeeHireDate -le system.now -minus P1D`:                          "employeeHireDate now",
		`user.employeeHireDate -le 2026-01-01T00:00:00Z`:                           "employeeHireDate",
		`user.assignedPlans -any (assignedPlan.service -eq "x")`:                   "assignedPlans plans",
		`Direct Reports for "{bob}"`:                                               "",
	} {
		r := parse(t, rule)
		var got []string
		for _, p := range r.Properties() {
			got = append(got, p.Graph)
		}
		if r.UsesNow() {
			got = append(got, "now")
		}
		if r.UsesPlans() {
			got = append(got, "plans")
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s: %s", rule, text)
		}
	}
}
